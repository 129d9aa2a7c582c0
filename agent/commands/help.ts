/** Lays out help texts. Writes nothing itself. */
import { wrapped } from '../report/layout.ts';

/** Help is this wide, whatever the terminal: people paste it. */
const WIDTH = 80;

/**
 * The rows of a help text: the option on the left, its text from column `left` + 4 on, broken at 80 columns.
 *
 *     optionRows([['-q, --quiet', 'print less']], 12)   // ['  -q, --quiet   print less']
 *
 * A left side wider than `left` takes a line of its own.
 */
export function optionRows(
  rows: ReadonlyArray<readonly [typed: string, text: string]>,
  left: number,
): readonly string[] {
  return rows.flatMap(([typed, text]) => {
    const lines = wrapped(text, WIDTH - left - 4);
    const texts = typed.length > left ? ['', ...lines] : lines;
    return texts.map((line, i) => `  ${(i === 0 ? typed : '').padEnd(left)}  ${line}`.trimEnd());
  });
}

/** A paragraph of a help text, broken at 80 columns. */
export function paragraph(text: string): string {
  return wrapped(text, WIDTH).join('\n');
}
