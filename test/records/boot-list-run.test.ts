import t from 'tap';
import type { Problem } from '../../agent/base/problem.ts';
import { hasFailedLists, type BootListEnd } from '../../agent/records/boot-list-run.ts';

const ROWS: ReadonlyArray<
  readonly [rule: string, ends: readonly BootListEnd[], code: Problem['code'] | undefined, failed: string]
> = [
  ['nothing', [], undefined, 'no no'],
  ['all is well', ['inserted', 'present', 'planned'], undefined, 'no no'],
  ['kept out or without a device', ['kept-out', 'no-device'], undefined, 'no no'],
  ['a name of nothing fails only a strict run', ['inserted', 'not-found'], undefined, 'no yes'],
  ['a refusal', ['failed', 'inserted'], undefined, 'yes yes'],
  ['a list that cannot be read', ['inserted'], 'unreadable', 'yes yes'],
  ['a list that is malformed fails only a strict run', [], 'malformed', 'no yes'],
];

for (const [rule, ends, code, failed] of ROWS) {
  t.test(rule, (t) => {
    const place = { file: 'F', line: 1 };
    const entry = { dialect: 'modules-load.d', place, name: 'a', parameters: '', initramfsOnly: false } as const;
    const run = {
      kernel: '1.0',
      dryRun: false,
      results: ends.map((end) => ({ entry, end, modules: [] })),
      problems: code === undefined ? [] : [{ ...place, column: 0, severity: 'error', code, message: '' } as const],
    };
    t.equal([false, true].map((strict) => (hasFailedLists(run, strict) ? 'yes' : 'no')).join(' '), failed);
    t.end();
  });
}
