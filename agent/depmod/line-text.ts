/**
 * What can stand in a line of the text files. A module's author chooses its alias strings, symbols and file name, so text that
 * would end a line, or join it to the next one, is left out: it could add lines of its own (`alias=x\nalias usb:* evil`).
 */

/**
 * Why a string of `.modinfo` or a symbol's name cannot stand in a line; undefined when it can. softdep and weakdep lines are
 * configuration to modprobe, which joins a line that ends in a backslash to the next one.
 *
 *     whyNotInLine('pci:v*\nalias x y')      a line break
 *     whyNotInLine('pre: a\\')               a backslash at its end
 */
export function whyNotInLine(text: string, continues = true): string | undefined {
  if (text.includes('\n')) return 'a line break';
  return continues && text.endsWith('\\') ? 'a backslash at its end' : undefined;
}

/**
 * Why a module file cannot stand in modules.dep by its path; undefined when it can. A colon ends the path there, so
 * such a module could not be loaded.
 */
export function whyNotListed(path: string): string | undefined {
  return path.includes('\n') ? 'a line break' : path.includes(':') ? 'a colon' : undefined;
}

/** Whether a path can be one of several in a line of modules.dep, where blanks part them. */
export function canBeDependency(path: string): boolean {
  return !/[ \t]/.test(path);
}

/** Text in one line, for a message: a line break becomes `\n`. */
export function inOneLine(text: string): string {
  return text.replaceAll('\n', '\\n');
}
