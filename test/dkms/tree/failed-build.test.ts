import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';
import { failedBuild } from '../../../agent/dkms/tree/failed-build.ts';

const MODULE = { name: 'm', version: '1.0' };
const KERNEL = { release: '6.16.2', arch: 'x86_64' };
const HEAD = 'DKMS (dkms-3.4.3) make.log for m/1.0 for kernel 6.16.2 (x86_64)\nSat Nov 28 11:21:41 UTC 2026\n';

t.test('the log of the last build that failed', async (t) => {
  const trees = defaultTrees(t.testdir({}));
  t.equal(failedBuild(trees, MODULE, KERNEL), undefined, 'nothing was built');
  const folder = `${trees.dkmsTree}/m/1.0/build`;
  const log = `${folder}/make.log`;
  mkdirSync(folder, { recursive: true });
  t.equal(failedBuild(trees, MODULE, KERNEL), undefined, 'no log');
  writeFileSync(log, `${HEAD}${folder}/m.c:7:2: error: implicit declaration of function 'from_timer'\n`);
  t.match(failedBuild(trees, MODULE, KERNEL), {
    log,
    failure: { class: 'api-change', place: { file: 'm.c', line: 7 } },
  });
  t.equal(failedBuild(trees, MODULE, { ...KERNEL, release: '6.1.0' }), undefined, 'of another kernel');
  writeFileSync(log, `${HEAD}nothing that plugd knows\n`);
  t.same(failedBuild(trees, MODULE, KERNEL), { log, failure: undefined }, 'the log says nothing');
  writeFileSync(log, 'make: bc: No such file or directory\n');
  t.match(
    failedBuild(trees, MODULE, { ...KERNEL, release: '6.1.0' }),
    { failure: { class: 'missing-tool' } },
    'a log without a head counts for each kernel',
  );
});
