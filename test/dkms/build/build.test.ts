import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openJobserver } from '../../../agent/dkms/build/process/jobserver.ts';
import { BuildRig, K, moduleFor, record } from './build-rig.ts';

const MAKE = `make -j1 KERNELRELEASE=${K} -C /T/modules/K/build M=/T/dkms/m/1.0/build`;

/** Whether a process runs; one that has ended and waits for its parent does not. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** A log with its date, its times and the temporary folder replaced. */
function generalised(log: string, home: string): string {
  return log
    .replaceAll(home, '/T')
    .replace(/^.*\n.*\n/, (head) => head.replace(/\n.*\n/, '\n<date>\n'))
    .replaceAll(/\d\d:\d\d:\d\d/g, '<time>')
    .replaceAll(/^make: (Entering|Leaving).*\n/gm, '');
}

t.test('a build', async (t) => {
  const rig = new BuildRig(t);
  const outcome = await rig.build();
  t.match(outcome, { kind: 'built' });
  t.equal(rig.shown(), 'Building module(s)... done.\n');
  t.same(readFileSync(join(rig.paths.result, 'module/m.ko')), moduleFor(K));
  t.equal(
    generalised(readFileSync(join(rig.paths.result, 'log/make.log'), 'utf8'), rig.home),
    `DKMS (dkms-3.4.3) make.log for m/1.0 for kernel ${K} (x86_64)
<date>

Building module(s)
# command: ${MAKE}
cp /T/dkms/m/1.0/build/prepared /T/dkms/m/1.0/build/m.ko

# exit code: 0
# elapsed time: <time>
----------------------------------------------------------------
`,
  );
  t.same(readdirSync(rig.paths.base).toSorted(), [K, 'source'], 'the build folder is gone');
  t.same(readdirSync(rig.paths.kernel), ['x86_64'], 'nothing temporary is left');
});

t.test('patches, scripts and make in their order, each in the log', async (t) => {
  const script = '#!/bin/sh\necho "$0 $*"\necho "error" >&2\n';
  const patch = '--- a/text\n+++ b/text\n@@ -1 +1 @@\n-old\n+new\n';
  const rig = new BuildRig(t, { 'script.sh': script, text: 'old\n', 'patches/one.patch': patch });
  await rig.build({}, { patches: ['one.patch'], preBuild: 'script.sh pre', postBuild: 'script.sh post' });
  t.equal(
    rig.shown(),
    'Applying patch one.patch... done.\nRunning the pre_build script... done.\n' +
      'Building module(s)... done.\nRunning the post_build script... done.\n',
  );
  const log = generalised(readFileSync(join(rig.paths.result, 'log/make.log'), 'utf8'), rig.home);
  t.match(
    log,
    `
Applying patch one.patch
# command: patch -p1 < ./patches/one.patch
patching file text

# exit code: 0
# elapsed time: <time>
----------------------------------------------------------------

Running the pre_build script
# command: cd /T/dkms/m/1.0/build/ && /T/dkms/m/1.0/build/script.sh pre
/T/dkms/m/1.0/build/script.sh pre
error

# exit code: 0
`,
  );
});

t.test('the administrator’s patches and scripts come before those of the source', async (t) => {
  const rig = new BuildRig(t, { text: 'old\n', 'patches/one.patch': 'garbage', 'script.sh': '#!/bin/sh\nexit 1\n' });
  rig.write('etc/m/patches/one.patch', '--- a/text\n+++ b/text\n@@ -1 +1 @@\n-old\n+new\n');
  rig.write('etc/m/script.sh', '#!/bin/sh\npwd\n');
  const outcome = await rig.build({}, { patches: ['one.patch'], preBuild: 'script.sh' });
  t.equal(outcome.kind, 'built', rig.shown());
  t.match(readFileSync(join(rig.paths.result, 'log/make.log'), 'utf8'), `cd ${rig.home}/etc/m/ && `);
});

t.test('what stops a build: texts, statuses, and the result before it stays', async (t) => {
  const log = '/T/dkms/m/1.0/build/make.log';
  const rows: ReadonlyArray<
    readonly [rule: string, run: (rig: BuildRig) => ReturnType<BuildRig['build']>, status: number, text: string]
  > = [
    [
      'a failure of make',
      (rig) => rig.build({}, { make: 'make nosuch' }),
      10,
      `Building module(s)...(bad exit status: 2)\nFailed command:\nmake -j1 KERNELRELEASE=${K} nosuch\n\n` +
        `Error! Bad return status for module build on kernel: ${K} (x86_64)\nConsult ${log} for more information.\n`,
    ],
    [
      'a module that make did not make',
      (rig) => rig.build({}, { modules: [record('m'), record('other', { location: 'sub/' })] }),
      7,
      `Building module(s)... done.\n\nError! Build of sub/other.ko failed for: ${K} (x86_64)\n` +
        `Make sure the name and location of the generated module are correct,\nor consult ${log} for more information.\n`,
    ],
    [
      'a module that is a link to a file elsewhere',
      (rig) => rig.build({}, { make: 'ln -s /etc/passwd m.ko' }),
      7,
      `Building module(s)... done.\n\nError! Build of m.ko failed for: ${K} (x86_64)\n` +
        `Make sure the name and location of the generated module are correct,\nor consult ${log} for more information.\n`,
    ],
    [
      'a module for another kernel',
      (rig) => {
        rig.write('src/m-1.0/prepared', moduleFor('6.12.3'));
        return rig.build();
      },
      7,
      `Building module(s)... done.\n\nError! m.ko was built for 6.12.3, wanted ${K}: its Makefile asks uname -r\n` +
        `Consult ${log} for more information.\n`,
    ],
    [
      'a patch that is not there',
      (rig) => rig.build({}, { patches: ['x.patch'] }),
      5,
      '\nError! Patch x.patch as specified in dkms.conf cannot be\nfound in /T/dkms/m/1.0/build/patches/.\n',
    ],
    [
      'a patch from elsewhere',
      (rig) => rig.build({}, { patches: ['../x.patch'] }),
      5,
      "\nError! Patch ../x.patch as specified in dkms.conf contains '..' path component.\n",
    ],
    [
      'a patch that does not apply',
      (rig) => {
        rig.write('src/m-1.0/patches/x.patch', 'garbage\n');
        return rig.build({}, { patches: ['x.patch'] });
      },
      6,
      'Applying patch x.patch...(bad exit status: 2)\nFailed command:\npatch -p1 < ./patches/x.patch\n\n' +
        `Error! Application of patch x.patch failed.\nConsult ${log} for more information.\n`,
    ],
    [
      'a script before make fails',
      (rig) => rig.build({}, { make: 'true', preBuild: 'fail.sh a b' }),
      3,
      'Running the pre_build script...(bad exit status: 3)\nFailed command:\n' +
        `cd /T/dkms/m/1.0/build/ && /T/dkms/m/1.0/build/fail.sh a b\nConsult ${log} for more information.\n`,
    ],
    [
      'a script after make fails',
      (rig) => rig.build({}, { postBuild: 'fail.sh' }),
      3,
      'Building module(s)... done.\nRunning the post_build script...(bad exit status: 3)\nFailed command:\n' +
        `cd /T/dkms/m/1.0/build/ && /T/dkms/m/1.0/build/fail.sh\nConsult ${log} for more information.\n`,
    ],
    [
      'missing dependencies',
      (rig) => rig.build({ missingDepends: ['a', 'b'] }),
      13,
      `\nError! Aborting build of module m/1.0 for kernel ${K} (x86_64) due to missing BUILD_DEPENDS: a b.\n` +
        'You may override by specifying --force.\n',
    ],
    [
      'a source with fewer than two files',
      (rig) => {
        rmSync(rig.source, { recursive: true });
        mkdirSync(rig.source);
        writeFileSync(join(rig.source, 'dkms.conf'), '');
        return rig.build();
      },
      8,
      '\nError! The directory /T/dkms/m/1.0/source does not appear to have module source located within it.\nBuild halted.\n',
    ],
  ];
  for (const [rule, run, status, text] of rows) {
    const rig = new BuildRig(t, { 'fail.sh': '#!/bin/sh\nexit 3\n' });
    await rig.build();
    const before = lstatSync(join(rig.paths.result, 'module/m.ko')).ino;
    rig.told();
    t.same(await run(rig), { kind: 'stopped', status }, rule);
    const told = rig.told().filter(({ kind }) => kind !== 'explanation');
    t.equal(rig.words(told), text, rule);
    t.equal(lstatSync(join(rig.paths.result, 'module/m.ko')).ino, before, `${rule}: the old result`);
    t.same(readdirSync(rig.paths.kernel), ['x86_64'], `${rule}: nothing temporary is left`);
    if (text.includes(log)) t.ok(existsSync(rig.paths.log), `${rule}: the log that it names is there`);
  }
});

t.test('the first failed build leaves no folder of a result', async (t) => {
  const rig = new BuildRig(t, { 'fail.sh': '#!/bin/sh\nexit 3\n' });
  await rig.build({}, { postBuild: 'fail.sh' });
  t.same(readdirSync(rig.paths.base).toSorted(), ['build', 'source']);
});

t.test('headers', async (t) => {
  const rig = new BuildRig(t);
  renameSync(join(rig.home, 'modules/K/build/include'), join(rig.home, 'modules/K/build/gone'));
  let asked = 0;
  const outcome = await rig.build({
    signer: async () => {
      asked++;
      return undefined;
    },
  });
  t.same(outcome, { kind: 'stopped', status: 21 });
  t.match(rig.shown(), /^\nError! Your kernel headers for kernel .* cannot be found at \/T\/modules\/K\/build or /);
  t.equal(asked, 0, 'who signs is not told before');
});

t.test('dependencies by force, scripts that are no programs', async (t) => {
  const rig = new BuildRig(t, { 'data.sh': 'x' });
  const outcome = await rig.build({ missingDepends: ['a'], force: true }, { preBuild: 'data.sh', postBuild: 'nosuch' });
  t.equal(outcome.kind, 'built');
  t.equal(
    rig.shown(),
    `Warning: Trying to build module m/1.0 for kernel ${K} (x86_64) despite of missing BUILD_DEPENDS: a.\n` +
      '\nWarning: The pre_build script is not executable.\nBuilding module(s)... done.\n' +
      '\nWarning: The post_build script is not executable.\n',
  );
});

t.test('a module is signed, then compressed; a program that fails is told and the build goes on', async (t) => {
  const rig = new BuildRig(t);
  const signed: string[] = [];
  const kernel = { release: K, arch: 'x86_64', sourceDir: join(rig.home, 'modules/K/build'), config: undefined };
  const signer = {
    places: { key: '/k', certificate: '/c' },
    sign: async (file: string) => {
      signed.push(readFileSync(file).equals(moduleFor(K)) ? 'the plain module' : 'something else');
      return { kind: 'failed', output: 'no key\n' } as const;
    },
  };
  await rig.build({ signer: async () => signer, kernel: { ...kernel, suffix: '.gz' } });
  t.same(signed, ['the plain module']);
  t.same(readdirSync(join(rig.paths.result, 'module')), ['m.ko.gz']);
  t.equal(
    rig.shown(),
    'Building module(s)... done.\nSigning module /T/dkms/m/1.0/build/m.ko\n' +
      "Warning: Failed to sign module '/T/dkms/m/1.0/build/m.ko'!\nno key\n\n",
  );
  const framework = { compressGzipOpts: '--nosuch', compressXzOpts: '', compressZstdOpts: '', buildEnvironment: '' };
  await rig.build({ framework, kernel: { ...kernel, suffix: '.gz' } });
  t.same(readdirSync(join(rig.paths.result, 'module')), ['m.ko'], 'it stays uncompressed');
  t.match(rig.shown(), /done\.\ngzip: unrecognized option/);
});

t.test('a renamed module, one that is excluded, and the CRCs of exports', async (t) => {
  const rig = new BuildRig(t, { 'Module.symvers': '0x1\ta\tm\tEXPORT_SYMBOL\t\n' });
  const exclusion = { directive: 'BUILD_EXCLUSIVE_KERNEL', record: 1, value: 'x' };
  await rig.build({}, { modules: [record('m', { destName: 'm-current' }), record('other', { exclusion })] });
  t.same(readdirSync(join(rig.paths.result, 'module')).toSorted(), ['Module.symvers', 'm-current.ko']);
});

t.test('links of the source lead no write out of the build folder', async (t) => {
  const rig = new BuildRig(t, { 'patches/keep': 'x' });
  const outside = rig.write('outside', 'precious\n');
  const folder = join(rig.home, 'outer');
  mkdirSync(folder);
  symlinkSync(outside, join(rig.source, 'm.ko'));
  symlinkSync(outside, join(rig.source, 'make.log'));
  symlinkSync('../../outside', join(rig.source, 'relative'));
  rmSync(join(rig.source, 'patches'), { recursive: true });
  symlinkSync(folder, join(rig.source, 'patches'));
  rig.write('etc/m/patches/p.patch', 'x');
  const outcome = await rig.build(
    {},
    { make: 'cat relative; cp --remove-destination prepared m.ko; echo changed > relative' },
  );
  t.equal(outcome.kind, 'built', rig.shown());
  t.equal(readFileSync(outside, 'utf8'), 'precious\n');
  t.same(readdirSync(folder), [], 'no patch was copied through the link');
  t.match(readFileSync(join(rig.paths.result, 'log/make.log'), 'utf8'), 'precious', 'but what links lead to is there');
});

t.test('a daemon that a Makefile starts, in a session of its own, ends with the build', async (t) => {
  const rig = new BuildRig(t);
  await rig.build({}, { make: 'setsid sleep 1000 & echo $! > pid; cp prepared m.ko; cp pid ../pid' });
  const pid = Number(readFileSync(join(rig.paths.base, 'pid'), 'utf8'));
  t.notOk(isRunning(pid));
});

t.test('an abort ends every process, tells it and keeps the old state', async (t) => {
  const rig = new BuildRig(t);
  const abort = new AbortController();
  const running = rig.build({ signal: abort.signal }, { make: 'sleep 1000 & echo $! > ../pid; touch ../ready; wait' });
  while (!existsSync(join(rig.paths.base, 'ready'))) await new Promise((resolve) => setTimeout(resolve, 5));
  abort.abort();
  t.same(await running, { kind: 'stopped', status: 130 });
  const pid = Number(readFileSync(join(rig.paths.base, 'pid'), 'utf8'));
  t.notOk(isRunning(pid));
  t.match(rig.shown(), /was interrupted/);
  t.notOk(existsSync(rig.paths.kernel));
});

t.test('what a killed run left', async (t) => {
  const rig = new BuildRig(t);
  await rig.build();
  renameSync(rig.paths.result, join(rig.paths.kernel, '.tmp_x86_64_old'));
  mkdirSync(join(rig.paths.kernel, '.tmp_x86_64_AbCdEf/module'), { recursive: true });
  mkdirSync(join(rig.paths.kernel, '.tmp_i686_AbCdEf'));
  await rig.build({}, { make: 'false' });
  t.same(
    readdirSync(rig.paths.kernel).toSorted(),
    ['.tmp_i686_AbCdEf', 'x86_64'],
    'the result is back, the rest is gone',
  );
});

t.test('no space', async (t) => {
  const rig = new BuildRig(t);
  const outcome = await rig.build({}, { make: 'head -c 300000 /dev/zero > object; cat object > /dev/full' });
  t.same(outcome, { kind: 'stopped', status: 10 });
  t.match(rig.shown(), /\nError! no space left on \/T\/dkms\/m\/1\.0: \d+ MB needed, \d+ MB free\n$/);
  t.same(readdirSync(rig.paths.build), ['make.log'], 'the space is free again');
});

t.test('a build begins only where what the last one took is free', async (t) => {
  const rig = new BuildRig(t);
  await rig.build({}, { make: 'head -c 300000 /dev/zero > object; cp prepared m.ko' });
  const cost = join(rig.paths.result, 'log/cost.json');
  const { bytes } = JSON.parse(readFileSync(cost, 'utf8')) as { readonly bytes: number };
  t.ok(bytes >= 300_000, `what make left counts: ${bytes}`);
  writeFileSync(cost, JSON.stringify({ bytes: 2 ** 60, seconds: 1 }));
  const outcome = await rig.build({}, { make: 'touch ../begun' });
  t.same(outcome, { kind: 'stopped', status: 6 });
  t.match(rig.shown(), /no space left on \/T\/dkms\/m\/1\.0: 1099511627777 MB needed/);
  t.notOk(existsSync(join(rig.paths.base, 'begun')));
});

t.test('what a build took is told and kept; a long one is told before', async (t) => {
  const rig = new BuildRig(t);
  let now = 0;
  let looks = 1;
  const clock = {
    now: () => (now += 4000),
    after: (ms: number, work: () => void) => {
      if (ms < 3000 && looks-- > 0) queueMicrotask(work);
      return () => {};
    },
  };
  await rig.build({ clock });
  const [first, told] = rig.told().filter(({ kind }) => /^build-(cost|forecast)$/.test(kind));
  t.equal(told, undefined, 'nobody knew how long it would take');
  t.match(first, { kind: 'build-cost', seconds: Number, memory: Number, bytes: Number });
  const kept: unknown = JSON.parse(readFileSync(join(rig.paths.result, 'log/cost.json'), 'utf8'));
  t.same({ kind: 'build-cost', ...(kept as object) }, first);
  await rig.build();
  const seconds = first?.kind === 'build-cost' ? first.seconds : 0;
  t.match(rig.told()[0], { kind: 'build-forecast', seconds }, 'it came before everything else');
});

t.test('make gets nothing to read, and little of the environment', async (t) => {
  const rig = new BuildRig(t);
  process.env['CFLAGS'] = '-O9';
  t.teardown(() => delete process.env['CFLAGS']);
  await rig.build({}, { make: 'cat; env; umask; echo $kernelver; cp prepared m.ko' });
  const log = readFileSync(join(rig.paths.result, 'log/make.log'), 'utf8');
  t.match(log, /^LC_ALL=C$/m);
  t.notMatch(log, /CFLAGS/);
  t.match(log, /^0022$/m);
  t.match(log, new RegExp(`^${K}$`, 'm'), "dkms's shell variables are there");
  t.notMatch(log, /^kernelver=/m, 'and not exported');
});

t.test('a dot every three seconds by the clock, but none for the modules of the peers’ suite', async (t) => {
  const waits: number[] = [];
  let fire = 3;
  const clock = {
    now: () => 0,
    after: (ms: number, work: () => void) => {
      // The other timer looks at the memory.
      if (ms < 3000) return () => {};
      waits.push(ms);
      if (fire-- > 0) queueMicrotask(work);
      return () => {};
    },
  };
  const rig = new BuildRig(t);
  await rig.build({ clock });
  t.equal(rig.shown(), 'Building module(s)...... done.\n');
  t.same(waits, [3000, 3000, 3000, 3000]);
  await rig.build({ clock, verbose: true });
  t.equal(rig.shown(), `${MAKE}\n done.\n`);
  mkdirSync(join(rig.home, 'dkms/dkms_m_test/1.0'), { recursive: true });
  symlinkSync(rig.source, join(rig.home, 'dkms/dkms_m_test/1.0/source'));
  fire = 3;
  await rig.build({ clock, module: 'dkms_m_test' }, { make: 'cp prepared m.ko' });
  t.equal(rig.shown(), 'Building module(s)... done.\n');
});

t.test('a jobserver stands in for -j', async (t) => {
  const rig = new BuildRig(t);
  const jobserver = await openJobserver(2);
  t.teardown(() => jobserver.close());
  await rig.build({ jobserver }, { make: 'make -f rules' });
  t.match(rig.shown(), `Failed command:\nmake KERNELRELEASE=${K} -f rules\n`);
  t.equal(jobserver.idle(), 2, 'a failed build gives its jobs back');
  t.equal((await rig.build({ jobserver })).kind, 'built');
  t.equal(jobserver.idle(), 2);
});
