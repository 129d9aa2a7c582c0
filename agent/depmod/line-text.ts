/**
 * Which text may appear in a line of the text files. A module's author chooses its alias strings, symbols and file name. Text that would
 * end a line, or join it to the next, is left out: it could add lines of its own (`alias=x\nalias usb:* evil`). Pure.
 */

/**
 * Why a string of `.modinfo` or a symbol's name cannot be in a line; undefined when it can. modprobe reads softdep and weakdep lines as
 * configuration, and joins a line that ends in a backslash to the next.
 *
 *     whyNotInLine('pci:v*\nalias x y')      a line break
 *     whyNotInLine('pre: a\\')               a backslash at its end
 */
export function whyNotInLine(text: string, continues = true): string | undefined {
  if (text.includes('\n')) return 'a line break';
  return continues && text.endsWith('\\') ? 'a backslash at its end' : undefined;
}

/**
 * Why a module file's path cannot be in modules.dep; undefined when it can. A colon ends the path there, so such a module could not be
 * loaded.
 */
export function whyNotListed(path: string): string | undefined {
  return path.includes('\n') ? 'a line break' : path.includes(':') ? 'a colon' : undefined;
}

/** Whether a path can be one of several in a line of modules.dep, where blanks separate them. */
export function canBeDependency(path: string): boolean {
  return !/[ \t]/.test(path);
}

/** Text in one line, for a message: a line break becomes `\n`. */
export function inOneLine(text: string): string {
  return text.replaceAll('\n', '\\n');
}
