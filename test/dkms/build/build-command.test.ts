import t from 'tap';
import { buildEnvironment } from '../../../agent/dkms/build/process/build-environment.ts';
import { makeCommand, scriptCommand } from '../../../agent/dkms/build/build-command.ts';

t.test('what make is told', async (t) => {
  const usual = { release: '6.1.0', jobs: 8, llvm: false };
  const rows: ReadonlyArray<readonly [rule: string, text: string, options: Partial<typeof usual>, command: string]> = [
    ['jobs and kernel come after the first word', 'make -C a', {}, 'make -j8 KERNELRELEASE=6.1.0 -C a'],
    ['once', 'make -C a && make -C b', {}, 'make -j8 KERNELRELEASE=6.1.0 -C a && make -C b'],
    ['a quoted make is left alone', "'make' -C a", {}, "'make' -C a"],
    ['and one that is not first', 'env X=1 make', {}, 'env X=1 make'],
    ['and one in brackets', '(make all)', {}, '(make all)'],
    ['and a program whose name begins so', 'make_it.sh', {}, 'make_it.sh'],
    ['make alone', 'make', {}, 'make -j8 KERNELRELEASE=6.1.0'],
    ['no number: as many jobs as make likes', 'make', { jobs: 0 }, 'make -j KERNELRELEASE=6.1.0'],
    ['clang is said at the end', 'make a; cp b c', { llvm: true }, 'make -j8 KERNELRELEASE=6.1.0 a; cp b c LLVM=1'],
    ['a release is no pattern', 'make', { release: '6$&' }, 'make -j8 KERNELRELEASE=6$&'],
  ];
  for (const [rule, text, options, command] of rows)
    t.equal(makeCommand(text, { ...usual, ...options }), command, rule);
  t.equal(
    makeCommand('make all', { release: '6.1.0', jobs: undefined, llvm: false }),
    'make KERNELRELEASE=6.1.0 all',
    'a jobserver hands out jobs',
  );
});

t.test('a script runs in its folder', async (t) => {
  t.equal(scriptCommand('/b', 'pre.sh -k 1'), 'cd /b/ && /b/pre.sh -k 1');
});

t.test('what of the environment reaches a build', async (t) => {
  const env = buildEnvironment(
    {
      PATH: '/bin',
      LANG: 'de_DE.UTF-8',
      LC_ALL: 'de_DE.UTF-8',
      CC: 'clang',
      CFLAGS: '-O9',
      MAKEFLAGS: '-j64',
      BASH_ENV: '/x',
      LD_PRELOAD: '/x',
      ARCH: 'arm64',
      CROSS_COMPILE: 'aarch64-linux-gnu-',
      KBUILD_EXTRA_SYMBOLS: '/s',
      HOME: undefined,
    },
    { CC: 'gcc-12' },
  );
  t.same(env, {
    PATH: '/bin',
    HOME: '/root',
    ARCH: 'arm64',
    CROSS_COMPILE: 'aarch64-linux-gnu-',
    KBUILD_EXTRA_SYMBOLS: '/s',
    LC_ALL: 'C',
    CC: 'gcc-12',
  });
  t.match(buildEnvironment({}, {}).PATH, '/usr/bin', 'programs are found without a caller’s PATH');
});
