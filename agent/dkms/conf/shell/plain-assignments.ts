/**
 * The plain majority of configuration: files with nothing but assignments, which mean the same to any reader. Anything that the shell
 * could see otherwise (commands, conditions, arrays in brackets, arithmetic) makes the whole file one for the shell. Pure.
 */

/** A part of a value: text as it is, or the name of a variable to put in its place. */
export type PlainPart = { readonly text: string } | { readonly variable: string };

/** `MAKE[0]="make -C $kernel_source_dir"` */
export interface PlainAssignment {
  readonly name: string;
  readonly index: number;
  readonly parts: readonly PlainPart[];
}

/** Blank lines and comments; then `NAME=` or `NAME[index]=`. An index with a leading zero is octal to the shell. */
const BETWEEN = /(?:[ \t\n]|#[^\n]*)*/y;
const TARGET = /([A-Za-z_]\w*)(?:\[(0|[1-9]\d{0,8})\])?=/y;
/** Between a value and the end of its line. */
const REST = /[ \t]*(?:[ \t]#[^\n]*)?(?:\n|$)/y;

/** What stands for itself outside quotes. A tilde may be a home, and other signs part words. */
const BARE = /[^\s"'\\$`~()<>|&;]+|\r/y;
const ESCAPED = /\\([^])/y;
const SINGLE = /'([^']*)'/y;
const VARIABLE = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/y;
/** Inside double quotes; a backslash before any other sign is itself. */
const QUOTED_TEXT = /(?:[^"\\$`]|\\[^"\\$`\n])+/y;
const QUOTED_ESCAPE = /\\(["\\$`\n])/y;

/** The assignments in order; undefined for a file that the shell must read. `text` is machine text. */
export function parsePlainly(text: string): readonly PlainAssignment[] | undefined {
  if (text.includes('\0')) return undefined;
  const found: PlainAssignment[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? undefined;
    if (match !== undefined) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(BETWEEN);
    if (at === text.length) return found;
    const target = take(TARGET);
    if (target === undefined) return undefined;
    const parts = takeWord(take);
    if (parts === undefined || take(REST) === undefined) return undefined;
    found.push({ name: target[1] ?? '', index: Number(target[2] ?? 0), parts });
  }
}

type Take = (pattern: RegExp) => RegExpExecArray | undefined;

/** The parts of one word, up to the first sign that cannot be in it; undefined when a quote has no end or holds more than text. */
function takeWord(take: Take): readonly PlainPart[] | undefined {
  const parts: PlainPart[] = [];
  for (;;) {
    const bare = take(BARE);
    const single = bare === undefined ? take(SINGLE) : undefined;
    const escaped = bare === undefined && single === undefined ? take(ESCAPED) : undefined;
    if (bare !== undefined) parts.push({ text: bare[0] });
    else if (single !== undefined) parts.push({ text: single[1] ?? '' });
    else if (escaped !== undefined) parts.push(unescaped(escaped));
    else if (take(DOUBLE) !== undefined) {
      if (!takeQuoted(take, parts)) return undefined;
    } else if (!takeVariable(take, parts)) return parts;
  }
}

const DOUBLE = /"/y;

/** The rest of a double-quoted string, its end included. */
function takeQuoted(take: Take, parts: PlainPart[]): boolean {
  while (take(DOUBLE) === undefined) {
    const text = take(QUOTED_TEXT);
    const escaped = text === undefined ? take(QUOTED_ESCAPE) : undefined;
    if (text !== undefined) parts.push({ text: text[0] });
    else if (escaped !== undefined) parts.push(unescaped(escaped));
    else if (!takeVariable(take, parts)) return false;
  }
  return true;
}

function takeVariable(take: Take, parts: PlainPart[]): boolean {
  const match = take(VARIABLE);
  if (match === undefined) return false;
  parts.push({ variable: match[1] ?? match[2] ?? '' });
  return true;
}

/** A backslash before a line break takes it away. */
function unescaped([, sign = '']: RegExpExecArray): PlainPart {
  return { text: sign === '\n' ? '' : sign };
}
