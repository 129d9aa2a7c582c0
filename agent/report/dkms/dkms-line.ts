/** The forms that dkms's lines have: errors begin with a blank line and `Error!`, warnings with `Warning:`. Pure. */

/** Text for standard output or standard error, with its line ends. */
export interface DkmsText {
  readonly to: 'out' | 'error';
  readonly text: string;
}

/** A line, or several, of standard output. */
export function out(...lines: readonly string[]): DkmsText {
  return { to: 'out', text: lined(lines) };
}

/** An error: a blank line, `Error!` before the first line, the rest as it is. */
export function error(first: string, ...rest: readonly string[]): DkmsText {
  return { to: 'error', text: `\nError! ${lined([first, ...rest])}` };
}

/** A warning: `Warning:` before the first line. */
export function warning(first: string, ...rest: readonly string[]): DkmsText {
  return { to: 'error', text: `Warning: ${lined([first, ...rest])}` };
}

function lined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
