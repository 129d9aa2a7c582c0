/** `dkms` on a made-up system, from sources to installed modules and back. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { needCommands } from '../../fixtures/commands.ts';
import { ARCH, contents, KERNEL, OTHER, plugd, system } from './made-up-system.ts';

const tools = await needCommands(['make', 'gzip']);
t.setTimeout(1_200_000);
const skip = tools.kind === 'missing' ? tools.sentence : false;

t.test('from sources to an installed module, and back', { skip }, async (t) => {
  const { dir, run, source, read, status } = system(t);
  const given = source('demo', '1.0');
  t.equal(run('add', given).status, 0);
  t.equal(readlinkSync(`${dir}/var/lib/dkms/demo/1.0/source`), `${dir}/usr/src/demo-1.0`);
  t.equal(status(), 'demo/1.0: added\n');
  const built = run('build', 'demo/1.0', '-k', KERNEL);
  t.equal(built.status, 0, built.error);
  t.match(built.out, /Building module\(s\)\.+ done\.\n/);
  t.equal(status(), `demo/1.0, ${KERNEL}, ${ARCH}: built\n`);
  const installed = run('install', 'demo/1.0', '-k', KERNEL);
  t.equal(installed.status, 0, installed.error);
  t.equal(installed.out, `Installing ${dir}/lib/modules/${KERNEL}/updates/dkms/demo.ko\nRunning depmod... done.\n`);
  t.equal(status(), `demo/1.0, ${KERNEL}, ${ARCH}: installed\n`);
  t.match(read(`lib/modules/${KERNEL}/modules.alias`), /^alias demo:demo demo$/m, 'depmod ran');
  const removed = run('remove', 'demo/1.0', '--all');
  t.equal(removed.status, 0, removed.error);
  t.match(removed.out, /Deleting module demo\/1\.0 completely from the DKMS tree\.\n$/);
  t.equal(status(), '');
  t.same(readdirSync(`${dir}/var/lib/dkms`), ['.plugd-lock'], 'nothing is left');
  t.notOk(existsSync(`${dir}/lib/modules/${KERNEL}/updates`), 'nor an empty folder');
  t.notMatch(read(`lib/modules/${KERNEL}/modules.alias`), /demo/, 'depmod ran again');
});

t.test("a module of the kernel's own stays in its place, since depmod passes it over", { skip }, async (t) => {
  const { dir, run, source, read } = system(t);
  const ended = run('install', source('own', '1.0'), '-k', KERNEL);
  t.equal(ended.status, 0, ended.error);
  t.ok(existsSync(`${dir}/lib/modules/${KERNEL}/kernel/own.ko`));
  t.match(read(`lib/modules/${KERNEL}/modules.dep`), /^updates\/dkms\/own\.ko:$/m, 'the new one wins');
});

t.test('several kernels: all are tried, and the first failure counts', { skip }, async (t) => {
  const { run, source, status } = system(t, [KERNEL, OTHER]);
  const ended = run('install', source('demo', '1.0'), '-k', OTHER, '-k', KERNEL);
  t.not(ended.status, 0, 'the module was built for another kernel than the first');
  t.match(ended.error, new RegExp(`built for ${KERNEL}, wanted ${OTHER}`));
  t.equal(status(), `demo/1.0, ${KERNEL}, ${ARCH}: installed\n`, 'the second one has it');
});

t.test('autoinstall: what others need first, each verdict, one depmod', { skip }, async (t) => {
  const { dir, run, source, status } = system(t);
  run('add', source('a-needs-z', '1.0', 'BUILD_DEPENDS="z"'));
  run('add', source('z', '1.0'));
  run('add', source('never', '1.0', 'BUILD_EXCLUSIVE_ARCH="none"'));
  run('add', source('bad', '1.0', 'MAKE="false"'));
  run('add', source('manual', '1.0', 'AUTOINSTALL="no"'));
  const ended = run('autoinstall', '-k', KERNEL);
  t.equal(ended.status, 11);
  t.match(ended.out, new RegExp(`^Autoinstall on ${KERNEL} succeeded for module\\(s\\) z a-needs-z\\.$`, 'm'));
  t.match(ended.out, new RegExp(`^Autoinstall on ${KERNEL} was skipped for module\\(s\\) never\\.$`, 'm'));
  t.match(ended.out, new RegExp(`^Autoinstall on ${KERNEL} failed for module\\(s\\) bad\\(10\\)\\.$`, 'm'));
  t.match(status(), /^manual\/1\.0: added$/m);
  const dep = readFileSync(`${dir}/lib/modules/${KERNEL}/modules.dep`, 'utf8');
  for (const name of ['z', 'a-needs-z']) t.match(dep, new RegExp(`^updates/dkms/${name}\\.ko:`, 'm'));
});

t.test('names that would leave the tree', { skip }, async (t) => {
  const { dir, run } = system(t);
  for (const [name, version] of [
    ['../../evil', '1'],
    ['evil', '../../../etc'],
    ['.', '1'],
  ] as const) {
    const folder = `${dir}/given/hostile`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      `${folder}/dkms.conf`,
      `PACKAGE_NAME=$'${name}'\nPACKAGE_VERSION=$'${version}'\nDEST_MODULE_LOCATION=/extra\n`,
    );
    const ended = run('add', folder);
    t.equal(ended.status, 8, name);
    t.match(ended.error, /would lead out of its folder/, name);
  }
  t.equal(run('add', '-m', '../x', '-v', '1').status, 8, 'on the command line');
  t.same(
    readdirSync(`${dir}/var/lib/dkms`).filter((entry) => !entry.startsWith('.')),
    [],
  );
  t.same(readdirSync(`${dir}/usr/src`), []);
});

t.test('archives: what one holds another system gets, and none writes outside', { skip }, async (t) => {
  const { dir, run, source, status } = system(t);
  t.equal(run('build', source('demo', '1.0'), '-k', KERNEL).status, 0);
  const archive = `${dir}/demo.dkms.tar.gz`;
  const made = run('mktarball', 'demo/1.0', '--archive', archive);
  t.equal(made.status, 0, made.error);
  run('remove', 'demo/1.0', '--all');
  rmSync(`${dir}/usr/src/demo-1.0`, { recursive: true });
  const loaded = run('ldtarball', '--archive', archive);
  t.equal(loaded.status, 0, loaded.error);
  t.equal(status(), `demo/1.0, ${KERNEL}, ${ARCH}: built\n`);
  for (const target of ['/etc/passwd', '../../../outside']) {
    const folder = `${dir}/given/bad`;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(`${folder}/dkms_source_tree`, { recursive: true });
    mkdirSync(`${folder}/dkms_main_tree`);
    writeFileSync(`${folder}/dkms_source_tree/dkms.conf`, 'PACKAGE_NAME=bad\nPACKAGE_VERSION=1\n');
    symlinkSync(target, `${folder}/dkms_source_tree/link`);
    spawnSync('tar', ['-C', folder, '-cf', `${dir}/bad.tar`, '.']);
    const ended = run('ldtarball', '--archive', `${dir}/bad.tar`);
    t.equal(ended.status, 7, target);
    t.match(ended.error, /its member dkms_source_tree\/link is a link to/);
    t.notOk(existsSync(`${dir}/var/lib/dkms/bad`));
  }
});

t.test('a tree that is out of order is put right', { skip }, async (t) => {
  const { dir, run, source, status } = system(t);
  run('install', source('demo', '1.0'), '-k', KERNEL);
  t.equal(run('check').out, 'The tree is in order.\n');
  rmSync(`${dir}/lib/modules/${KERNEL}/updates/dkms/demo.ko`);
  mkdirSync(`${dir}/var/lib/dkms/demo/1.0/${KERNEL}/.tmp_x86_64_abcdef`);
  const found = run('check');
  t.equal(found.status, 1);
  t.match(found.out, /\.tmp_x86_64_abcdef: left by a build that was cut off\n/);
  t.match(found.out, /another module than the one that was built\n/);
  const repaired = run('check', '--repair');
  t.equal(repaired.status, 0, repaired.out + repaired.error);
  t.equal(run('check').out, 'The tree is in order.\n');
  t.equal(status(), `demo/1.0, ${KERNEL}, ${ARCH}: installed\n`);
  rmSync(`${dir}/lib/modules/${KERNEL}`, { recursive: true });
  t.match(run('prune', '-n').out, /would be freed\.\n$/);
  t.equal(run('prune').status, 0);
  t.equal(status(), 'demo/1.0: added\n');
});

t.test('two at once wait for each other', { skip }, async (t) => {
  const { dir, source, status } = system(t);
  const words = (name: string) => [plugd, 'dkms', 'install', source(name, '1.0'), '-k', KERNEL, '--root', dir];
  const children = ['one', 'two', 'three'].map((name) => spawn(process.execPath, words(name), { stdio: 'ignore' }));
  const statuses = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
  t.same(statuses, [0, 0, 0]);
  t.equal(status(), ['one', 'three', 'two'].map((name) => `${name}/1.0, ${KERNEL}, ${ARCH}: installed\n`).join(''));
});

t.test('killed at any moment, the next run makes what an undisturbed one would have made', { skip }, async (t) => {
  const undisturbed = system(t);
  undisturbed.run('install', undisturbed.source('demo', '1.0'), '-k', KERNEL);
  const wanted = contents(`${undisturbed.dir}/lib/modules`);
  const disturbed = system(t);
  const { dir } = disturbed;
  const given = disturbed.source('demo', '1.0');
  for (let i = 0; i < 12; i++) {
    const command = [plugd, 'dkms', 'install', given, '-k', KERNEL, '--root', dir];
    const child = spawn(process.execPath, command, { stdio: 'ignore', detached: true });
    const timer = setTimeout(() => child.kill('SIGKILL'), 40 + i * 60);
    await once(child, 'exit');
    clearTimeout(timer);
    const ended = disturbed.run('install', 'demo/1.0', '-k', KERNEL);
    if (ended.status !== 0 && /not located|does not exist/.test(ended.error))
      disturbed.run('install', given, '-k', KERNEL);
    t.same(contents(`${dir}/lib/modules`), wanted, `after a kill ${40 + i * 60} ms into it`);
    t.equal(disturbed.run('remove', 'demo/1.0', '--all').status, 0);
    rmSync(`${dir}/usr/src/demo-1.0`, { recursive: true, force: true });
  }
});

t.test('a removal that is killed is finished by the next one', { skip }, async (t) => {
  const { dir, run, source } = system(t);
  const given = source('demo', '1.0');
  run('install', given, '-k', KERNEL);
  run('remove', 'demo/1.0', '--all');
  const wanted = contents(`${dir}/lib/modules`);
  for (let i = 0; i < 8; i++) {
    t.equal(run('install', given, '-k', KERNEL).status, 0);
    const command = [plugd, 'dkms', 'remove', 'demo/1.0', '--all', '--root', dir];
    const child = spawn(process.execPath, command, { stdio: 'ignore', detached: true });
    const timer = setTimeout(() => child.kill('SIGKILL'), 60 + i * 30);
    await once(child, 'exit');
    clearTimeout(timer);
    t.match(run('remove', 'demo/1.0', '--all').status?.toString() ?? '', /^[03]$/, 'it is removed, or was');
    t.same(contents(`${dir}/lib/modules`), wanted, `after a kill ${60 + i * 30} ms into it`);
  }
});

t.test("what Debian's packages call", { skip }, async (t) => {
  const { dir, run, source, status } = system(t);
  const folder = source('demo', '1.0');
  mkdirSync(dirname(`${dir}/usr/src/demo-1.0`), { recursive: true });
  spawnSync('cp', ['-a', folder, `${dir}/usr/src/demo-1.0`]);
  t.equal(run('package_postinst').status, 1, 'without a name');
  t.equal(run('package_postinst', '../..', '1.0').status, 8, 'a name that leads out of the tree');
  const configured = run('package_postinst', 'demo', '1.0', '/usr/share/demo', '', '');
  t.equal(configured.status, 0, configured.error);
  t.match(configured.out, /^Loading new demo\/1\.0 DKMS files\.\.\.$/m);
  t.match(configured.out, new RegExp(`^Building for ${KERNEL}$`, 'm'));
  t.equal(status(), `demo/1.0, ${KERNEL}, ${ARCH}: installed\n`);
  const again = run('package_postinst', 'demo', '1.0', '/usr/share/demo', '', '1.0');
  t.match(again.out, /^Removing old demo\/1\.0 DKMS files\.\.\.$/m);
});
