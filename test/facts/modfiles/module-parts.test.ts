import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { addon } from '../../../agent/base/addon.ts';
import { ERRNO } from '../../../agent/base/errno.ts';
import { imageSource } from '../../../agent/facts/modfiles/elf.ts';
import { openModuleFile, openModuleFileAsync, type ModuleFile } from '../../../agent/facts/modfiles/module-file.ts';
import { readModuleParts } from '../../../agent/facts/modfiles/module-parts.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { elfImage } from '../../fixtures/elf-image.ts';
import { Random } from '../../fixtures/random.ts';

const SECTIONS = ['.modinfo', '.symtab', '.strtab', '__versions', '__ksymtab_strings'];
const readiness = await needCommands(['xz', 'zstd']);
const skip = readiness.kind === 'missing' ? readiness.sentence : false;
const hasAddon = isBuilt();

function isBuilt(): boolean {
  try {
    return addon() !== undefined;
  } catch {
    return false;
  }
}

const random = new Random(3);
/** A module whose sections lie far from each other. */
const IMAGE = elfImage({
  sections: {
    '.text': Buffer.from(Array.from({ length: 40_000 }, () => random.below(256))),
    '.modinfo': 'license=GPL\0alias=pci:v1*\0',
    '.data': Buffer.alloc(100_000, 7),
    __ksymtab_strings: 'given\0',
    '.bss.like': Buffer.alloc(20_000, 1),
  },
  symbols: [{ name: 'needed' }, { name: '__crc_given', section: 'absolute', value: 5 }, { name: 'maybe', info: 0x20 }],
});

function pack(program: string, ...options: readonly string[]): Buffer {
  const run = spawnSync(program, [...options, '-c'], { input: IMAGE, maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(String(run.stderr));
  return run.stdout;
}

const PACKED: ReadonlyArray<readonly [name: string, compression: 'xz' | 'zstd', pack: () => Buffer, inParts: boolean]> =
  [
    ['xz', 'xz', () => pack('xz', '-1'), true],
    ['xz with CRC32, as kernels are built', 'xz', () => pack('xz', '--check=crc32', '--lzma2=dict=1MiB'), true],
    ['xz of many blocks', 'xz', () => pack('xz', '--block-size=10000'), true],
    ['xz with another check', 'xz', () => pack('xz', '--check=sha256'), false],
    ['xz without a check', 'xz', () => pack('xz', '--check=none'), false],
    ['xz with another filter', 'xz', () => pack('xz', '--x86', '--lzma2=dict=1MiB'), false],
    [
      'two xz streams',
      'xz',
      () => Buffer.concat([pack('xz', '-1'), spawnSync('xz', ['-c'], { input: '' }).stdout]),
      false,
    ],
    ['zstd', 'zstd', () => pack('zstd', '-q', '-1', `--stream-size=${IMAGE.length}`), true],
    ['zstd that does not say its size', 'zstd', () => pack('zstd', '-q', '-1'), false],
  ];

async function parts(compression: 'xz' | 'zstd', file: string, whole = () => imageSource(IMAGE)) {
  const fd = openSync(file, 'r');
  try {
    return await readModuleParts(compression, { fd, size: statSync(file).size }, SECTIONS, whole);
  } finally {
    closeSync(fd);
  }
}

/** What depmod takes of a module. */
function facts(file: ModuleFile) {
  const symbols: string[] = [];
  const name = (bytes: Uint8Array, start: number) =>
    Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString();
  const known = file.visitSymbols({
    exported: (bytes, start, crc) => symbols.push(`${name(bytes, start)}=${crc}`),
    needed: (bytes, start, weak) => symbols.push(`${name(bytes, start)}${weak ? '?' : ''}`),
  });
  return { modinfo: file.modinfo, symbols, known };
}

function moduleOf(opened: Awaited<ReturnType<typeof openModuleFileAsync>>): ModuleFile {
  if (opened.kind === 'not-a-module') throw new Error(opened.why);
  return opened;
}

for (const [name, compression, make, inParts] of PACKED) {
  t.test(name, { skip: hasAddon ? skip : 'no addon' }, async (t) => {
    const file = join(t.testdir({}), 'm.ko');
    writeFileSync(file, make());
    const source = await parts(compression, file, () => {
      throw new Error('the whole image');
    });
    t.equal(source !== undefined, inParts, 'in parts');
    if (source !== undefined) {
      t.equal(source.size, IMAGE.length);
      t.throws(() => source.read(1000, 100), /the whole image/, 'what was not asked for');
      source.close();
    }
    const [whole, some] = [moduleOf(openModuleFile('', file)), moduleOf(await openModuleFileAsync('', file, SECTIONS))];
    t.same(facts(some), facts(whole), 'either way the same is read');
    t.same(facts(some).symbols, ['given=5', 'needed', 'maybe?']);
    t.ok(some.image().equals(IMAGE), 'everything else comes from the whole image');
    some.close();
  });
}

t.test('only what is unpacked counts for the limit', { skip: hasAddon ? skip : 'no addon' }, async (t) => {
  // 33 MiB, of which the first and the last block have what is wanted.
  const large = elfImage({
    sections: { '.modinfo': 'license=GPL\0', '.text': Buffer.alloc(33 << 20) },
    symbols: [{ name: 'needed' }],
  });
  const folder = t.testdir({});
  for (const [name, inParts, ...options] of [
    ['xz of one block', false, 'xz', '-0', '--block-size=100MiB'],
    ['xz of many blocks', true, 'xz', '-0', '--block-size=1MiB'],
    ['zstd', false, 'zstd', '-q', '-1', `--stream-size=${large.length}`],
  ] as const) {
    const [program, ...words] = options;
    const file = join(folder, 'm.ko');
    writeFileSync(file, spawnSync(program, [...words, '-c'], { input: large, maxBuffer: 1 << 28 }).stdout);
    const source = await parts(program, file, () => imageSource(large));
    t.equal(source !== undefined, inParts, `${name}: in parts`);
    source?.close();
    const opened = await openModuleFileAsync('', file, SECTIONS);
    t.equal(opened.kind === 'module' ? opened.modinfo.length : opened.errno, inParts ? 1 : ERRNO.EFBIG, name);
    if (opened.kind === 'module') opened.close();
  }
});

t.test('gzip is read whole', async (t) => {
  const file = join(t.testdir({}), 'm.ko.gz');
  writeFileSync(file, gzipSync(IMAGE));
  const some = moduleOf(await openModuleFileAsync('', file, SECTIONS));
  t.same(facts(some).symbols, ['given=5', 'needed', 'maybe?']);
  some.close();
});

t.test(
  'a file that is cut off or changed is judged by the whole of it',
  { skip: hasAddon ? skip : 'no addon' },
  async (t) => {
    for (const [name, , make] of PACKED.filter(([, , , inParts]) => inParts)) await damage(t, name, make());
  },
);

async function damage(t: Test, name: string, good: Buffer): Promise<void> {
  const file = join(t.testdir({}), 'm.ko');
  const different: string[] = [];
  const at = new Random(11);
  for (let i = 0; i < 150; i++) {
    const where = i < 40 ? i : i < 80 ? good.length - 1 - (i - 40) : at.below(good.length);
    const bad = i % 2 === 0 ? good.subarray(0, where) : Buffer.from(good);
    if (i % 2 === 1) bad[where] = (bad[where] ?? 0) ^ (1 + at.below(255));
    writeFileSync(file, bad);
    const [whole, some] = [openModuleFile('', file), await openModuleFileAsync('', file, SECTIONS)];
    const same =
      whole.kind === 'module' && some.kind === 'module'
        ? JSON.stringify(facts(whole)) === JSON.stringify(facts(some))
        : // In parts damage can go unseen where nothing is read, as in a file that is not compressed.
          whole.kind === some.kind || name === 'xz of many blocks';
    if (!same) different.push(`${i}: ${where}`);
    if (some.kind === 'module') some.close();
  }
  t.same(different, [], name);
}

t.test('wrong arguments are a TypeError', { skip: hasAddon ? false : 'no addon' }, (t) => {
  const loose = addon() as unknown as { readModulePartsAsync: (...args: unknown[]) => unknown };
  const file = openSync(import.meta.filename, 'r');
  for (const args of [
    ['lz4', file, 1, 1, [], Buffer.alloc(1), () => {}],
    ['xz', file, -1, 1, [], Buffer.alloc(1), () => {}],
    ['xz', file, 1, Number.NaN, [], Buffer.alloc(1), () => {}],
    ['xz', file, 1, 1, [5], Buffer.alloc(1), () => {}],
    ['xz', file, 1, 1, [], new Uint16Array(1), () => {}],
    ['xz', file, 1, 1, [], Buffer.alloc(1)],
  ]) {
    t.throws(() => loose.readModulePartsAsync(...args), TypeError);
  }
  closeSync(file);
  t.end();
});

t.test(
  'sections larger than the buffer come in one of their own',
  { skip: hasAddon ? skip : 'no addon' },
  async (t) => {
    const big = elfImage({ sections: { '.modinfo': 'a=b\0'.repeat(200_000), '.text': 'x' } });
    const file = join(t.testdir({}), 'm.ko.xz');
    const run = spawnSync('xz', ['-0', '-c'], { input: big, maxBuffer: 1 << 28 });
    writeFileSync(file, run.stdout);
    const some = moduleOf(await openModuleFileAsync('', file, SECTIONS));
    t.equal(some.modinfo.length, 200_000);
    some.close();
    t.equal(readFileSync(file).length, run.stdout.length);
  },
);
