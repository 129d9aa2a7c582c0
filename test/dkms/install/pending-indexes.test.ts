import { writeFileSync } from 'node:fs';
import t from 'tap';
import { clearPending, hasIndexes, notePending, pendingReleases } from '../../../agent/dkms/install/pending-indexes.ts';

t.test('the kernels for which depmod has yet to run', async (t) => {
  const dir = t.testdir({ m: {} });
  t.same(pendingReleases(dir), []);
  for (const release of ['6.1.0', '6.2.0-rc1+', '6.1.0']) notePending(dir, release);
  t.same(pendingReleases(dir).toSorted(), ['6.1.0', '6.2.0-rc1+'], 'each once');
  clearPending(dir, '6.1.0');
  clearPending(dir, '6.1.0');
  t.same(pendingReleases(dir), ['6.2.0-rc1+']);
  t.notOk(hasIndexes(dir));
  writeFileSync(`${dir}/modules.dep`, '');
  t.ok(hasIndexes(dir));
});
