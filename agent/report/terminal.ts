/** Colours, width and escaping of text for people. Builds text only. */
import { toMachineText } from '../base/machine-text.ts';

/** How text is shown: with colour or without, and how wide. */
export interface Terminal {
  readonly colour: boolean;
  /** Columns; Infinity where nothing may be cut or wrapped. */
  readonly width: number;
}

/** SGR codes (ECMA-48): on, off. util.styleText asks the streams again, and costs a module at start. */
const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type Style = keyof typeof STYLES;

/**
 * The terminal behind a stream. NO_COLOR (no-color.org) switches colour off. The width is the terminal's; where it has none
 * (a serial console answers 0) that of COLUMNS, or 80. A pipe, a file or the journal is endless unless COLUMNS says otherwise:
 * what goes there is read by programs or shown by something that breaks lines itself.
 */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: NodeJS.ProcessEnv,
): Terminal {
  const noColour = environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '';
  const isTTY = stream.isTTY === true;
  const asked = /^[1-9]\d{0,4}$/.test(environment['COLUMNS'] ?? '') ? Number(environment['COLUMNS']) : undefined;
  const own = isTTY && stream.columns !== undefined && stream.columns > 0 ? stream.columns : undefined;
  return {
    colour: isTTY && !noColour && environment['TERM'] !== 'dumb',
    width: own ?? asked ?? (isTTY ? 80 : Infinity),
  };
}

/** `text` in `style`, on a terminal that has colours. */
export function paint(terminal: Terminal, style: Style, text: string): string {
  const [on, off] = STYLES[style];
  return terminal.colour ? `\u001B[${on}m${text}\u001B[${off}m` : text;
}

/** Text cut to `width` columns, with an ellipsis where something is missing. */
export function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Milliseconds for people: `0.4 ms`, `38 ms`, `1.94 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

const KIB = 1024;

/** Bytes for people: `3.5 KiB`, `12.3 MiB`. */
export function sizeText(bytes: number): string {
  return bytes < KIB * KIB ? `${(bytes / KIB).toFixed(1)} KiB` : `${(bytes / KIB / KIB).toFixed(1)} MiB`;
}

/**
 * Machine text (one character a byte) as a person's: UTF-8 where it is that, and everything that is not printable escaped, so
 * that no name can move a cursor or turn the direction of a line: `caf\xc3\xa9\x1b[2J` → `café\\x1b[2J`. Characters beyond a byte
 * are a person's already.
 */
export function readable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const shown = text.replaceAll(/[\x80-\xff]+/g, (bytes) => {
    const decoded = Buffer.from(bytes, 'latin1').toString('utf8');
    return decoded.includes('\uFFFD') ? bytes.replaceAll(/[\x80-\xff]/g, escape) : decoded;
  });
  return shown.replaceAll(UNPRINTABLE, escape);
}

/** The same for an ordinary path, whose characters are a person's: `/lib/größe/a\x1b.ko` → `/lib/größe/a\\x1b.ko`. */
export function readablePath(path: string): string {
  return readable(toMachineText(path));
}

/** C0, DEL and C1, line and paragraph separators, and the controls of writing direction (Unicode's Bidi_Control). */
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same, but for line ends, TABs and what `paint` writes. */
const UNPRINTABLE_IN_TEXT =
  /(?!\u001B\[(?:1|2|22|31|32|33|39)m)[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A whole text for people, with its lines and colours, in which everything else that is not printable is escaped. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE_IN_TEXT, escape);
}

/** A message in which plugd has painted nothing: a colour in it came from a file, and is escaped, too. */
export function unpainted(text: string): string {
  return printable(text.replaceAll('\u001B', escape));
}

function escape(character: string): string {
  const code = character.charCodeAt(0);
  const bytes = code > 0xff ? [...Buffer.from(character, 'utf8')] : [code];
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** Puts a line where the last one was, and takes it away: carriage return and erase-to-end-of-line (ECMA-48). */
export const LINE = { rewrite: (text: string) => `\r${text}\u001B[K`, clear: '\r\u001B[K' } as const;
