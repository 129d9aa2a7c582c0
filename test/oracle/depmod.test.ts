/**
 * depmod against Debian's: every file of the tree byte for byte, standard output, messages and status, on Debian's module
 * trees and on trees made to hurt. What differs on purpose is in docs/differences.md and named at its place here.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { runProgram, type Ended } from '../fixtures/commands.ts';
import { debianTree, needCommands, type Architecture, type DebianTree } from '../fixtures/debian.ts';
import { elfImage, moduleImage, type ModuleImage } from '../fixtures/elf-image.ts';
import { share, WHOLE } from '../share.ts';
import { makeModuleDirectory, type Files } from '../fixtures/made-tree.ts';
import { Random } from '../fixtures/random.ts';

const root = join(import.meta.dirname, '../../..');
const readiness = await needCommands(['depmod', 'xz', 'zstd']);
const KERNEL = '6.1.0-test';
/** kmod 33 and later write modules.weakdep; 34 and later write nodes before their children. */
const version =
  readiness.kind === 'ready' ? Number(/version (\d+)/.exec((await runProgram('depmod', ['-V'])).stdout)?.[1]) : 0;
const layout = version >= 34 ? ['--index-order', 'parent-first'] : [];
const skip = readiness.kind === 'missing' ? readiness.sentence : false;

async function plugd(args: readonly string[]): Promise<Ended> {
  return runProgram(process.execPath, [join(root, 'dist/agent/cli.js'), 'depmod', ...layout, ...args]);
}

/** The index files of a tree, by name. What the kernel's build and packages put there is no index. */
function indexFiles(moduleDir: string): ReadonlyMap<string, Buffer> {
  const given = new Set(['modules.order', 'modules.builtin', 'modules.builtin.modinfo']);
  const names = existsSync(moduleDir) ? readdirSync(moduleDir) : [];
  return new Map(
    names
      .filter(
        (name) => name.startsWith('modules.') && !given.has(name) && !(name === 'modules.weakdep' && version < 33),
      )
      .map((name) => [name, readFileSync(join(moduleDir, name))]),
  );
}

interface Run {
  readonly ended: Ended;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Both commands on the same tree, one after the other, each without what was there before. */
async function both(base: string, args: readonly string[], kernel = KERNEL): Promise<{ kmod: Run; own: Run }> {
  const moduleDir = join(base, 'lib/modules', kernel);
  const run = async (start: () => Promise<Ended>): Promise<Run> => {
    for (const name of [...indexFiles(moduleDir).keys(), 'modules.weakdep'])
      rmSync(join(moduleDir, name), { force: true });
    const ended = await start();
    return { ended, files: indexFiles(moduleDir) };
  };
  const kmod = await run(async () => runProgram('depmod', ['-b', base, ...args]));
  const own = await run(async () => plugd(['-b', base, ...args]));
  return { kmod, own };
}

/** plugd says after kmod's message why a file is no module; kmod's library talks at -vv, and getopt names its whole path. */
function messages(stderr: string): string {
  return (
    stderr
      .replaceAll(/^(depmod: ERROR: failed to load symbols from .*: [A-Z][a-z ]+) \(.*\)$/gm, '$1')
      .replaceAll(/^depmod: INFO: .*libkmod.*\n/gm, '')
      .replaceAll(/^\/\S*\/depmod: /gm, 'depmod: ')
      // Whatever error the C library met last.
      .replaceAll(/( Invalid symbol version \S+): .*/g, '$1')
      .split('\n')
      .toSorted()
      .join('\n')
  );
}

/** Before kmod 33 nobody wrote weakdeps. */
function output(stdout: string): string {
  return version < 33 ? stdout.replaceAll(/^(# Weak dependencies .*|weakdep .*)\n/gm, '') : stdout;
}

/** What one run did, as far as two should agree. */
function outcome({ ended, files }: Run) {
  return { status: ended.status, stdout: output(ended.stdout), stderr: messages(ended.stderr), files };
}

async function compare(
  t: Test,
  name: string,
  base: string,
  args: readonly string[] = [],
  kernel = KERNEL,
): Promise<Run> {
  const { kmod, own } = await both(base, [...args, kernel], kernel);
  t.same([...own.files.keys()], [...kmod.files.keys()], `${name}: the same files`);
  for (const [file, bytes] of kmod.files) {
    const ours = own.files.get(file) ?? Buffer.alloc(0);
    if (!ours.equals(bytes)) t.fail(`${name}: ${file} differs (${ours.length} bytes, kmod ${bytes.length})`);
  }
  t.equal(output(own.ended.stdout), output(kmod.ended.stdout), `${name}: output`);
  // kmod reads directories as they lie on the disk: the lines are the same, their order may differ.
  t.equal(messages(own.ended.stderr), messages(kmod.ended.stderr), `${name}: messages`);
  t.equal(own.ended.status, kmod.ended.status, `${name}: status`);
  return own;
}

for (const arch of ['amd64', 'arm64', 'armhf'] as const satisfies readonly Architecture[]) {
  t.test(`Debian's ${arch} tree`, { skip }, async (t) => {
    const tree = await debianTree(arch);
    if (tree.kind === 'missing') {
      t.comment(tree.sentence);
      return;
    }
    const base = linkedTree(t.testdir({}), tree);
    const { files } = await compare(t, 'whole', base, [], tree.kernel);
    t.ok((files.get('modules.dep')?.length ?? 0) > 100_000, 'a whole tree');
    // What follows is the same for all three, and each tree takes seconds.
    if (arch !== 'amd64' && !WHOLE) return;
    rmSync(join(base, 'lib/modules', tree.kernel, 'modules.order'));
    await compare(t, 'without modules.order', base, [], tree.kernel);
    rmSync(join(base, 'lib/modules', tree.kernel, 'modules.builtin'));
    await compare(t, 'shown, not written', base, ['-n'], tree.kernel);
  });
}

/** A tree that borrows the other's modules through a link, so that only indexes are written. */
function linkedTree(base: string, tree: DebianTree): string {
  const from = join(tree.root, 'lib/modules', tree.kernel);
  const to = join(base, 'lib/modules', tree.kernel);
  mkdirSync(to, { recursive: true });
  symlinkSync(join(from, 'kernel'), join(to, 'kernel'));
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
    cpSync(join(from, name), join(to, name));
  return base;
}

t.test('compressed modules', { skip }, async (t) => {
  const tree = await debianTree('amd64');
  if (tree.kind === 'missing') {
    t.comment(tree.sentence);
    return;
  }
  const from = join(tree.root, 'lib/modules', tree.kernel);
  const order = readFileSync(join(from, 'modules.order'), 'latin1').split('\n');
  const chosen = order.filter((line) =>
    /^kernel\/(crypto|lib|net\/(core|netfilter|sched)|drivers\/(virtio|usb\/host))\//.test(line),
  );
  t.ok(chosen.length > 150, `${chosen.length} modules`);
  const hasGzip = (await runProgram('depmod', ['-V'])).stdout.includes('+ZLIB');
  const plain = t.testdir({});
  const bases: Readonly<Record<'xz' | 'zst' | 'gz', string>> = {
    xz: join(plain, 'xz'),
    zst: join(plain, 'zst'),
    gz: join(plain, 'gz'),
  };
  const place = (base: string, path: string) => {
    const target = join(base, 'lib/modules', KERNEL, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  for (const base of [plain, ...Object.values(bases)]) {
    writeFileSync(place(base, 'modules.order'), order.join('\n'));
  }
  for (const path of chosen) {
    const source = join(from, path);
    cpSync(source, place(plain, path));
    writeFileSync(place(bases.gz, `${path}.gz`), gzipSync(readFileSync(source), { level: 1 }));
    for (const [extension, program] of [
      ['xz', 'xz'],
      ['zst', 'zstd'],
    ] as const) {
      const options = program === 'xz' ? ['-0', '--check=crc32', '-c'] : ['-1', '-cq'];
      writeFileSync(
        place(bases[extension], `${path}.${extension}`),
        execFileSync(program, [...options, source], { maxBuffer: 1 << 28 }),
      );
    }
  }
  const { files } = await compare(t, 'plain', plain);
  await compare(t, 'xz', bases.xz);
  await compare(t, 'zstd', bases.zst);
  if (hasGzip) await compare(t, 'gzip', bases.gz);
  else {
    // Debian's kmod cannot read gzip: there the tree of plain modules is the measure.
    const ended = await plugd(['-b', bases.gz, KERNEL]);
    t.same([ended.status, ended.stdout], [0, '']);
    const gz = indexFiles(join(bases.gz, 'lib/modules', KERNEL));
    t.equal(
      gz.get('modules.dep')?.toString('latin1').replaceAll('.ko.gz', '.ko'),
      files.get('modules.dep')?.toString('latin1'),
    );
    for (const name of ['modules.alias.bin', 'modules.symbols.bin', 'modules.softdep']) {
      t.ok(gz.get(name)?.equals(files.get(name) ?? Buffer.alloc(0)), `gzip: ${name}`);
    }
  }
});

function makeTree(base: string, files: Files): string {
  makeModuleDirectory(join(base, 'lib/modules', KERNEL), files);
  return base;
}

const good: ModuleImage = { modinfo: ['alias=pci:v1*', 'softdep=pre: x', 'weakdep=y'], exports: { good_symbol: 1 } };
const ring = (names: readonly string[]): Files =>
  Object.fromEntries(
    names.map((name, i) => [
      `kernel/${name}.ko`,
      { exports: { [`of_${name}`]: 1 }, needs: { [`of_${names[(i + 1) % names.length] ?? ''}`]: 1 } },
    ]),
  );

const TREES: Readonly<Record<string, Files>> = {
  empty: {},
  'nothing but indexes of the build': { 'modules.order': '', 'modules.builtin': '', 'modules.builtin.modinfo': '' },
  'files that are no modules': {
    'kernel/text.ko': 'hello, world\n',
    'kernel/short.ko': 'abc',
    'kernel/empty.ko': '',
    'kernel/truncated.ko': moduleImage(good).subarray(0, 300),
    'kernel/head.ko': moduleImage(good).subarray(0, 60),
    'kernel/broken.ko.xz': Buffer.from('fd377a585a00000000', 'hex'),
    'kernel/good.ko': good,
    'kernel/plain-named-xz.ko.xz': good,
    'kernel/not-a-module.txt': 'x',
    'kernel/x.ko.old': 'x',
  },
  'modules with little in them': {
    'kernel/nothing.ko': elfImage({}),
    'kernel/stripped.ko': elfImage({ sections: { '.modinfo': 'alias=s\0' } }),
    'kernel/unversioned.ko': elfImage({ sections: { __ksymtab_strings: 'one\0two\0' } }),
    'kernel/big.ko': { bits: 64, littleEndian: false, modinfo: ['alias=big'], needs: { one: 5 } },
    'kernel/small.ko': { bits: 32, littleEndian: true, modinfo: ['alias=small'], needs: { two: 5 } },
    'kernel/both.ko': { bits: 32, littleEndian: false, modinfo: ['alias=both'], exports: { three: 3 } },
  },
  names: {
    'kernel/with-dash.ko': {
      modinfo: ['alias=with-dash', 'alias=a-[b-c]-d', 'alias=x[y', 'alias=x]y'],
      exports: { dash: 1 },
    },
    'kernel/two.dots.ko': { needs: { dash: 1 } },
    'kernel/a b.ko': good,
    'kernel/UPPER.ko': { modinfo: ['alias=', 'alias= ', 'alias=with blanks  in it', 'alias=with-dash'] },
    'modules.order': 'kernel/with-dash.ko\nkernel/two.dots.ko\nkernel/a b.ko\n',
  },
  'device names': {
    'kernel/a.ko': { modinfo: ['alias=devname:a', 'alias=char-major-10-237'] },
    'kernel/b.ko': { modinfo: ['alias=block-major-7-*', 'alias=block-major-8-1x', 'alias=devname:d/b'] },
    'kernel/c.ko': { modinfo: ['alias=devname:c'] },
    'kernel/d.ko': { modinfo: ['alias=char-major-1-2', 'alias=char-major-3-4', 'alias=devname:d', 'alias=devname:e'] },
    'kernel/e.ko': { modinfo: ['alias=char-major- 5-6', 'alias=char-major-+7-8', 'alias=devname:'] },
  },
  builtin: {
    'modules.builtin': 'kernel/a-b.ko\nkernel/lib/c.ko\n\n1kernel/d.ko\nkernel/a-b.ko\nplain',
    'modules.builtin.modinfo':
      'a_b.alias=x-y\0a_b.license=GPL\0c.alias=[z\0c.alias=\0no-dot\0c.alias=pci:v*\0c.description=a.b=c\0d.alias=last\0',
    'modules.order': '',
  },
  'order without a last newline': {
    'kernel/b.ko': good,
    'kernel/a.ko': {},
    'modules.order': 'kernel/b.ko\nkernel/a.ko',
  },
  'order of half the modules': {
    ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`kernel/m${i}.ko`, { modinfo: ['alias=same'] }])),
    'modules.order':
      Array.from({ length: 20 }, (_, i) => `kernel/m${(i * 7) % 40}.ko\n`).join('') + 'kernel/none.ko\n\n',
  },
  duplicates: {
    'kernel/x.ko': { modinfo: ['alias=from-kernel'], exports: { x: 1 } },
    'updates/x.ko': { modinfo: ['alias=from-updates'], exports: { x: 2 } },
    'updates/dkms/y.ko.xz': { modinfo: ['alias=y-from-updates'], needs: { x: 1 } },
    'kernel/y.ko': { modinfo: ['alias=y-from-kernel'] },
    'kernel/z-z.ko': { modinfo: ['alias=z'] },
    'updates/z_z.ko': { modinfo: ['alias=z-updates'] },
    'build/w.ko': good,
    'source/w.ko': good,
    'modules.order': 'kernel/y.ko\nkernel/x.ko\n',
  },
  'one symbol of many': {
    'kernel/a.ko': { exports: { same: 1 } },
    'kernel/b.ko': { exports: { same: 1 } },
    'kernel/c.ko': { exports: { same: 1 } },
    'kernel/user.ko': { needs: { same: 1, '.same': 1, missing: 1 }, weak: ['maybe'] },
  },
  'two modules in a cycle': { ...ring(['a', 'b']), 'kernel/c.ko': good },
  'three modules in a cycle': ring(['alpha', 'beta', 'gamma']),
  'two cycles': { ...ring(['a', 'b']), ...ring(['c', 'd', 'e']) },
  'a user of a cycle': { ...ring(['a', 'b']), 'kernel/top.ko': { needs: { of_a: 1 } } },
  'a module that needs itself': ring(['self']),
};

for (const [name, files] of Object.entries(TREES)) {
  t.test(`tree: ${name}`, { skip }, async (t) => {
    const base = makeTree(t.testdir({}), files);
    if (WHOLE) await compare(t, 'written', base);
    await compare(t, 'shown', base, ['-n']);
    await compare(t, 'told and warned', base, ['-vw']);
  });
}

t.test('links', { skip }, async (t) => {
  const base = makeTree(t.testdir({}), { 'kernel/a.ko': good, 'elsewhere.d/b.ko': { needs: { good_symbol: 1 } } });
  const moduleDir = join(base, 'lib/modules', KERNEL);
  symlinkSync('nowhere', join(moduleDir, 'kernel/dangling.ko'));
  symlinkSync('/dev/null', join(moduleDir, 'kernel/null.ko'));
  symlinkSync('a.ko', join(moduleDir, 'kernel/link.ko'));
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(base, 'outside/c.ko'), moduleImage({ needs: { good_symbol: 1 } }));
  symlinkSync(join(base, 'outside'), join(moduleDir, 'updates'));
  linkSync(join(moduleDir, 'kernel/a.ko'), join(moduleDir, 'kernel/hard-link.ko'));
  await compare(t, 'links', base);

  // kmod goes round until it has no descriptors left; so only plugd is asked.
  symlinkSync('..', join(moduleDir, 'kernel/up'));
  symlinkSync('.', join(moduleDir, 'kernel/here'));
  const ended = await plugd(['-b', base, KERNEL]);
  t.equal(ended.status, 0);
  t.equal(ended.stderr.match(/a symbolic link to a directory above it/g)?.length, 2, ended.stderr);
  t.match(indexFiles(moduleDir).get('modules.dep')?.toString(), /^kernel\/a.ko:$/m);
});

const CONFIGS: Readonly<Record<string, string>> = {
  nothing: '',
  'the search of Debian': 'search updates built-in\n',
  'extra first': 'search extra updates built-in\n',
  'built-in first': 'search built-in extra\n',
  'one word a line': 'search updates\nsearch extra\nsearch built-in\n',
  'no built-in': 'search extra\n',
  override: 'search updates built-in\noverride x 6.1.* extra\noverride y 5.* extra\n',
  'override of every release': 'override x * kernel\noverride z-z * extra\n',
  'override by the wrong name': 'override z_z * extra\n',
  'regular expressions':
    'override x ^6\\\\.[[:digit:]] extra\noverride y (a|6)\\\\.1 extra\noverride q 6.1{1} extra\noverride z-z test$ extra\n',
  'bad expressions': 'override x *6 extra\noverride y [6 extra\noverride y 6) kernel\n',
  external: 'search external updates built-in\nexternal 6.1 EXTERNAL\nexternal * /nonexistent/plugd\n',
  'external last': 'search updates built-in external\nexternal * EXTERNAL\n',
  'external not searched': 'external * EXTERNAL\n',
  'external of another release': 'search external\nexternal 5.10 EXTERNAL\n',
  exclude: 'exclude extra y.ko\nexclude\n',
  'bad lines':
    'serach updates\noverride x\nexternal *\n  # not a comment\n#comment\n\\\n\nmake_map_files no\ninclude x\nsearch\textra \\\n built-in\n',
};

/** Configurations that leave it open which of two files counts, by tree. */
const TIES: Readonly<Record<string, readonly string[]>> = {
  'a copy in updates': ['built-in first', 'no built-in', 'external of another release', 'bad lines'],
  'a copy in extra': [
    'nothing',
    'the search of Debian',
    'override',
    'override by the wrong name',
    'bad expressions',
    'external',
    'external last',
    'external not searched',
    'external of another release',
  ],
};

const COPIES: Readonly<Record<string, Files>> = {
  'a copy in updates': {
    'kernel/x.ko': { modinfo: ['alias=kernel-x'] },
    'updates/x.ko': { modinfo: ['alias=updates-x'] },
    'extra/y.ko': { modinfo: ['alias=extra-y'] },
    'updates/dkms/y.ko': { modinfo: ['alias=updates-y'] },
    'kernel/z-z.ko': { modinfo: ['alias=kernel-z'] },
    'updates/z-z.ko': { modinfo: ['alias=updates-z'] },
    'kernel/only-here.ko': good,
  },
  'a copy in extra': {
    'kernel/x.ko': { modinfo: ['alias=kernel-x'] },
    'extra/x.ko': { modinfo: ['alias=extra-x'] },
    'updates/y.ko': { modinfo: ['alias=updates-y'] },
    'extra/deep/y.ko': { modinfo: ['alias=extra-y'] },
    'kernel/a/z-z.ko': { modinfo: ['alias=kernel-z'] },
    'extra/z-z.ko': { modinfo: ['alias=extra-z'] },
    'kernel/only-here.ko': good,
  },
};

for (const [copies, files] of Object.entries(COPIES)) {
  t.test(`depmod.d: ${copies}`, { skip }, async (t) => {
    const base = makeTree(t.testdir({}), files);
    const external = join(base, 'external');
    mkdirSync(external);
    writeFileSync(join(external, 'x.ko'), moduleImage({ modinfo: ['alias=external-x'], needs: { good_symbol: 1 } }));
    writeFileSync(join(external, 'new.ko'), moduleImage({ needs: { good_symbol: 1 } }));
    const ties: string[] = [];
    const configs = share(Object.entries(CONFIGS), 5);
    for (const [i, [name, text]] of configs.entries()) {
      const file = join(base, `config${i}.conf`);
      writeFileSync(file, text.replaceAll('EXTERNAL', external));
      const { kmod, own } = await both(base, ['-vv', '-C', file, KERNEL]);
      // In a tie kmod takes the file that its file system names first; plugd the first by name, and says so.
      if (own.ended.stderr.includes(' have the same rank: ')) ties.push(name);
      else t.strictSame(outcome(own), outcome(kmod), name);
    }
    const expected = TIES[copies]?.filter((tie) => configs.some(([name]) => name === tie));
    t.same(ties, expected, 'ties');
  });
}

t.test("the kernel's symbols", { skip }, async (t) => {
  const base = makeTree(t.testdir({}), {
    'kernel/a.ko': {
      exports: { of_a: 0x1234 },
      needs: { of_kernel: 0x10, nobody: 1, __this_module: 0 },
      weak: ['perhaps'],
    },
    'kernel/b.ko': { needs: { of_a: 0x1234, of_kernel: 0x11, _of_prefix: 3 } },
    'kernel/c.ko': { needs: { of_a: 0x9999, 'TOC.': 0, _GLOBAL_OFFSET_TABLE_: 0 } },
    'modules.order': '',
  });
  const symvers = join(base, 'Module.symvers');
  writeFileSync(
    symvers,
    '0x00000010\tof_kernel\tvmlinux\tEXPORT_SYMBOL\n0x11\tof_module\tdrivers/x\tEXPORT_SYMBOL\nzz bad vmlinux x\nshort\n\n0x5\tthree\tvmlinux\n7 hex vmlinux E\n',
  );
  const map = join(base, 'System.map');
  writeFileSync(map, 'c0294200 R __ksymtab_of_kernel\nc0294200 T printk\nbroken\nffff R ___ksymtab_of_prefix\n');
  for (const args of [
    ['-e'],
    ['-e', '-E', symvers],
    ['-E', symvers],
    ['-e', '-F', map],
    ['-eE', symvers, '-F', map],
    ['-e', '-P', '_', '-F', map],
    ['--errsyms', `--symvers=${symvers}`],
    ['-e', '-E', join(base, 'nothing')],
    ['-F', join(base, 'nothing')],
  ]) {
    await compare(t, args.join(' ').replaceAll(base, ''), base, args);
  }
});

t.test('files named one by one', { skip }, async (t) => {
  const base = makeTree(t.testdir({}), {
    'kernel/a.ko': good,
    'kernel/b.ko': { needs: { good_symbol: 1 } },
    'modules.order': '',
  });
  const path = (name: string) => join(base, 'lib/modules', KERNEL, name);
  const outside = join(base, 'outside.ko');
  writeFileSync(outside, moduleImage({ needs: { good_symbol: 1 } }));
  for (const files of [
    [path('kernel/b.ko')],
    [path('kernel/b.ko'), path('kernel/a.ko')],
    [outside, path('kernel/a.ko')],
    ['relative.ko'],
    [path('kernel/missing.ko')],
  ]) {
    const { kmod, own } = await both(base, [KERNEL, ...files]);
    t.strictSame(outcome(own), outcome(kmod), files.map((file) => file.slice(base.length)).join(' '));
  }
  const { kmod, own } = await both(base, ['-a', KERNEL, path('kernel/a.ko')]);
  t.strictSame(outcome(own), outcome(kmod), '-a with a file');
});

t.test('the command line', { skip }, async (t) => {
  const base = makeTree(t.testdir({}), {
    'kernel/a.ko': good,
    'modules.order': '',
    'modules.builtin': '',
    'modules.builtin.modinfo': '',
  });
  for (const args of [
    ['-Z'],
    ['--nonsense'],
    ['--nonsense=x'],
    ['--al=x', KERNEL],
    ['--s', KERNEL],
    ['--sym', KERNEL],
    ['--basedir'],
    ['-b'],
    ['-E'],
    ['-P', '__', KERNEL],
    ['not-a-version'],
    ['6'],
    ['6.1.0-none'],
    ['--', KERNEL],
    [KERNEL, '--all'],
    ['-aw', '--verb', '--conf', '/dev/null', KERNEL],
    ['-nvC/dev/null', KERNEL],
    ['-A', KERNEL],
    ['--quick', '6.1.0-none'],
  ]) {
    const { kmod, own } = await both(base, args);
    t.strictSame(outcome(own), outcome(kmod), args.join(' '));
  }
});

t.test('-A works only when something is newer', { skip }, async (t) => {
  const base = makeTree(t.testdir({}), { 'kernel/deep/a.ko': good, 'modules.order': '' });
  const moduleDir = join(base, 'lib/modules', KERNEL);
  const dep = join(moduleDir, 'modules.dep');
  const module = join(moduleDir, 'kernel/deep/a.ko');
  const cases: ReadonlyArray<readonly [name: string, depAge: string, moduleAge: string]> = [
    ['older', '2020-01-02', '2020-01-01'],
    ['the same second', '2020-01-01 00:00:00.2', '2020-01-01 00:00:00.8'],
    ['newer', '2020-01-01', '2020-01-02'],
  ];
  for (const [name, depAge, moduleAge] of cases) {
    const results = [];
    for (const run of [async (args: string[]) => runProgram('depmod', args), plugd]) {
      writeFileSync(dep, 'untouched');
      execFileSync('touch', ['-d', depAge, dep]);
      execFileSync('touch', ['-d', moduleAge, module]);
      const ended = await run(['-A', '-b', base, KERNEL]);
      results.push([ended.status, readFileSync(dep, 'latin1')]);
    }
    t.strictSame(results[1], results[0], name);
  }
});

t.test('random trees', { skip }, async (t) => {
  for (let seed = 1; seed <= (WHOLE ? 12 : 4); seed++) {
    const random = new Random(seed);
    const count = 5 + random.below(60);
    const names = Array.from({ length: count }, (_, i) => `${random.text('abz-_09', 1, 9)}${i}`);
    const files: Record<string, Buffer | string | ModuleImage> = {};
    for (const [i, name] of names.entries()) {
      const dir = random.of(['kernel', 'kernel/a', 'kernel/a-b/c', 'extra']);
      const aliases = Array.from({ length: random.below(5) }, () => `alias=${random.text('ab-*?[]:_ v', 1, 12)}`);
      files[`${dir}/${name}.ko`] = {
        bits: random.of([32, 64]),
        littleEndian: random.below(2) === 0,
        modinfo: [...aliases, ...(random.below(4) === 0 ? ['softdep=pre: a post: b'] : [])],
        exports: Object.fromEntries(
          Array.from({ length: random.below(4) }, (_, j) => [`s${i}_${j}`, random.below(1000)]),
        ),
        // Mostly downwards: a few trees have cycles.
        needs: Object.fromEntries(
          Array.from({ length: random.below(6) }, () => {
            const provider = seed % 4 === 0 && random.below(60) === 0 ? random.below(count) : random.below(i + 1);
            return [`s${provider === i ? count : provider}_${random.below(4)}`, random.below(2) === 0 ? 7 : undefined];
          }),
        ),
      };
      if (random.below(6) === 0) files[`updates/${name}.ko`] = { modinfo: ['alias=update'], needs: { s0_0: 1 } };
    }
    if (random.below(3) > 0) {
      const listed = Object.keys(files).filter(() => random.below(3) > 0);
      files['modules.order'] = listed.map((path) => `${path}\n`).join('');
    }
    const base = makeTree(t.testdir({}), files);
    const { kmod, own } = await both(base, [KERNEL]);
    t.equal(own.ended.status, kmod.ended.status, `seed ${seed}: status`);
    const different = [...kmod.files]
      .filter(([name, bytes]) => !own.files.get(name)?.equals(bytes))
      .map(([name]) => name);
    t.same(different, [], `seed ${seed}: ${count} modules, status ${kmod.ended.status}`);
  }
});
