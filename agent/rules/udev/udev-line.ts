/**
 * The syntax of udev rules (udev(7)): a line holds pairs KEY{attribute}OP"value", separated by commas and blanks.
 *
 * - A line that ends in a backslash goes on in the next one; a line whose first character (after blanks) is `#` is a
 *   comment, also between two parts of a line.
 * - Operators: `==` `!=` `=` `+=` `-=` `:=`.
 * - In "value" only `\"` is special; in e"value" C's escapes are; in i"value" the match ignores case.
 *
 *     ACTION!="add", GOTO="drivers_end"
 *     SUBSYSTEM=="module", KERNEL=="parport_pc", RUN{builtin}+="kmod load ppdev"
 *
 * Source: udev(7); systemd's udev-rules.c and udev-util.c for the corners.
 */
export type Operator = '==' | '!=' | '=' | '+=' | '-=' | ':=';

/** `ENV{MODALIAS}=="?*"`: key ENV, attribute MODALIAS. */
export interface Pair {
  readonly key: string;
  readonly attribute: string | undefined;
  readonly operator: Operator;
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** A logical line; `line` and `column` are where its first part begins, 1 the first. */
export interface LogicalLine {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** What is wrong, `offset` characters into the logical line, and what was expected. */
export interface SyntaxFault {
  readonly kind: 'fault';
  readonly offset: number;
  readonly message: string;
}

/** The lines of a rules file that are neither empty nor comments. */
export function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let parts: string[] = [];
  let line = 0;
  let column = 0;
  const end = () => {
    const joined = parts.join('');
    if (joined !== '') lines.push({ line, column, text: joined });
    parts = [];
  };
  text.split('\n').forEach((physical, index) => {
    const part = physical.replace(/^[ \t\r\v\f]+/, '');
    if (part.startsWith('#')) return;
    if (parts.length === 0) {
      line = index + 1;
      column = physical.length - part.length + 1;
    }
    if (part.endsWith('\\')) {
      parts.push(part.slice(0, -1));
      return;
    }
    parts.push(part);
    end();
  });
  end();
  return lines;
}

const KEY = /[^\s,={:+\-!]+/y;
const ATTRIBUTE = /\{([^}]*)\}/y;
const OPERATOR = /\s*(==|!=|\+=|-=|:=|=)\s*/y;
const PREFIX = /(e?i?|ie)"/y;
const GAP = /[\s,]*/y;

/** The pairs of a line, or the first thing in it that cannot be read. */
export function parsePairs(text: string): readonly Pair[] | SyntaxFault {
  const pairs: Pair[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const fault = (message: string): SyntaxFault => ({ kind: 'fault', offset: at, message });
  for (;;) {
    take(GAP);
    if (at >= text.length) return pairs;
    const key = take(KEY)?.[0];
    if (key === undefined) return fault(`'${text[at]}' begins no key; expected KEY=="value"`);
    let attribute: string | undefined;
    if (text[at] === '{') {
      attribute = take(ATTRIBUTE)?.[1];
      if (attribute === undefined) return fault(`the '{' after ${key} has no partner`);
    }
    const operator = take(OPERATOR)?.[1] as Operator | undefined;
    if (operator === undefined) return fault(`expected one of == != = += -= := after ${key}`);
    const prefix = take(PREFIX)?.[1];
    if (prefix === undefined) return fault(`expected a value in double quotes after ${key}${operator}`);
    const value = prefix.includes('e') ? takeEscaped(text, at) : takePlain(text, at);
    if (value.kind === 'fault') return value;
    at = value.next;
    pairs.push({ key, attribute, operator, value: value.text, ignoreCase: prefix.includes('i') });
  }
}

type Taken = { readonly kind: 'value'; readonly text: string; readonly next: number } | SyntaxFault;

function takePlain(text: string, from: number): Taken {
  let value = '';
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return { kind: 'value', text: value, next: at + 1 };
    if (text[at] === '\\' && text[at + 1] === '"') at++;
    value += text[at];
  }
  return { kind: 'fault', offset: from - 1, message: 'the value has no closing double quote' };
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
};
const CODED = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/y;

function takeEscaped(text: string, from: number): Taken {
  let value = '';
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return { kind: 'value', text: value, next: at + 1 };
    if (text[at] !== '\\') {
      value += text[at];
      continue;
    }
    const simple = SIMPLE[text[at + 1] ?? ''];
    CODED.lastIndex = at;
    const coded = simple === undefined ? CODED.exec(text) : null;
    const code =
      coded === null ? 0 : Number.parseInt(coded[1] ?? coded[2] ?? coded[3] ?? coded[4] ?? '', coded[4] ? 8 : 16);
    if (simple !== undefined) {
      value += simple;
      at++;
    } else if (coded !== null && code > 0 && code <= (coded[4] ? 0xff : 0x10ffff)) {
      // A code point is written as its UTF-8 bytes, each a character here.
      value +=
        (coded[2] ?? coded[3]) ? Buffer.from(String.fromCodePoint(code)).toString('latin1') : String.fromCharCode(code);
      at = CODED.lastIndex - 1;
    } else {
      return { kind: 'fault', offset: at, message: `'${text.slice(at, at + 2)}' is no escape of e"…"` };
    }
  }
  return { kind: 'fault', offset: from - 1, message: 'the value has no closing double quote' };
}
