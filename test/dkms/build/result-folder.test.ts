import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { buildPaths } from '../../../agent/dkms/build/build-paths.ts';
import { openResultFolder, recoverResult } from '../../../agent/dkms/build/result-folder.ts';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';

function rig(t: Test, before: boolean) {
  const paths = buildPaths(defaultTrees(t.testdir()), 'm', '1.0', { release: '6.1.0', arch: 'x86_64' });
  if (before) mkdirSync(paths.result, { recursive: true });
  if (before) writeFileSync(`${paths.result}/text`, 'old');
  const result = openResultFolder(paths, 'x86_64');
  writeFileSync(`${result.modules}/../text`, 'new');
  const text = () => (existsSync(paths.result) ? readFileSync(`${paths.result}/text`, 'utf8') : undefined);
  const beside = () => (existsSync(paths.kernel) ? readdirSync(paths.kernel).filter((name) => name !== 'x86_64') : []);
  return { paths, result, text, beside };
}

/** What is done with a result, and what lies in its place then: where one was before, and where none was. */
const ROWS: ReadonlyArray<
  readonly [rule: string, steps: ReadonlyArray<'publish' | 'keep' | 'drop'>, over: string, fresh: string | undefined]
> = [
  ['until it is published, the one before is there', [], 'old', undefined],
  ['published', ['publish'], 'new', 'new'],
  ['kept', ['publish', 'keep'], 'new', 'new'],
  ['dropped before it was published', ['drop'], 'old', undefined],
  ['dropped after it was published', ['publish', 'drop'], 'old', undefined],
];
for (const [rule, steps, over, fresh] of ROWS) {
  t.test(rule, async (t) => {
    for (const [before, wanted] of [
      [true, over],
      [false, fresh],
    ] as const) {
      const { paths, result, text, beside } = rig(t, before);
      for (const step of steps) result[step]();
      t.equal(text(), wanted);
      const kept = steps.at(-1) === 'keep' || steps.at(-1) === 'drop';
      if (kept) t.same(beside(), [], 'nothing is left');
      // As the next run finds it if this one was killed here.
      recoverResult(paths, 'x86_64');
      t.equal(text(), wanted, 'the next run leaves it');
      t.same(beside(), [], 'and removes what is left');
    }
  });
}
