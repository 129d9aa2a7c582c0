/** The text of `plugd load --boot-lists`. Builds text only. */
import { placeText, counted } from '../../base/words.ts';
import type { BootListEnd, BootListResult, BootListRun } from '../../records/boot-list-run.ts';
import { cell, labelled } from '../layout.ts';
import { problemLine } from '../problem-line.ts';
import { paint, readable, type Style, type Terminal } from '../terminal.ts';

const WORDS: Readonly<Record<BootListEnd, readonly [text: string, style: Style | undefined]>> = {
  inserted: ['inserted', 'green'],
  planned: ['to insert', undefined],
  present: ['there', 'dim'],
  'kept-out': ['kept out', 'yellow'],
  'not-found': ['not found', 'yellow'],
  'no-device': ['no device', undefined],
  failed: ['failed', 'red'],
};

/** A line for each entry, with its place; then problems of the lists. Without `verbose` only what is not simply there. */
export function bootListText(run: BootListRun, terminal: Terminal, verbose: boolean): string {
  const shown = run.results.filter(({ end }) => verbose || end !== 'present');
  const lines = shown.flatMap((result) => entryLines(result, terminal));
  const problems = run.problems.map(problemLine);
  const count = (end: BootListEnd) => run.results.filter((result) => result.end === end).length;
  const done = run.dryRun ? `${count('planned')} would be inserted` : `${count('inserted')} inserted`;
  const sum = `${counted(run.results.length, 'entry', 'entries')}: ${done}, ${count('present')} there already`;
  return `${[...lines, ...problems, sum].join('\n')}\n`;
}

function entryLines({ entry, end, why, evidence = [], remedy }: BootListResult, terminal: Terminal): readonly string[] {
  const [text, style] = WORDS[end];
  const word = text.padEnd(10);
  const name = readable(`${entry.name} ${entry.parameters}`.trim());
  const reason = why === undefined ? '' : `: ${readable(why)}`;
  // What went wrong stands at the end: it is broken, and never cut.
  const [first = '', ...more] = labelled(
    `${word} ${cell(name, 22)}`,
    `${readable(placeText(entry.place))}${reason}`,
    terminal,
    33,
  );
  return [
    (style === undefined ? word : paint(terminal, style, word)) + first.slice(word.length),
    ...more,
    ...evidence.flatMap((fact) => labelled('', readable(fact), terminal, 6)),
    ...(remedy === undefined ? [] : labelled('    →', readable(remedy), terminal, 6)),
  ];
}
