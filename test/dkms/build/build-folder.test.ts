import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { diskUse, fillBuildFolder, overlayPatches } from '../../../agent/dkms/build/build-folder.ts';

t.test('the source is copied, and nothing in the copy leads out to a file', async (t) => {
  const dir = t.testdir({ source: { 'm.c': 'own', sub: { 'a.h': 'a' } }, elsewhere: { 'e.c': 'theirs', folder: {} } });
  const [source, build] = [join(dir, 'source'), join(dir, 'build')];
  symlinkSync('m.c', join(source, 'inside.c'));
  symlinkSync('../elsewhere/e.c', join(source, 'outside.c'));
  symlinkSync('../elsewhere/folder', join(source, 'headers'));
  symlinkSync('/nonexistent', join(source, 'dangling'));
  spawnSync('mkfifo', [join(source, 'pipe')]);
  mkdirSync(build);
  writeFileSync(join(build, 'left'), 'of a build before');
  t.same(await fillBuildFolder(source, build), { kind: 'copied' });
  t.equal(readFileSync(join(build, 'sub/a.h'), 'utf8'), 'a');
  t.equal(readlinkSync(join(build, 'inside.c')), 'm.c', 'a link inside stays');
  t.ok(lstatSync(join(build, 'outside.c')).isFile(), 'a link to a file elsewhere becomes that file');
  writeFileSync(join(build, 'outside.c'), 'changed by make');
  t.equal(readFileSync(join(dir, 'elsewhere/e.c'), 'utf8'), 'theirs');
  t.ok(lstatSync(join(build, 'headers')).isSymbolicLink(), 'a link to a folder stays');
  t.ok(lstatSync(join(build, 'dangling')).isSymbolicLink(), 'so does one that leads nowhere');
  t.equal(lstatSync(join(build, 'pipe'), { throwIfNoEntry: false }), undefined, 'a pipe goes');
  t.equal(lstatSync(join(build, 'left'), { throwIfNoEntry: false }), undefined, 'and what was there before');
});

t.test('what cp cannot do is said', async (t) => {
  const dir = t.testdir({ source: 'a file' });
  const failed = await fillBuildFolder(join(dir, 'source'), join(dir, 'build'));
  t.match(failed, { kind: 'failed', why: /cp: / });
  await t.rejects(fillBuildFolder(join(dir, 'nothing'), join(dir, 'build')), { code: 'ENOENT' });
});

t.test("the administrator's patches are laid over those of the source", async (t) => {
  const dir = t.testdir({
    build: { patches: { 'a.patch': 'old', 'b.patch': 'own' } },
    overlay: { 'a.patch': 'new' },
    outside: {},
    linked: {},
  });
  t.same(await overlayPatches(join(dir, 'nothing'), join(dir, 'build')), { kind: 'copied' }, 'there may be none');
  t.same(await overlayPatches(join(dir, 'overlay'), join(dir, 'build')), { kind: 'copied' });
  t.equal(readFileSync(join(dir, 'build/patches/a.patch'), 'utf8'), 'new');
  t.equal(readFileSync(join(dir, 'build/patches/b.patch'), 'utf8'), 'own');
  symlinkSync('../outside', join(dir, 'linked/patches'));
  await overlayPatches(join(dir, 'overlay'), join(dir, 'linked'));
  t.ok(lstatSync(join(dir, 'linked/patches')).isDirectory(), 'a link in their place is replaced, not followed');
  t.equal(lstatSync(join(dir, 'outside/a.patch'), { throwIfNoEntry: false }), undefined);
});

t.test('how much disk a folder takes', async (t) => {
  const dir = t.testdir({ folder: { a: 'x'.repeat(100_000), sub: { b: 'y' } }, empty: {} });
  symlinkSync('/usr', join(dir, 'folder/link'));
  symlinkSync('..', join(dir, 'folder/sub/up'));
  const use = diskUse(join(dir, 'folder'));
  t.ok(use >= 100_000 && use < 1_000_000, `${use} bytes: links are not followed`);
  t.equal(diskUse(join(dir, 'nothing')), 0);
});
