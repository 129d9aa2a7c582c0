import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import t from 'tap';
import {
  buildsOf,
  installedVersion,
  isBuilt,
  isInstalled,
  registeredModules,
  registrationOf,
} from '../../../agent/dkms/tree/registry.ts';

const KERNEL = { release: '6.1.0-1-amd64', arch: 'x86_64' };
const MODULE = { name: 'demo', version: '1.0' };

function trees(dir: string) {
  return { dkmsTree: `${dir}/dkms`, sourceTree: `${dir}/src`, installTree: `${dir}/modules` };
}

function add(dir: string, name: string, version: string): void {
  mkdirSync(`${dir}/src/${name}-${version}`, { recursive: true });
  mkdirSync(`${dir}/dkms/${name}/${version}`, { recursive: true });
  symlinkSync(`${dir}/src/${name}-${version}`, `${dir}/dkms/${name}/${version}/source`);
}

function build(dir: string, name: string, version: string, release = KERNEL.release): void {
  mkdirSync(`${dir}/dkms/${name}/${version}/${release}/x86_64/module`, { recursive: true });
}

t.test('what a version is', async (t) => {
  const dir = t.testdir();
  const at = trees(dir);
  t.equal(registrationOf(at, MODULE), undefined, 'nothing is there');
  add(dir, 'demo', '1.0');
  t.equal(registrationOf(at, MODULE), 'added', 'a link that leads to the sources');
  rmSync(`${dir}/src/demo-1.0`, { recursive: true });
  t.equal(registrationOf(at, MODULE), 'broken', 'a link that leads nowhere');
  rmSync(`${dir}/dkms/demo/1.0/source`);
  t.equal(registrationOf(at, MODULE), undefined, 'neither link nor sources');
  mkdirSync(`${dir}/src/demo-1.0`);
  t.equal(registrationOf(at, MODULE), 'broken', 'sources without a link');
  mkdirSync(`${dir}/dkms/demo/1.0/source`);
  t.equal(registrationOf(at, MODULE), 'added', 'a folder in the place of the link, as from a binaries-only archive');
  t.equal(registrationOf(at, { name: '', version: '' }), undefined, 'no name');
});

t.test('what is registered, built and installed', async (t) => {
  const dir = t.testdir();
  const at = trees(dir);
  t.same(registeredModules(at), [], 'a tree that is missing');
  for (const [name, version] of [
    ['demo', '2.0'],
    ['demo', '1.0'],
    ['other', '1'],
  ] as const)
    add(dir, name, version);
  mkdirSync(`${dir}/dkms/demo/original_module/${KERNEL.release}/x86_64`, { recursive: true });
  t.same(
    registeredModules(at).map(({ name, version }) => `${name}/${version}`),
    ['demo/1.0', 'demo/2.0', 'other/1'],
  );
  t.same(registeredModules(at, 'other'), [{ name: 'other', version: '1' }], 'one module');
  t.same(buildsOf(at, MODULE), [], 'no build');
  build(dir, 'demo', '1.0');
  build(dir, 'demo', '1.0', '5.10.0-1');
  build(dir, 'demo', '1.0', 'tarball');
  t.ok(isBuilt(at, MODULE, KERNEL));
  t.notOk(isInstalled(at, MODULE, KERNEL), 'a build is not an installation');
  symlinkSync(`1.0/${KERNEL.release}/x86_64`, `${dir}/dkms/demo/kernel-${KERNEL.release}-x86_64`);
  t.ok(isInstalled(at, MODULE, KERNEL), 'the link leads to the build');
  t.equal(installedVersion(at, 'demo', KERNEL), '1.0');
  build(dir, 'demo', '2.0');
  t.notOk(isInstalled(at, { name: 'demo', version: '2.0' }, KERNEL), 'the link leads to another version');
  t.same(
    buildsOf(at, MODULE).map(({ kernel, installed, originals }) => [kernel.release, installed, originals]),
    [
      ['5.10.0-1', false, false],
      [KERNEL.release, true, true],
    ],
    'only folders that a kernel can be named by count',
  );
});
