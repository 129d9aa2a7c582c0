/** Breaks text and lays out tables. Builds text only. */
import { fit, type Terminal } from './terminal.ts';

/** Text broken at blanks to lines of at most `width` columns. A longer word stays whole: paths and modaliases are copied. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line.trimEnd());
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/**
 * A text whose lines are broken where they are wider than `width`, what follows indented behind the line's own blanks and its first
 * word when that ends in a colon: `plugd: a long …`, then `       sentence`.
 */
export function folded(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const start = /^ *(?:\S+: )?/.exec(line)?.[0] ?? '';
      return line.length <= width
        ? [line]
        : labelled(start, line.slice(start.length), { colour: false, width }, start.length);
    })
    .join('\n');
}

/** A sentence cut at a comma or blank where it is longer than a few lines, as lists of hundreds of symbols are. */
export function shortened(text: string, most = 320): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), most / 2)).replace(/,$/, '')} … (-v shows all)`;
}

/** `text` in a column of `width`, two blanks behind it. A longer text pushes what follows, and runs into nothing. */
export function cell(text: string, width: number): string {
  return `${text.padEnd(width - 2)}  `;
}

/** `label` in its own column, the text beside it, broken where it is too long: `  verdict  loaded: …`. */
export function labelled(label: string, text: string, terminal: Terminal, at = 11): readonly string[] {
  const lines = wrapped(text, terminal.width - at);
  const first = label.trimEnd().length >= Math.max(1, at) ? `${label} ` : label.padEnd(at);
  return lines.map((line, i) => (i === 0 ? first : ' '.repeat(at)) + line);
}

/** One column of a table. */
export interface Column {
  readonly title: string;
  /** It may be cut to this many columns when the table is too wide for the terminal. */
  readonly least?: number;
  readonly right?: boolean;
  /** It is left out of a table that is too wide for the terminal with all others at their least. */
  readonly spare?: boolean;
}

const PADDED = 32;

/**
 * Rows as aligned columns under their titles. What is too wide for the terminal is cut, the widest column first and none
 * below its `least`; a column without one is never cut. What is too wide even so loses its `spare` columns, the last first. For an
 * infinite width (a pipe) nothing is cut, and a column that may be cut is aligned up to PADDED only, so that one long text does not
 * push all others away.
 */
export function table(
  columns: readonly Column[],
  rows: ReadonlyArray<readonly string[]>,
  width: number,
): readonly string[] {
  const titles = columns.map((column) => column.title);
  const spare = columns.findLastIndex((column) => column.spare === true);
  if (spare >= 0 && leastWidth(columns, rows) > width)
    return table(
      columns.toSpliced(spare, 1),
      rows.map((row) => row.toSpliced(spare, 1)),
      width,
    );
  const widths = columns.map((_, i) =>
    sizes(rows, i).reduce((most, size) => Math.max(most, size), titles[i]?.length ?? 0),
  );
  const gaps = 2 * (columns.length - 1);
  for (let over = widths.reduce((sum, each) => sum + each, gaps) - width; over > 0;) {
    let widest = -1;
    columns.forEach((column, i) => {
      if (column.least !== undefined && (widths[i] ?? 0) > column.least && (widths[i] ?? 0) > (widths[widest] ?? 0))
        widest = i;
    });
    if (widest < 0) break;
    const others = columns.map((column, i) => (i === widest || column.least === undefined ? 0 : (widths[i] ?? 0)));
    const next = Math.max(columns[widest]?.least ?? 0, ...others.filter((each) => each < (widths[widest] ?? 0)));
    const cut = Math.max(1, Math.min(over, (widths[widest] ?? 0) - next));
    widths[widest] = (widths[widest] ?? 0) - cut;
    over -= cut;
  }
  const endless = width === Infinity;
  if (endless)
    columns.forEach(
      (column, i) => (widths[i] = Math.min(widths[i] ?? 0, column.least === undefined ? Infinity : PADDED)),
    );
  return [titles, ...rows].map((row) =>
    columns
      .map((column, i) => {
        const text = endless ? (row[i] ?? '') : fit(row[i] ?? '', widths[i] ?? 0);
        return column.right === true ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** What a table takes with every column at its least. */
function leastWidth(columns: readonly Column[], rows: ReadonlyArray<readonly string[]>): number {
  const widths = columns.map(({ title, least = Infinity }, i) =>
    Math.min(
      Math.max(title.length, least),
      sizes(rows, i).reduce((most, size) => Math.max(most, size), title.length),
    ),
  );
  return widths.reduce((sum, each) => sum + each, 2 * (columns.length - 1));
}

function sizes(rows: ReadonlyArray<readonly string[]>, column: number): number[] {
  return rows.map((row) => row[column]?.length ?? 0);
}
