import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { diskUse } from '../../../agent/dkms/build/build-folder.ts';
import { findFaults } from '../../../agent/dkms/tree/tree-check.ts';

t.test('each fault of a tree', async (t) => {
  const dir = t.testdir();
  const trees = { dkmsTree: `${dir}/dkms`, sourceTree: `${dir}/src`, installTree: `${dir}/modules` };
  t.same(findFaults(trees), [], 'a tree that is missing');
  const version = `${dir}/dkms/demo/1.0`;
  mkdirSync(`${dir}/src/demo-1.0`, { recursive: true });
  mkdirSync(`${dir}/modules/6.1.0-1`, { recursive: true });
  mkdirSync(`${version}/6.1.0-1/x86_64/module`, { recursive: true });
  symlinkSync(`${dir}/src/demo-1.0`, `${version}/source`);
  symlinkSync('1.0/6.1.0-1/x86_64', `${dir}/dkms/demo/kernel-6.1.0-1-x86_64`);
  t.same(findFaults(trees), [], 'a tree in order');
  mkdirSync(`${version}/6.1.0-1/i686`);
  mkdirSync(`${version}/6.1.0-1/.tmp_x86_64_abcdef`);
  mkdirSync(`${version}/5.10.0-1/x86_64/module`, { recursive: true });
  writeFileSync(`${version}/5.10.0-1/x86_64/module/demo.ko`, 'x'.repeat(100_000));
  symlinkSync('1.0/4.19.0-1/x86_64', `${dir}/dkms/demo/kernel-4.19.0-1-x86_64`);
  mkdirSync(`${dir}/src/other-2`);
  mkdirSync(`${dir}/dkms/other/2`, { recursive: true });
  const faults = findFaults(trees);
  t.same(
    faults.map(({ kind, path }) => [kind, path.slice(dir.length)]),
    [
      ['stale-link', '/dkms/demo/kernel-4.19.0-1-x86_64'],
      ['kernel-gone', '/dkms/demo/1.0/5.10.0-1/x86_64'],
      ['leftover', '/dkms/demo/1.0/6.1.0-1/.tmp_x86_64_abcdef'],
      ['half-build', '/dkms/demo/1.0/6.1.0-1/i686'],
      ['broken', '/dkms/other/2'],
    ],
  );
  const gone = faults.find(({ kind }) => kind === 'kernel-gone');
  t.ok(gone?.kind === 'kernel-gone' && gone.bytes >= 100_000, 'with what it takes of the disk');
  t.ok(existsSync(`${version}/5.10.0-1/x86_64/module/demo.ko`), 'looking changes nothing');
});

t.test('the size of what is not there', async (t) => {
  t.equal(diskUse('/nonexistent/path'), 0);
});
