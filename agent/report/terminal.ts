/** How text is shown: with colour or without, and how wide. */
export interface Terminal {
  readonly colour: boolean;
  /** Columns. */
  readonly width: number;
}

/** SGR codes (ECMA-48): on, off. util.styleText asks the streams again, and costs a module at start. */
const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type Style = keyof typeof STYLES;

/** The terminal behind a stream; NO_COLOR (no-color.org) switches colour off. 80 columns where nothing is known. */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: NodeJS.ProcessEnv,
): Terminal {
  const noColour = environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '';
  return { colour: stream.isTTY === true && !noColour && environment['TERM'] !== 'dumb', width: stream.columns ?? 80 };
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

/**
 * Machine text (one character a byte) as a person's: UTF-8 where it is that, other control and stray bytes as `\xNN`.
 * Characters beyond a byte are a person's already.
 */
export function readable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const shown = text.replaceAll(/[\x80-\xff]+/g, (bytes) => {
    const decoded = Buffer.from(bytes, 'latin1').toString('utf8');
    return decoded.includes('\uFFFD') ? bytes.replaceAll(/[\x80-\xff]/g, escape) : decoded;
  });
  return shown.replaceAll(/[\x00-\x1f\x7f]/g, escape);
}

function escape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
