/** The text of `plugd load --boot-lists`. Builds text only. */
import { placeText, counted } from '../../base/words.ts';
import type { BootListEnd, BootListResult, BootListRun } from '../../records/boot-list-run.ts';
import { cell, labelled } from '../layout.ts';
import { problemLine } from '../problem-line.ts';
import { fit, paint, readable, type Style, type Terminal } from '../terminal.ts';

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
  const word = style === undefined ? text.padEnd(10) : paint(terminal, style, text.padEnd(10));
  const name = readable(`${entry.name} ${entry.parameters}`.trim());
  const reason = why === undefined ? '' : `: ${readable(why)}`;
  const line = `${word} ${cell(name, 22)}${readable(placeText(entry.place))}${reason}`;
  return [
    // Colours take no room.
    fit(line, Math.max(terminal.width, 80) + word.length - text.padEnd(10).length),
    ...evidence.flatMap((fact) => labelled('', readable(fact), terminal, 6)),
    ...(remedy === undefined ? [] : labelled('    →', readable(remedy), terminal, 6)),
  ];
}
