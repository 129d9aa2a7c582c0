import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { joinParameters } from '../../../agent/commands/kmod/modprobe-insert.ts';
import { splitOptions } from '../../../agent/commands/kmod/modprobe-options.ts';
import { runModprobe, type ModprobeEnd } from '../../fixtures/modprobe-rig.ts';

const RELEASE = '6.1.0';

/** What modules.dep says; `b` needs `a`, `c` both. */
const DEP = `kernel/a.ko:
kernel/b.ko: kernel/a.ko
kernel/sub/c-c.ko.xz: kernel/b.ko kernel/a.ko
kernel/d.ko:
/opt/out.ko: kernel/a.ko
kernel/p1.ko: kernel/p2.ko
kernel/p2.ko: kernel/p1.ko
`;
const ALIASES = `# Aliases extracted from modules themselves.
alias pci:v1* b
alias pci:v*d2 b
alias pci:v*d2 d
alias pci:v1d2 d
alias pci:v1d2 d
alias odd-[a-c]-name c_c
`;
const CONFIG = `options b x=1
options b y="2 3"
options pci:v1d9 by=alias
softdep d pre: a post: b
alias also-b b
alias also-b b
alias nothing no_such
install only-a-line echo line $CMDLINE_OPTS
blacklist c-c
softdep c_c pre: d
`;

/** A root with a module tree, configuration, and /sys and /proc of a machine on which `loaded` are loaded, each with its users. */
function rig(t: Test, loaded: Readonly<Record<string, readonly string[]>> = {}, config = CONFIG) {
  const root = t.testdir({
    lib: {
      modules: {
        [RELEASE]: {
          'modules.dep': DEP,
          'modules.alias': ALIASES,
          'modules.builtin': 'kernel/k.ko\n',
          'modules.builtin.modinfo': 'k.alias=fs-k\0tracefs.alias=fs-tracefs\0',
        },
      },
    },
    'a.conf': config,
    sys: { module: {} },
    proc: { cmdline: 'quiet d.z=9 modprobe.blacklist=zz\n' },
  });
  for (const [name, holders] of Object.entries(loaded)) {
    const directory = join(root, 'sys/module', name);
    mkdirSync(join(directory, 'holders'), { recursive: true });
    writeFileSync(join(directory, 'initstate'), 'live\n');
    writeFileSync(join(directory, 'refcnt'), `${holders.length}\n`);
    for (const holder of holders) symlinkSync(`../../${holder}`, join(directory, 'holders', holder));
  }
  const base = ['-d', root, '-S', RELEASE, '-C', join(root, 'a.conf')];
  const surroundings = { sysfs: join(root, 'sys'), proc: join(root, 'proc') };
  const run = async (words: string, env: Readonly<Record<string, string>> = {}): Promise<ModprobeEnd> => {
    const { status, stdout, stderr } = await runModprobe([...base, ...words.split(' ')], { ...surroundings, env });
    const short = (text: string) => text.replaceAll(`${root}/lib/modules/${RELEASE}`, 'M').replaceAll(root, 'ROOT');
    return { status, stdout: short(stdout), stderr: short(stderr) };
  };
  return { root, run };
}

const NOT_FOUND = (name: string, level = 'FATAL') => `modprobe: ${level}: Module ${name} not found in directory M\n`;
const A = 'insmod M/kernel/a.ko \n';
const B = 'insmod M/kernel/b.ko x=1 y="2 3" \n';
const D = 'insmod M/kernel/d.ko z=9 \n';

/** Name, words, what is printed, status (0 unless given), messages. */
type Row = readonly [name: string, words: string, stdout: string, status?: number, stderr?: string];

const ROWS: readonly Row[] = [
  ['a name', '-R b', 'b\n'],
  ['other dashes', '-R c-c', 'c_c\n'],
  ['a module that several patterns name', '-R pci:v1d2', 'b\nb\nd\nd\nd\n'],
  ['alias lines, as often as they stand there', '-R also-b', 'b\nb\n'],
  ['brackets', '-R odd_b_name', 'c_c\n'],
  ['the name of an install line', '-R only-a-line', 'only_a_line\n'],
  ['builtin', '-R k', 'k\n'],
  ['builtin by its alias', '-R fs-k', 'k\n'],
  ['not found', '-R nope', '', 1, NOT_FOUND('nope')],
  ['not found, quietly', '-q -R nope', '', 1],
  ['not found among others', '-a -R nope a', 'a\n', 1, NOT_FOUND('nope', 'WARNING')],
  ['show-depends', '-D b', A + B],
  ['with parameters', '-D b p=1 q=3', `${A}insmod M/kernel/b.ko x=1 y="2 3" p=1 q=3\n`],
  ['options by the alias', '-D pci:v1d9', `${A}insmod M/kernel/b.ko x=1 y="2 3" by=alias \n`],
  ['softdeps and the kernel command line', '-D d', A + D + A + B],
  ['softdeps, ignored', '-D -i d', D],
  ['a module outside', '-D out', `${A}insmod /opt/out.ko \n`],
  ['builtin, shown', '-D k', 'builtin k\n'],
  ['builtin that cannot be a module', '-D fs-tracefs', 'builtin tracefs\n'],
  ['builtin that cannot be a module, inserted', 'fs-tracefs', ''],
  ['builtin, dry', '-n -v k', ''],
  [
    'builtin for the first time',
    '--first-time k',
    '',
    1,
    "modprobe: ERROR: could not insert 'k': Module already in kernel\n",
  ],
  ['an install line, shown', '-D only-a-line a=1', 'install echo line $CMDLINE_OPTS a=1\n'],
  ['blacklisted by its name', '-n -v c-c', `${A}${B}${A}${D}${A}${B}insmod M/kernel/sub/c-c.ko.xz \n`],
  ['blacklisted by its name, -b', '-n -v -b c-c', ''],
  ['blacklisted by an alias', '-n -v odd-a-name', ''],
  [
    'an alias of nothing',
    'nothing',
    '',
    1,
    "modprobe: ERROR: could not find module by name='no_such'\nmodprobe: ERROR: could not insert 'no_such': Unknown symbol in module, or unknown parameter (see dmesg)\n",
  ],
  ['an alias of nothing, dry', '-n -v nothing', ''],
  [
    'a cycle in modules.dep',
    '-D p1',
    '',
    1,
    "modprobe: ERROR: could not insert 'p1': modules.dep has a cycle: p1 -> p2 -> p1\n",
  ],
  [
    'a path that is not there',
    '/nonexistent/x.ko',
    '',
    1,
    'modprobe: FATAL: Failed to get module from path /nonexistent/x.ko: No such file or directory\n',
  ],
  ['dry without -v', '-n b', ''],
  ['remove, shown', '-r -D b', 'rmmod b\n'],
  ['remove what is not loaded', '-r b', ''],
  [
    'remove what is not loaded for the first time',
    '-r --first-time b',
    '',
    1,
    'modprobe: FATAL: Module b is not in kernel.\n',
  ],
  ['remove builtin', '-r k', '', 1, 'modprobe: FATAL: Module k is builtin.\n'],
  ['remove what is not there', '-r nope', '', 1, 'modprobe: FATAL: Module nope not found.\n'],
  ['a wait that is none', '-r -w 1s b', '', 1, "modprobe: ERROR: unexpected wait value '1s'.\n"],
];

for (const [name, words, stdout, status = 0, stderr = ''] of ROWS) {
  t.test(name, async (t) => {
    t.same(await rig(t).run(words), { status, stdout, stderr });
  });
}

t.test('what is loaded', async (t) => {
  const { run } = rig(t, { a: ['b'], b: [], d: [] });
  const dry = async (words: string) => run(`-n -v ${words}`);
  t.same((await dry('b')).stdout, '', 'is not inserted');
  t.same((await dry('-i c-c')).stdout, 'insmod M/kernel/sub/c-c.ko.xz \n', 'nor as a dependency');
  t.same((await run('-D b')).stdout, A + B, 'but shown with -D');
  t.match(await run('--first-time b'), { status: 1, stderr: /could not insert 'b': Module already in kernel/ });
  t.match(await run('--first-time also-b'), { status: 1 });
  t.same(await dry('-r a'), { status: 1, stdout: '', stderr: 'modprobe: FATAL: Module a is in use.\n' });
  t.same(await dry('-r -a a b'), {
    status: 1,
    stdout: 'rmmod b\n',
    stderr: 'modprobe: WARNING: Module a is in use.\n',
  });
  t.same((await dry('-q -r a b')).status, 1, 'quietly');
  // Dry, the holder stays; so modprobe says then, too.
  const inUse = { status: 1, stdout: 'rmmod b\n', stderr: 'modprobe: FATAL: Module a is in use.\n' };
  t.same(await dry('-r --remove-holders a'), inUse);
  t.same(await dry('--remove-holders a'), inUse, '--remove-holders is a removal');
  t.same((await dry('-r -w 1 a')).stdout, 'rmmod a\n', 'one that waits tries');
});

t.test('a module that is on its way is inserted again', async (t) => {
  const { root, run } = rig(t);
  mkdirSync(join(root, 'sys/module/a'));
  t.same((await run('-n -v b')).stdout, A + B);
});

t.test('a module by its path', async (t) => {
  const { root, run } = rig(t);
  mkdirSync(join(root, 'elsewhere'));
  writeFileSync(join(root, 'elsewhere/b.ko'), '');
  t.same((await run(`-D ${root}/elsewhere/b.ko q=1`)).stdout, `${A}insmod ROOT/elsewhere/b.ko x=1 y="2 3" q=1\n`);
  t.same((await run(`-R ${root}/elsewhere/b.ko`)).stdout, 'b\n');
  writeFileSync(join(root, 'elsewhere/k.ko'), '');
  t.same(
    (await run(`-n -v ${root}/elsewhere/k.ko`)).stdout,
    'insmod ROOT/elsewhere/k.ko \n',
    'a file is never builtin',
  );
});

t.test('no tree, no indexes, a damaged index', async (t) => {
  const { root, run } = rig(t);
  const other = await run('-S 9.9 b');
  t.match(other, { status: 1, stderr: /^modprobe: FATAL: Module b not found in directory ROOT\/lib\/modules\/9.9\n$/ });
  mkdirSync(join(root, 'lib/modules/8.8'));
  t.match(await run('-S 8.8 b'), {
    status: 1,
    stderr: /WARNING: .*neither modules\.dep\.bin[^]*FATAL: Module b not found/,
  });
  writeFileSync(join(root, 'lib/modules', RELEASE, 'modules.dep.bin'), 'no index');
  const damaged = await run('-D b');
  t.match(damaged.stderr, /WARNING: M\/modules\.dep\.bin: .*modules\.dep is used instead/);
  t.same([damaged.stdout, damaged.status], [A + B, 0]);
  t.equal((await run('-q -D b')).stderr, '');
});

t.test('faults in configuration are reported whatever -q says, and the rest is used', async (t) => {
  const { run } = rig(t, {}, 'bogus\noptions b x=1\nsoftdep\n');
  const { status, stdout, stderr } = await run('-q -D b');
  t.same([status, stdout], [0, `${A}insmod M/kernel/b.ko x=1 \n`]);
  t.match(stderr, /^modprobe: ERROR: ROOT\/a\.conf:1:1: 'bogus'.*\nmodprobe: ERROR: ROOT\/a\.conf:3:8: .*\n$/);
});

t.test('-c shows the configuration and both indexes', async (t) => {
  const { run } = rig(
    t,
    {},
    'softdep a pre: b c post: d\nweakdep e f g\ninstall h i  j\nremove k l\noptions m n=1\nalias o-p q-r\n',
  );
  const { stdout } = await run('-c');
  t.equal(
    stdout,
    `blacklist zz
install h i  j
remove k l
alias o_p q_r
options m n=1
options d z=9
softdep a pre: b cpost: d
weakdep e f g

# End of configuration files. Dumping indexes now:

alias odd_[a-c]_name c_c
alias pci:v*d2 b
alias pci:v*d2 d
alias pci:v1* b
alias pci:v1d2 d
alias pci:v1d2 d
`,
  );
});

t.test('commands run as modprobe runs them', async (t) => {
  const folder = t.testdir();
  const log = join(folder, 'log');
  const config = `install b echo "$MODPROBE_MODULE|$MODPROBE_OPTIONS|$CMDLINE_OPTS|"$CMDLINE_OPTS >> ${log}
options b x=1
install d exit 7
install a kill -9 $$
remove b echo "gone $MODPROBE_MODULE $CMDLINE_OPTS." >> ${log}
remove d exit 3
install loop true
`;
  const { run } = rig(t, {}, config.replace(/install a .*\n/, 'install a true\n'));
  t.same((await run('-q -v b p=1', { MODPROBE_OPTIONS: '-v' })).status, 0);
  t.match(readFileSync(log, 'latin1'), /^b\|-v -v -C \S+\/a\.conf -q -v\|x=1 p=1\|x=1 p=1\n$/);
  rmSync(log);
  t.same(await run('-r -v b'), {
    status: 0,
    stdout: 'remove echo "gone $MODPROBE_MODULE ." >> ROOT/log\n',
    stderr: '',
  });
  t.equal(readFileSync(log, 'latin1'), 'gone b .\n', 'even when it is not loaded');
  t.same(await run('d'), {
    status: 1,
    stdout: '',
    stderr:
      "modprobe: ERROR: Error running install command 'exit 7' for module d: retcode 7\nmodprobe: ERROR: could not insert 'd': Invalid argument\n",
  });
  t.same(await run('-r d'), { status: 1, stdout: '', stderr: 'modprobe: FATAL: Error running remove command for d\n' });
  t.same(await run('-a -r d'), {
    status: 1,
    stdout: '',
    stderr: 'modprobe: WARNING: Error running remove command for d\n',
  });
  const killed = rig(t, {}, config);
  t.match(await killed.run('a'), {
    status: 1,
    stderr: /install command 'kill -9 \$\$' for module a: ended by SIGKILL/,
  });
  t.match(await run('loop', { PLUGD_MODPROBE_NESTING: 'loop '.repeat(10) }), {
    status: 1,
    stderr: /leads back to itself/,
  });
  t.notMatch(
    await run('d', { PLUGD_MODPROBE_NESTING: 'loop '.repeat(10) }),
    { stderr: /leads back/ },
    'others may run',
  );
});

const PARAMETERS: ReadonlyArray<readonly [words: readonly string[], text: string]> = [
  [[], ''],
  [['a=1', 'b'], 'a=1 b'],
  [['a=1 2'], 'a="1 2"'],
  [['a="1 2"', "b='3 4'"], `a="1 2" b='3 4'`],
  [['a b'], 'a b'],
  [['a=b=c d'], 'a="b=c d"'],
  [['a='], 'a='],
  [['a\t=1'], 'a\t=1'],
];

t.test('parameters become one text', (t) => {
  for (const [words, text] of PARAMETERS) t.equal(joinParameters(words), text, JSON.stringify(words));
  t.end();
});

const OPTIONS: ReadonlyArray<readonly [text: string, words: readonly string[]]> = [
  ['', []],
  ['-v', ['-v']],
  ['  -v  -D ', ['-v', '-D']],
  ["-C '/etc/a b' -v", ['-C', '/etc/a b', '-v']],
  ['-C "/etc/a b"', ['-C', '/etc/a b']],
  [`-C"it's"`, ["-Cit's"]],
  ["''", ['']],
  ["-'v'", ['-v']],
  ['"-v', ['"-v']],
  ['-v\t-D', ['-v\t-D']],
  ['\\-v', ['\\-v']],
];

t.test('MODPROBE_OPTIONS is parted at blanks outside of quotes', (t) => {
  for (const [text, words] of OPTIONS) t.same(splitOptions(text), words, JSON.stringify(text));
  t.end();
});

t.test('MODPROBE_OPTIONS comes first', async (t) => {
  const { run } = rig(t);
  t.same((await run('b', { MODPROBE_OPTIONS: '-D' })).stdout, A + B);
  t.same((await run('x', { MODPROBE_OPTIONS: '-R b' })).stdout, 'b\n');
  t.match(await run('b', { MODPROBE_OPTIONS: '-Z' }), { status: 1, stderr: "modprobe: invalid option -- 'Z'\n" });
});
