import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { DkmsOptions } from '../../../agent/dkms/run/dkms-options.ts';
import { pruneTree, tellLog } from '../../../agent/dkms/run/maintenance.ts';
import { RUNNING, SessionRig } from './session-rig.ts';

const MODULE = { name: 'm', version: '1.0' };
/** A tree with m/1.0 in it, built for these kernels, of which the first is there. */
function open(dir: string, built: readonly string[], options: Partial<DkmsOptions> = {}) {
  const rig = new SessionRig(dir);
  rig.add('m', '1.0');
  const base = `${rig.trees.dkmsTree}/m/1.0`;
  mkdirSync(`${base}/build`);
  for (const release of built) {
    rig.build('m', '1.0', '', release);
    mkdirSync(`${base}/${release}/x86_64/log`);
    writeFileSync(`${base}/${release}/x86_64/log/make.log`, `of ${release}\n`);
  }
  mkdirSync(`${rig.trees.installTree}/${built[0] ?? RUNNING.release}/kernel`, { recursive: true });
  return { session: rig.session(options), told: rig.told, base };
}

t.test('the log of the build that failed, and why it did', async (t) => {
  const { session, told, base } = open(t.testdir(), ['5.10.0-1-amd64']);
  const head = 'DKMS (dkms-3.4.3) make.log for m/1.0 for kernel 6.16.2 (x86_64)\n';
  const text = `${head}${base}/build/m.c:7:2: error: implicit declaration of function 'from_timer'\n`;
  writeFileSync(`${base}/build/make.log`, text);
  t.equal(tellLog(session, MODULE), 0);
  t.match(told, [
    { kind: 'log', path: `${base}/build/make.log`, text },
    { kind: 'explanation', kernel: '6.16.2', failure: { place: { file: 'm.c', line: 7 }, change: { since: '6.16' } } },
  ]);
});

t.test('which log, where none failed', async (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, built: readonly string[], kernels: readonly string[], text: string | undefined]
  > = [
    ['none', [], [], undefined],
    ['the only one', ['5.10.0-1'], [], 'of 5.10.0-1\n'],
    ['the last of several', ['5.10.0-1', '6.1.0-1'], [], 'of 6.1.0-1\n'],
    ['that of the kernel', ['5.10.0-1', '6.1.0-1'], ['5.10.0-1'], 'of 5.10.0-1\n'],
    ['not that of another', ['5.10.0-1'], ['6.1.0-1'], undefined],
  ];
  for (const [rule, built, kernels, text] of rows) {
    await t.test(rule, async (t) => {
      const { session, told } = open(t.testdir(), built, { kernels });
      t.equal(tellLog(session, MODULE), text === undefined ? 1 : 0);
      t.match(told, [text === undefined ? { kind: 'no-log', module: 'm/1.0' } : { kind: 'log', text }]);
      t.equal(told.length, 1, 'and no explanation');
    });
  }
});

t.test('builds for kernels that are gone', async (t) => {
  for (const dryRun of [true, false]) {
    const { session, told } = open(t.testdir(), ['6.1.0-1', '5.10.0-1'], { dryRun });
    t.equal(pruneTree(session), 0);
    t.match(told, [
      { kind: 'pruned', module: 'm/1.0', release: '5.10.0-1', done: !dryRun },
      { kind: 'pruned-all', done: !dryRun },
    ]);
    told.length = 0;
    pruneTree(session);
    t.equal(told.length, dryRun ? 2 : 1, dryRun ? 'a look changes nothing' : 'they are gone');
  }
});
