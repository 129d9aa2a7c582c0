import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { installedReleases, openHost } from '../../agent/base/host.ts';

/** A tree: a text is a file, null a folder, `→ TARGET` a link. */
function plant(t: Test, tree: Readonly<Record<string, string | null>>): string {
  const root = t.testdir({});
  for (const [path, content] of Object.entries(tree)) {
    const whole = join(root, path);
    mkdirSync(content === null ? whole : dirname(whole), { recursive: true });
    if (content?.startsWith('→ ') === true) symlinkSync(content.slice(2), whole);
    else if (content !== null) writeFileSync(whole, content);
  }
  return root;
}

const INSTALLED: ReadonlyArray<
  readonly [rule: string, tree: Readonly<Record<string, string | null>>, releases: readonly string[]]
> = [
  ['no folder of modules', {}, []],
  ['an empty one', { 'lib/modules': null }, []],
  ['in order of their names', { 'lib/modules/6.2': null, 'lib/modules/6.1': null }, ['6.1', '6.2']],
  ['those below /usr too', { 'lib/modules/6.2': null, 'usr/lib/modules/6.1': null }, ['6.1', '6.2']],
  ['one that is in both counts once', { 'lib/modules/6.1': null, 'usr/lib/modules/6.1': null }, ['6.1']],
  ['/lib that is a link to /usr/lib', { 'usr/lib/modules/6.1': null, lib: '→ /usr/lib' }, ['6.1']],
  ['a file is no release', { 'lib/modules/README': 'x', 'lib/modules/6.1': null }, ['6.1']],
  [
    'those of the systems of NixOS',
    {
      'run/booted-system/kernel-modules/lib/modules/6.6': null,
      'run/current-system/kernel-modules/lib/modules/6.12': null,
    },
    ['6.12', '6.6'],
  ],
  ['a link to a release is one', { 'lib/modules/6.1': null, 'lib/modules/now': '→ 6.1' }, ['6.1', 'now']],
  ['a link to what only the host has is none', { 'lib/modules/x': '→ /proc/self' }, []],
  ['/lib/modules that is a file', { 'lib/modules': 'x' }, []],
  ['a name that is not ASCII', { 'lib/modules/6.1-é': null }, ['6.1-é']],
];
for (const [rule, tree, releases] of INSTALLED) {
  t.test(`installed: ${rule}`, (t) => {
    t.same(installedReleases(plant(t, tree)), releases);
    t.end();
  });
}

t.test('without options it is the machine that runs', (t) => {
  const { root, kernel, moduleDir, sysfs, proc } = openHost();
  t.same({ root, kernel, sysfs, proc }, { root: '', kernel: release(), sysfs: '/sys', proc: '/proc' });
  t.ok([`/lib/modules/${release()}`, `/usr/lib/modules/${release()}`].includes(moduleDir), moduleDir);
  t.end();
});

t.test('the root / is the machine that runs', (t) => {
  t.same(openHost({ root: '/' }), openHost());
  t.end();
});

t.test('a release that is not installed still has a folder, where it would be', (t) => {
  t.equal(openHost({ kernel: '0.0-none' }).moduleDir, '/lib/modules/0.0-none');
  const root = plant(t, { 'usr/lib/modules/6.1': null });
  t.equal(openHost({ root, kernel: '6.2' }).moduleDir, `${root}/lib/modules/6.2`);
  t.end();
});

t.test('paths are made absolute, and a slash at the end of the root is dropped', (t) => {
  const root = plant(t, { 'lib/modules/6.1': null });
  const here = relative(process.cwd(), root);
  for (const given of [`${root}/`, `${root}//`, here, `${here}/`]) t.equal(openHost({ root: given }).root, root, given);
  const { sysfs, proc } = openHost({ root, sysfs: 'a/sys/', proc: './p' });
  t.same([sysfs, proc], [join(process.cwd(), 'a/sys'), join(process.cwd(), 'p')]);
  t.end();
});

const PROCS: ReadonlyArray<
  readonly [rule: string, root: boolean, proc: string | undefined, offline: boolean | 'recorded', expected: string]
> = [
  ['to act on a root is to ask the running kernel', true, undefined, false, '/proc'],
  ['a question about this machine', false, undefined, true, '/proc'],
  ['a question about a root', true, undefined, true, 'ROOT/proc'],
  ['a question about a recording', false, undefined, 'recorded', '/dev/null/proc'],
  ['a question about a recording and a root', true, undefined, 'recorded', 'ROOT/proc'],
  ['the procfs that is named counts', true, '/p', true, '/p'],
  ['the procfs that is named counts for a recording', false, '/p', 'recorded', '/p'],
];
for (const [rule, hasRoot, proc, offline, expected] of PROCS) {
  t.test(rule, (t) => {
    const root = plant(t, { 'lib/modules/6.1': null });
    const host = openHost({ root: hasRoot ? root : undefined, proc, offline });
    t.equal(host.proc, expected.replace('ROOT', root));
    t.end();
  });
}

const RELEASES: ReadonlyArray<
  readonly [
    rule: string,
    tree: Readonly<Record<string, string | null>>,
    given: string | undefined,
    kernel: string,
    moduleDir: string,
  ]
> = [
  ['the only one there is', { 'lib/modules/6.1': null }, undefined, '6.1', '/lib/modules/6.1'],
  ['below /usr', { 'usr/lib/modules/6.1': null }, undefined, '6.1', '/usr/lib/modules/6.1'],
  ['/lib before /usr', { 'lib/modules/6.1': null, 'usr/lib/modules/6.1': null }, undefined, '6.1', '/lib/modules/6.1'],
  ['the one that was named', { 'lib/modules/6.1': null, 'lib/modules/6.2': null }, '6.2', '6.2', '/lib/modules/6.2'],
  [
    'the one that runs, of several',
    { 'lib/modules/0.1': null, [`lib/modules/${release()}`]: null },
    undefined,
    release(),
    `/lib/modules/${release()}`,
  ],
  [
    'of the booted system (NixOS)',
    {
      'nix/store/k-modules/lib/modules/6.6': null,
      'nix/store/system/kernel-modules': '→ /nix/store/k-modules',
      'run/booted-system': '→ /nix/store/system',
    },
    undefined,
    '6.6',
    '/run/booted-system/kernel-modules/lib/modules/6.6',
  ],
  [
    'of the booted system (Guix)',
    {
      'gnu/store/k/lib/modules/6.6': null,
      'gnu/store/s/kernel': '→ /gnu/store/k',
      'run/booted-system': '→ /gnu/store/s',
    },
    undefined,
    '6.6',
    '/run/booted-system/kernel/lib/modules/6.6',
  ],
  [
    'the booted system before the current one',
    {
      'run/booted-system/kernel-modules/lib/modules/6.6': null,
      'run/current-system/kernel-modules/lib/modules/6.6': null,
    },
    '6.6',
    '6.6',
    '/run/booted-system/kernel-modules/lib/modules/6.6',
  ],
  [
    'only in the system for the next boot',
    {
      'run/booted-system/kernel-modules/lib/modules/6.6': null,
      'run/current-system/kernel-modules/lib/modules/6.12': null,
    },
    '6.12',
    '6.12',
    '/run/current-system/kernel-modules/lib/modules/6.12',
  ],
  [
    'a link of the booted system to the host',
    { 'run/booted-system': '→ /proc/self' },
    '6.6',
    '6.6',
    '/lib/modules/6.6',
  ],
  ['the one that runs, of none', {}, undefined, release(), `/lib/modules/${release()}`],
];
for (const [rule, tree, given, kernel, moduleDir] of RELEASES) {
  t.test(`the release of a root: ${rule}`, (t) => {
    const root = plant(t, tree);
    const host = openHost({ root, kernel: given });
    t.equal(host.kernel, kernel);
    t.equal(host.moduleDir, root + moduleDir);
    t.end();
  });
}

t.test('of several releases one must be named', (t) => {
  const root = plant(t, { 'lib/modules/0.1': null, 'usr/lib/modules/0.2': null });
  t.throws(() => openHost({ root }), {
    code: 'usage',
    message: `${root}/lib/modules holds several releases: 0.1, 0.2`,
    remedy: 'name one with --kernel',
  });
  t.end();
});

t.test('a root that is no folder is an error', (t) => {
  const root = plant(t, { file: 'x' });
  t.throws(() => openHost({ root: `${root}/file` }), {
    code: 'usage',
    message: `--root ${root}/file: not a directory`,
  });
  t.throws(() => openHost({ root: `${root}/none` }), { code: 'usage' });
  t.end();
});
