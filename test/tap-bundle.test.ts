import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundleTap } from './tap-bundle.ts';

const root = join(import.meta.dirname, '../..');

const PROGRAM = `import t from 'tap';
t.test('inner', (t) => { t.same([1], [1]); t.equal(1, 2, 'a failure'); t.end(); });
`;

t.test('the bundle is found before the package, and is made once for a version', async (t) => {
  const base = t.testdir({ dist: { test: { 'x.mjs': PROGRAM } } });
  symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'));
  await bundleTap(base);
  const file = join(base, 'dist/node_modules/tap/index.js');
  const run = () => spawnSync(process.execPath, ['dist/test/x.mjs'], { cwd: base, encoding: 'utf8' });
  const { status, stdout } = run();
  t.equal(status, 1, 'a failing test fails');
  t.match(stdout, /ok 1 - should be equivalent\n\s+not ok 2 - a failure\n/);
  t.match(stdout, /dist\/node_modules\/tap\/bundle\.cjs/, 'by the bundle, as its frames tell');
  writeFileSync(file, 'throw new Error("kept")');
  await bundleTap(base);
  t.equal(readFileSync(file, 'utf8'), 'throw new Error("kept")', 'it is there already');
  writeFileSync(join(base, 'dist/node_modules/tap/package.json'), '{"version":"0"}');
  await bundleTap(base);
  t.equal(run().status, 1);
  t.match(run().stdout, /not ok 2 - a failure/, 'another version is replaced');
  mkdirSync(join(base, 'empty'));
  await t.rejects(bundleTap(join(base, 'empty')), { code: 'ENOENT' }, 'without the package there is nothing to bundle');
});
