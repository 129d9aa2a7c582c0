/** `dkms --dry-run` says what the same run without it does, and changes nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { needCommands } from '../../fixtures/commands.ts';
import { ARCH, contents, KERNEL, OTHER, system } from './made-up-system.ts';

const tools = await needCommands(['make', 'gcc']);
t.setTimeout(1_200_000);
const skip = tools.kind === 'missing' ? tools.sentence : false;
const line = (module: string, rest: string, release = KERNEL) => `${module}, ${release}, ${ARCH}: ${rest}\n`;

t.test('one module, step by step', { skip }, async (t) => {
  const { dir, run, source } = system(t);
  const given = source('demo', '1.0');
  const end = (working: number, blocked = 0) =>
    `1 to look at, ${working} to do, ${blocked} that cannot be done. Nothing was changed.\n`;
  const plan = (status: number, rest: string, ...words: readonly string[]) => {
    const before = contents(dir);
    const ended = run(...words, '-n');
    t.equal(
      ended.out,
      line('demo/1.0', rest) + end(/: nothing:/.test(`: ${rest}`) ? 0 : 1, status === 0 ? 0 : 1),
      words.join(' '),
    );
    t.equal(ended.error, '', words.join(' '));
    t.equal(ended.status, status, words.join(' '));
    t.same(contents(dir), before, 'nothing was changed');
  };
  const all = ['demo/1.0', '-k', KERNEL];
  plan(2, `nothing: ${dir}/usr/src/demo-1.0 does not exist`, 'install', ...all);
  plan(0, 'add, build, install: it is not built for this kernel', 'install', given, '-k', KERNEL);
  run('add', given);
  plan(0, 'build: it is not built for this kernel', 'build', ...all);
  run('build', ...all);
  plan(0, 'nothing: it is built', 'build', ...all);
  plan(0, 'delete the build, take from the cache: --force', 'build', ...all, '--force');
  plan(0, 'install: it is built and not installed', 'install', ...all);
  run('install', ...all);
  plan(0, 'nothing: it is installed', 'install', ...all);
  plan(0, 'uninstall, install: --force', 'install', ...all, '--force');
  plan(0, 'uninstall: the command asks for it', 'uninstall', ...all);
  plan(0, 'uninstall, delete the build, forget this version: the command asks for it', 'remove', ...all);
});

t.test('autoinstall: the order, and the reason of each', { skip }, async (t) => {
  const { dir, run, source } = system(t, [KERNEL, OTHER]);
  run('add', source('a-needs-z', '1.0', 'BUILD_DEPENDS="z"'));
  run('add', source('z', '1.0'));
  run('add', source('never', '1.0', 'BUILD_EXCLUSIVE_ARCH="none"'));
  run('add', source('manual', '1.0', 'AUTOINSTALL="no"'));
  run('add', source('waits', '1.0', 'BUILD_DEPENDS="stranger"'));
  mkdirSync(`${dir}/lib/modules/6.3.0-1-test`);
  const before = contents(dir);
  const ended = run('autoinstall', '-n', '-k', KERNEL, '-k', '6.3.0-1-test');
  t.equal(
    ended.out,
    [
      line('never/1.0', 'nothing: BUILD_EXCLUSIVE_ARCH[0]="none" does not fit this kernel'),
      line('z/1.0', 'build, install: it is not built for this kernel'),
      line('a-needs-z/1.0', 'build, install: it is not built for this kernel; after z'),
      line('waits/1.0', 'nothing: it waits for stranger, which nobody has added'),
      line('manual/1.0', 'nothing: its dkms.conf does not set AUTOINSTALL'),
      line('never/1.0', 'nothing: BUILD_EXCLUSIVE_ARCH[0]="none" does not fit this kernel', '6.3.0-1-test'),
      line('z/1.0', "nothing: the kernel's headers are missing: install linux-headers-6.3.0-1-test", '6.3.0-1-test'),
      line('a-needs-z/1.0', 'nothing: it needs z, which this plan does not install', '6.3.0-1-test'),
      line('waits/1.0', 'nothing: it waits for stranger, which nobody has added', '6.3.0-1-test'),
      line('manual/1.0', 'nothing: its dkms.conf does not set AUTOINSTALL', '6.3.0-1-test'),
      '10 to look at, 2 to do, 2 that cannot be done. Nothing was changed.\n',
    ].join(''),
  );
  t.equal(ended.status, 21, "as without -n: dkms's status for missing headers");
  t.same(contents(dir), before, 'nothing was changed');
});

t.test('what has no plan is refused, not done', { skip }, async (t) => {
  const { dir, run, source } = system(t);
  const refused = [['add', source('demo', '1.0')], ['generate_mok'], ['check', '--repair'], ['match']] as const;
  for (const words of refused) {
    const ended = run(...words, '-n');
    t.equal(ended.status, 2, words[0]);
    t.match(ended.error, /does not know what \w+ would do, so nothing was done\.\n/, words[0]);
  }
  t.same(Object.keys(contents(`${dir}/var`)), [], 'nothing was changed');
});

t.test('autoinstall for several kernels is one run', { skip }, async (t) => {
  const { dir, run, source, status } = system(t, [KERNEL, OTHER]);
  // A module says for which kernel it is, so these copy the kernel's own.
  const make = `MAKE="cp \${kernel_source_dir}/own.ko m.ko"`;
  for (const release of [KERNEL, OTHER])
    writeFileSync(
      `${dir}/lib/modules/${release}/build/own.ko`,
      Buffer.from(contents(`${dir}/lib/modules/${release}/kernel`)['/own.ko'] ?? '', 'latin1'),
    );
  for (const name of ['one', 'two', 'three'])
    run('add', source(name, '1.0', `BUILT_MODULE_NAME=m\nDEST_MODULE_NAME=${name}\n${make}`));
  const ended = run('autoinstall', '-k', KERNEL, '-k', OTHER, '-j', '2');
  t.equal(ended.status, 0, ended.error);
  for (const release of [KERNEL, OTHER])
    t.match(ended.out, new RegExp(`^Autoinstall on ${release} succeeded for module\\(s\\) one three two\\.$`, 'm'));
  t.equal(
    status(),
    ['one', 'three', 'two']
      .flatMap((name) => [KERNEL, OTHER].map((release) => line(`${name}/1.0`, 'installed', release)))
      .join(''),
  );
});
