/** plugd-lite: its start with and without the heap copy, its limits, and its answers beside those of plugd on Node. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { VERSION } from '../../agent/base/version.ts';
import { plugdLite } from './plugd-lite.ts';

t.setTimeout(1_200_000);
const lite = await plugdLite();
const skip = lite.kind === 'missing' ? lite.sentence : false;
const { program, plain } = lite.kind === 'ready' ? lite : { program: '', plain: '' };
const cli = join(import.meta.dirname, '../../agent/cli.js');

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  file: string,
  words: readonly string[],
  { argv0, env }: { argv0?: string; env?: NodeJS.ProcessEnv } = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(file, words, {
    encoding: 'latin1',
    ...(argv0 === undefined ? {} : { argv0 }),
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

/** A small machine. */
const root = t.testdir();
const FILES: Readonly<Record<string, string>> = {
  'lib/modules/6.1.0/modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n',
  'lib/modules/6.1.0/modules.alias': 'alias pci:v*d[0-9]* a\nalias usb:v1p* b\nalias p\xfcnktchen b\n',
  'lib/modules/6.1.0/kernel/a.ko': 'no module',
  'lib/modules/6.1.0/kernel/b.ko': '',
  'lib/modules/6.1.0/kernel/c.ko.gz': gzipSync('no module').toString('latin1'),
  'lib/modules/6.1.0/kernel/d.ko.gz': gzipSync('no module'.repeat(99)).subarray(0, 30).toString('latin1'),
  'lib/modules/6.1.0/kernel/e.ko.gz': `${gzipSync('no module').toString('latin1')}rest`,
  'etc/modprobe.d/a.conf': 'blacklist c\noptions b x=1\nsoftdep a pre: b\nnonsense\n',
  'sys/devices/x/uevent': 'MODALIAS=pci:v1d1\n',
  'proc/cmdline': 'quiet b.y=2\n',
  'proc/modules': 'b 4096 1 a, Live 0x0\n',
};
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, 'latin1');
}
mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true });
symlinkSync('../../../devices/x', join(root, 'sys/bus/pci/devices/x'));

const AT = ['--root', root, '--kernel', '6.1.0'];
const MACHINE = [...AT, '--sysfs', join(root, 'sys'), '--proc', join(root, 'proc')];
const TREE = ['-d', root, '-S', '6.1.0'];

/** What each shows is a rule: both programs answer it byte for byte alike. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  'a name is looked up': ['lookup', ...AT, 'pci:v1d1'],
  'several names, as JSON': ['lookup', ...AT, '--json', 'pci:v1d1', 'usb:v1p2', 'nothing'],
  'a name that is not ASCII': ['lookup', ...AT, 'p\u00fcnktchen'],
  'no name matches': ['lookup', ...AT, 'nothing'],
  'test says why': ['test', ...MACHINE, 'pci:v1d1'],
  'test, as JSON': ['test', ...MACHINE, '--json', 'pci:v1d1'],
  'the plan of a coldplug': ['coldplug', '-n', ...MACHINE],
  'modprobe -D': ['modprobe', ...TREE, '-C', join(root, 'etc/modprobe.d'), '-D', 'a'],
  'modprobe -n -v': ['modprobe', ...TREE, '-n', '-v', 'a'],
  'modprobe -R': ['modprobe', ...TREE, '-R', 'usb:v1p7'],
  'modprobe -c': ['modprobe', ...TREE, '-C', join(root, 'etc/modprobe.d'), '-c'],
  'modprobe of nothing': ['modprobe', ...TREE, 'nothing'],
  'modprobe without words': ['modprobe', ...TREE],
  'an unknown option of modprobe': ['modprobe', '--nonsense'],
  'modinfo of what is no module': ['modinfo', join(root, 'lib/modules/6.1.0/kernel/a.ko')],
  'modinfo of an empty file': ['modinfo', join(root, 'lib/modules/6.1.0/kernel/b.ko')],
  'modinfo of a file of gzip': ['modinfo', join(root, 'lib/modules/6.1.0/kernel/c.ko.gz')],
  'modinfo of a damaged file of gzip': ['modinfo', join(root, 'lib/modules/6.1.0/kernel/d.ko.gz')],
  'modinfo of a file of gzip with something behind it': ['modinfo', join(root, 'lib/modules/6.1.0/kernel/e.ko.gz')],
  lsmod: ['lsmod', '--proc', join(root, 'proc'), '--sysfs', join(root, 'sys')],
  'an option that is unknown': ['lookup', '--jsn', 'x'],
  'an option without its value': ['lookup', '--root'],
  'a value that looks like an option': ['lookup', '--root', '-x', 'y'],
  'a switch with a value': ['lookup', '--json=1', 'x'],
  'an empty value': ['lookup', '--root', '', 'x'],
  'a root that is not there': ['lookup', '--root', '/nonexistent/plugd', 'x'],
  'errors as JSON': ['lookup', '--json', '--root', '/nonexistent/plugd', 'x'],
  "a command's help": ['lookup', '--help'],
  'help of a command of kmod': ['modprobe', '--help'],
};

t.test('answers are those of plugd on Node', { skip }, async (t) => {
  for (const [rule, words] of Object.entries(LINES)) {
    const node = run(process.execPath, [cli, ...words]);
    t.ok(node.stdout !== '' || node.stderr !== '', `${rule}: there is an answer`);
    t.same(run(program, words), node, rule);
  }
});

t.test('without the heap copy the answers are the same', { skip }, async (t) => {
  for (const [rule, words] of Object.entries(LINES)) t.same(run(plain, words), run(program, words), rule);
});

t.test('called by a link it is that command', { skip }, async (t) => {
  for (const name of ['modprobe', 'insmod', 'rmmod', 'lsmod', 'modinfo'])
    t.match(run(program, ['-V'], { argv0: `/sbin/${name}` }).stdout, /^kmod version/, name);
});

t.test('what it has and what it is', { skip }, async (t) => {
  const version = new RegExp(
    `^plugd-lite ${VERSION.replaceAll('.', '\\.')} \\(QuickJS [\\d-]+, build [\\da-f]{16}\\)\\n$`,
  );
  t.match(run(program, ['--version']).stdout, version);
  t.match(run(program, ['doctor']), { status: 64, stderr: /no command 'doctor'/ });
  t.match(run(program, ['--help']).stdout, /^usage: plugd-lite COMMAND/);
  t.ok(statSync(plain).size <= 1_300_000, `${statSync(plain).size} bytes`);
  t.ok(statSync(program).size <= 3_000_000, `${statSync(program).size} bytes`);
});

t.test('a machine that it is not built for is named', async (t) => {
  const build = join(import.meta.dirname, '../../../native/lite/build/build.mjs');
  t.match(run(process.execPath, [build, '--arch', 'sparc']), {
    status: 2,
    stdout: '',
    stderr: /^plugd-lite cannot be built here: it is not built for sparc on \w+\.\n$/,
  });
});

t.test('the heap copy serves whether or not the kernel lays programs out at random', { skip }, async (t) => {
  t.equal(run(program, ['--uses-heap-copy']).status, 0);
  t.equal(run('setarch', ['-R', program, '--uses-heap-copy']).status, 0, 'as with norandmaps');
  t.equal(run(program, ['--uses-heap-copy'], { env: { PLUGD_LITE_PLAIN: '1' } }).status, 1);
  t.equal(run(plain, ['--uses-heap-copy']).status, 1, 'there is none in the plain program');
});

/** What becomes of the heap copy when packagers or image builders strip programs: kept or left out, the answers are the same. */
const STRIPPED: ReadonlyArray<readonly [tool: string, options: readonly string[], keepsCopy: boolean]> = [
  ['strip', [], true],
  // As dracut does.
  ['strip', ['-g', '-p'], true],
  ['objcopy', ['--strip-all', '--remove-section=.plugd_heap'], false],
];

for (const [tool, options, keepsCopy] of STRIPPED) {
  t.test(`after ${tool} ${options.join(' ')} the answers are the same`, { skip }, async (t) => {
    const words = ['lookup', ...AT, 'pci:v1d1'];
    for (const file of [program, plain]) {
      const copy = join(t.testdir(), 'plugd-lite');
      copyFileSync(file, copy);
      t.equal(run(tool, [...options, copy]).status, 0);
      t.same(run(copy, words), run(program, words));
      t.same(run('setarch', ['-R', copy, ...words]), run(program, words), 'as with norandmaps');
      t.equal(run(copy, ['--uses-heap-copy']).status, keepsCopy && file === program ? 0 : 1);
    }
  });
}

t.test('a damaged heap copy is not used', { skip }, async (t) => {
  const words = ['lookup', ...AT, 'pci:v1d1'];
  const right = run(program, words);
  const size = statSync(plain).size;
  const begin = Math.ceil(size / 4096) * 4096;
  const damages: Readonly<Record<string, (bytes: Buffer) => void>> = {
    'its mark': (bytes) => bytes.writeUInt8(bytes.readUInt8(begin) ^ 1, begin),
    'its build': (bytes) => bytes.writeUInt8(bytes.readUInt8(begin + 9) ^ 1, begin + 9),
    'its size': (bytes) => bytes.writeUInt8(bytes.readUInt8(begin + 33) ^ 1, begin + 33),
    'the size of what starts write': (bytes) => bytes.writeUInt8(bytes.readUInt8(begin + 41) ^ 1, begin + 41),
    'its pointers': (bytes) => bytes.writeUInt8(bytes.readUInt8(begin + 57) ^ 1, begin + 57),
  };
  const copy = join(t.testdir(), 'plugd-lite');
  for (const [rule, damage] of Object.entries(damages)) {
    const bytes = readFileSync(program);
    damage(bytes);
    writeFileSync(copy, bytes);
    chmodSync(copy, 0o755);
    t.same(run(copy, words), right, rule);
    t.equal(run(copy, ['--uses-heap-copy']).status, 1, `${rule}: the plain start serves`);
  }
  copyFileSync(program, copy);
  truncateSync(copy, statSync(program).size - 5000);
  t.same(run(copy, words), right, 'its end is gone');
  t.equal(run(copy, ['--uses-heap-copy']).status, 1, 'its end is gone: the plain start serves');
  t.same(run(program, words, { env: { PLUGD_LITE_PLAIN: '1' } }), right, 'the environment asks for none');
});

t.test('a layout that does not fit leaves an ordinary copy, or says so', { skip }, async (t) => {
  const folder = t.testdir();
  const line = `plugd-lite lookup --root ${root} --kernel 6.1.0 pci:v1d1`;
  const [heap, layout] = [join(folder, 'heap'), join(folder, 'layout')];
  const make = (): Ran => run(plain, ['--make-heap-copy', heap, layout, line]);
  t.same(make(), { status: 0, stdout: '', stderr: '' }, 'none');
  const ordinary = statSync(heap).size;
  t.equal(run(plain, ['--observe-heap', layout, line]).status, 0, 'starts are observed');
  t.same(make(), { status: 0, stdout: '', stderr: '' }, 'its own');
  t.ok(statSync(heap).size < ordinary, `${statSync(heap).size} bytes, ${ordinary} without a layout`);
  const own = readFileSync(layout);
  t.equal(run(plain, ['--observe-heap', layout, line]).status, 0);
  t.ok(readFileSync(layout).equals(own), 'the same each time');
  truncateSync(layout, 40_001);
  t.same(make(), { status: 0, stdout: '', stderr: '' }, 'a part of it');
  // The last two bits say that a piece stays outside of the copy.
  writeFileSync(layout, Buffer.from(own.map((byte, i) => (i % 4 === 0 && byte !== 0 ? byte | 3 : byte))));
  t.match(make(), { status: 1, stderr: /^plugd-lite: .*heap: / }, 'one that leaves out what is in use');
  t.match(
    run(plain, ['--observe-heap', layout, 'plugd-lite doctor']),
    { status: 1, stderr: /\nplugd-lite: plugd-lite: / },
    'a wrong line',
  );
});

t.test('what is too much ends in a sentence', { skip }, async (t) => {
  const big = join(t.testdir(), 'big.ko');
  writeFileSync(big, '\x7fELF');
  truncateSync(big, 500 * 1024 * 1024);
  const node = run(process.execPath, [cli, 'modinfo', big]);
  t.same(run(program, ['modinfo', big]), node, 'a module file of 500 MB');
  const insmod = run(program, ['insmod', big]);
  t.equal(insmod.status, 1);
  t.match(insmod.stderr, /^insmod: ERROR: /, 'insmod of a module file of 500 MB');
  const folder = t.testdir({ 'a.conf': 'options a b=1\n'.repeat(300_000) });
  const limited = ['-c', 'ulimit -v 30000; exec "$@"', 'sh', program];
  t.match(run('sh', [...limited, 'modprobe', ...TREE, '-C', folder, '-R', 'a']), {
    status: 71,
    stdout: '',
    stderr: /^plugd-lite: out of memory: this is more than the small engine holds; plugd on Node has more\n$/,
  });
  const packed = join(folder, 'packed.ko.xz');
  writeFileSync(packed, Buffer.from('fd377a585a00', 'hex'));
  truncateSync(packed, 500 * 1024 * 1024);
  t.match(
    run('sh', [...limited, 'insmod', packed]),
    { status: 1, stderr: /^insmod: ERROR: could not insert module .*: Cannot allocate memory\n$/ },
    'a module file that must be unpacked and finds no room is refused; no defect',
  );
  const deep = `pci:${'{a,'.repeat(30_000)}`;
  for (const words of [
    ['lookup', ...AT, deep],
    ['modprobe', ...TREE, '-R', '['.repeat(100_000)],
  ]) {
    const ended = run(program, words);
    t.ok(ended.status !== null && ended.status < 128, `${words[0]}: status ${ended.status}`);
    t.notMatch(ended.stderr, /defect/);
  }
});
