import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';
import { pendingReleases } from '../../../agent/dkms/install/pending-indexes.ts';
import type { DkmsOptions } from '../../../agent/dkms/run/dkms-options.ts';
import { DkmsSession, type SessionParts } from '../../../agent/dkms/run/session.ts';
import type { DkmsMessage } from '../../../agent/records/dkms/message.ts';

/** A session of two kernels with modules.dep; `noDepmod` is the option. */
function open(dir: string, noDepmod = false) {
  const trees = defaultTrees(dir);
  mkdirSync(trees.dkmsTree, { recursive: true });
  for (const release of ['6.1', '6.2']) {
    mkdirSync(`${trees.installTree}/${release}`, { recursive: true });
    writeFileSync(`${trees.installTree}/${release}/modules.dep`, '');
  }
  const told: DkmsMessage['kind'][] = [];
  const options = { noDepmod } as DkmsOptions;
  const session = new DkmsSession({
    trees,
    options,
    tell: ({ kind }) => told.push(kind),
  } as Partial<SessionParts> as SessionParts);
  // depmod puts new files into the place of the old ones.
  const written = (release: string) => statSync(`${trees.installTree}/${release}/modules.dep`).ino;
  return { trees, session, told, written };
}

t.test('one depmod for each kernel, at the end of a run with many modules', async (t) => {
  const { trees, session, told, written } = open(t.testdir());
  const before = ['6.1', '6.2'].map(written);
  session.depmodLater = true;
  for (const release of ['6.1', '6.2', '6.1', '6.1']) {
    session.willChange(release);
    t.ok(await session.depmod(release));
  }
  t.same(['6.1', '6.2'].map(written), before, 'none has run yet');
  t.same(
    told,
    Array.from({ length: 4 }, () => ['depmod', 'depmod-done']).flat(),
    'each module tells of one, as with dkms',
  );
  t.same(pendingReleases(trees.dkmsTree).toSorted(), ['6.1', '6.2'], 'a run that is cut off leaves the notes');
  t.ok(await session.finishDepmod());
  const after = ['6.1', '6.2'].map(written);
  t.notOk(after.some((inode, i) => inode === before[i]));
  t.same(pendingReleases(trees.dkmsTree), []);
  await session.finishDepmod();
  t.same(['6.1', '6.2'].map(written), after, 'once');
});

t.test('at once where one module is installed, and what a run that was cut off left', async (t) => {
  const { session, written, trees } = open(t.testdir());
  const before = written('6.1');
  await session.depmod('6.1');
  t.not(written('6.1'), before);
  session.willChange('6.2');
  const other = written('6.2');
  await session.catchUp();
  t.not(written('6.2'), other);
  t.same(pendingReleases(trees.dkmsTree), []);
});

t.test('none with --no-depmod', async (t) => {
  const { session, written, told, trees } = open(t.testdir(), true);
  const before = written('6.1');
  session.willChange('6.1');
  t.ok(await session.depmod('6.1'));
  t.equal(written('6.1'), before);
  t.same([told, pendingReleases(trees.dkmsTree)], [[], []]);
});
