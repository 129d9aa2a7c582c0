import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { OsRelease } from '../../../agent/facts/config/os-release.ts';
import { hasHeaders, headersPackage, headersRefusal } from '../../../agent/dkms/build/headers.ts';

const debian: OsRelease = { id: 'debian', like: [] };

t.test('the package with the headers', async (t) => {
  const rows: ReadonlyArray<readonly [os: OsRelease, kernel: string, name: string | undefined]> = [
    [debian, '6.1.0-56-amd64', 'linux-headers-6.1.0-56-amd64'],
    [{ id: 'linuxmint', like: ['ubuntu', 'debian'] }, '6.8.0-31-generic', 'linux-headers-6.8.0-31-generic'],
    [{ id: 'fedora', like: [] }, '6.12.4-200.fc41.x86_64', 'kernel-devel-6.12.4-200.fc41.x86_64'],
    [{ id: 'opensuse-leap', like: ['suse', 'opensuse'] }, '6.4.0-150600.21-default', 'kernel-default-devel'],
    [{ id: 'arch', like: [] }, '6.12.4-arch1-1', 'linux-headers'],
    [{ id: 'arch', like: [] }, '6.6.65-1-lts', 'linux-lts-headers'],
    [{ id: 'gentoo', like: [] }, '6.6.65-gentoo-dist', undefined],
    [{ id: '', like: [] }, '6.1.0', undefined],
  ];
  for (const [os, kernel, name] of rows) t.equal(headersPackage(os, kernel), name, `${os.id} ${kernel}`);
});

t.test('headers are there when include/ is', async (t) => {
  const home = t.testdir({ modules: { '6.1.0': { build: { include: {} } }, '6.2.0': {} } });
  const modules = join(home, 'modules');
  const refusal = (release: string, container = false) =>
    headersRefusal({ release, sourceDir: `${modules}/${release}/build` }, { installTree: modules }, debian, container);
  t.same(refusal('6.1.0'), []);
  symlinkSync('/nowhere/linux-headers-6.2.0', join(modules, '6.2.0/build'));
  t.match(refusal('6.2.0'), [
    { kind: 'headers-missing', kernel: '6.2.0', source: `${modules}/6.2.0/source` },
    { kind: 'headers-hint', package: 'linux-headers-6.2.0', dangling: { target: '/nowhere/linux-headers-6.2.0' } },
  ]);
  t.match(refusal('6.2.0').at(-1), { mounts: [] });
  t.match(refusal('6.2.0', true).at(-1), { mounts: ['/nowhere/linux-headers-6.2.0'] }, 'a container');
  mkdirSync(join(modules, 'plain'));
  t.notOk(hasHeaders(join(modules, 'plain')));
});
