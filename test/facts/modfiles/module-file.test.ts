import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { compressionOf } from '../../../agent/facts/modfiles/compression.ts';
import { decompress, decompressAsync, unpackByProgram } from '../../../agent/facts/modfiles/decompress.ts';
import { imageSource, parseElf, u64, viewOf } from '../../../agent/facts/modfiles/elf.ts';
import { MODINFO_LIMIT, modinfoValues, parseModinfo } from '../../../agent/facts/modfiles/modinfo.ts';
import { ModuleFile, openModuleFile, openModuleFileAsync } from '../../../agent/facts/modfiles/module-file.ts';
import { readModuleInfo } from '../../../agent/facts/modfiles/module-info.ts';
import { readSignature } from '../../../agent/facts/modfiles/signature.ts';
import { elfImage, type ElfImage } from '../../fixtures/elf-image.ts';

const dir = t.testdir({});
let files = 0;

/** Writes a file and opens it; the file is closed when the tests end. */
function open(image: Buffer, name = `m${files++}.ko`) {
  const path = join(dir, name);
  writeFileSync(path, image);
  const file = openModuleFile('', path);
  if (file.kind === 'module') t.teardown(() => file.close());
  return file;
}

function opened(image: Buffer, name?: string): ModuleFile {
  const file = open(image, name);
  if (file.kind !== 'module') throw new Error(file.why);
  return file;
}

const MARK = '~Module signature appended~\n';
const ORDERS = [
  [64, true],
  [64, false],
  [32, true],
  [32, false],
] as const;

/** A module with one of everything, in a class and byte order. */
function everything(bits: 32 | 64, littleEndian: boolean): Buffer {
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    viewOf(bytes).setUint32(0, value, littleEndian);
    return bytes;
  };
  const version = (crc: number, name: string) => {
    const entry = Buffer.alloc(64);
    const crcSize = bits / 8;
    viewOf(entry).setUint32(littleEndian ? 0 : crcSize - 4, crc, littleEndian);
    entry.write(name, crcSize, 'latin1');
    return entry;
  };
  const sections: ElfImage['sections'] = {
    '.note.gnu.build-id': Buffer.concat([word(4), word(3), word(3), Buffer.from('GNU\0\x01\xab\xff', 'latin1')]),
    __kcrctab: Buffer.concat([word(0xdeadbeef), word(0x12345678)]),
    '.modinfo': '\0\0license=GPL\0\0\0alias=pci:v*d*\0alias=x=y\0odd\0vermagic=6.1.0 SMP \0author=M\xfcller',
    __versions: Buffer.concat([
      version(0x11111111, 'needed'),
      version(0x22222222, 'only_versioned'),
      version(0x33333333, 'x'.repeat(64 - bits / 8)),
    ]),
    __version_ext_crcs: Buffer.concat([word(0x44444444), word(0x55555555)]),
    __version_ext_names: `needed\0${'_R'.repeat(60)}\0`,
  };
  return elfImage({
    bits,
    littleEndian,
    sections,
    symbols: [
      { name: '__crc_gives', section: '__kcrctab', value: 4 },
      { name: 'gives', section: '__kcrctab', value: 0 },
      { name: '__crc_absolute', section: 'absolute', value: 0xcafe },
      { name: '__crc_outside', section: '__kcrctab', value: 6 },
      { name: 'needed', section: 'undefined' },
      { name: '', section: 'undefined' },
      { name: 'maybe', section: 'undefined', info: 0x20 },
      { name: 'not__crc_this', section: '__kcrctab' },
    ],
    tail: Buffer.from(`signature${MARK}`),
  });
}

for (const [bits, littleEndian] of ORDERS) {
  t.test(`${bits} bit, ${littleEndian ? 'little' : 'big'}-endian`, (t) => {
    const file = opened(everything(bits, littleEndian));
    t.match(file.elf, { bits, littleEndian, type: 1, machine: 62 });
    t.equal(file.compression, undefined);
    t.same(file.modinfo, [
      { key: 'license', value: 'GPL' },
      { key: 'alias', value: 'pci:v*d*' },
      { key: 'alias', value: 'x=y' },
      { key: 'odd', value: '' },
      { key: 'vermagic', value: '6.1.0 SMP ' },
      { key: 'author', value: 'M\xfcller' },
    ]);
    t.equal(file.vermagic, '6.1.0 SMP ');
    t.same(modinfoValues(file.modinfo, 'alias'), ['pci:v*d*', 'x=y']);
    t.same(file.exports(), [
      { name: 'gives', crc: 0x12345678 },
      { name: 'absolute', crc: 0xcafe },
      { name: 'outside', crc: 0 },
    ]);
    const long = 'x'.repeat(64 - bits / 8);
    t.same(file.needs(), [
      { name: 'needed', crc: 0x11111111, weak: false },
      { name: 'maybe', crc: undefined, weak: true },
      { name: 'only_versioned', crc: 0x22222222, weak: false },
      { name: long, crc: 0x33333333, weak: false },
      { name: '_R'.repeat(60), crc: 0x55555555, weak: false },
    ]);
    t.equal(file.buildId(), '01abff');
    t.ok(readSignature(file), 'signed');
    t.equal(file.tail(5).toString(), 'ded~\n');
    t.same(file.image(), everything(bits, littleEndian));
    t.end();
  });
}

t.test('what may be missing', (t) => {
  const bare = opened(elfImage({ sections: { '.modinfo': '' } }));
  t.same(bare.modinfo, []);
  t.equal(bare.vermagic, undefined);
  t.same(bare.exports(), []);
  t.equal(bare.needs(), undefined, 'a stripped module: nothing known');
  t.same(bare.versions(), []);
  t.equal(bare.buildId(), undefined);
  t.equal(readSignature(bare), undefined);

  const unversioned = opened(elfImage({ sections: { __ksymtab_strings: 'one\0two\0\0' }, symbols: [{ name: 'x' }] }));
  t.same(unversioned.exports(), [
    { name: 'one', crc: 0 },
    { name: 'two', crc: 0 },
  ]);
  t.same(unversioned.needs(), [{ name: 'x', crc: undefined, weak: false }]);

  const odd = opened(elfImage({ sections: { __versions: 'not a multiple of 64' }, symbols: [] }));
  t.same([odd.versions(), odd.needs()], [[], []]);

  const sparc = opened(
    elfImage({
      machine: 43,
      symbols: [
        { name: 'register', info: 0x1d },
        { name: 'f', info: 0x12 },
      ],
    }),
  );
  t.same(
    sparc.needs()?.map(({ name }) => name),
    ['f'],
    'registers of SPARC are no symbols',
  );

  const notes = {
    short: 'GNU',
    'wrong name': '\x04\0\0\0\x01\0\0\0\x03\0\0\0XNU\0a',
    'wrong size': '\x04\0\0\0\x09\0\0\0\x03\0\0\0GNU\0a',
  };
  for (const [name, note] of Object.entries(notes)) {
    t.equal(opened(elfImage({ sections: { '.note.gnu.build-id': note } })).buildId(), undefined, `build id: ${name}`);
  }
  t.end();
});

t.test('symbol names outside their table', (t) => {
  const image = elfImage({ symbols: [{ name: 'a_symbol' }] });
  const file = opened(image);
  const symtab = file.elf.sections.find(({ name }) => name === '.symtab');
  image.writeUInt32LE(0xffff, (symtab?.offset ?? 0) + 24);
  t.equal(opened(image).needs(), undefined);
  t.same(opened(image).exports(), []);
  t.end();
});

t.test('compression is seen by the first bytes, not by the name', async (t) => {
  t.equal(compressionOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])), 'zstd');
  t.equal(compressionOf(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])), 'xz');
  t.equal(compressionOf(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])), undefined);
  t.equal(compressionOf(Buffer.from([0x1f, 0x8b])), 'gzip');
  t.equal(compressionOf(Buffer.from([0x1f])), undefined);
  t.equal(compressionOf(Buffer.alloc(0)), undefined);

  const image = everything(64, true);
  const packed: Readonly<Record<string, Buffer>> = {
    gzip: gzipSync(image),
    xz: spawnSync('xz', ['-c', '--check=crc32'], { input: image }).stdout,
    zstd: spawnSync('zstd', ['-cq'], { input: image }).stdout,
  };
  for (const [compression, bytes] of Object.entries(packed)) {
    if (bytes === null || bytes.length === 0) {
      t.comment(`no ${compression} here`);
      continue;
    }
    const file = opened(bytes, `${compression}.ko`);
    t.equal(file.compression, compression);
    t.equal(file.modinfo.length, 6, `${compression}: fields`);
    t.same(file.image(), image, `${compression}: image`);
    const later = await openModuleFileAsync('', join(dir, `${compression}.ko`));
    t.same(later.kind === 'module' ? later.image() : later.why, image, `${compression}: later`);
    for (const length of [6, 20, bytes.length - 1]) {
      t.match(open(bytes.subarray(0, length)), {
        kind: 'not-a-module',
        why: `damaged or truncated ${compression} data`,
        errno: 22,
      });
    }
    if (compression !== 'gzip') {
      t.same(
        unpackByProgram(compression as 'xz', bytes, 1 << 20),
        { kind: 'image', image },
        `${compression}: by the program`,
      );
      t.match(unpackByProgram(compression as 'xz', bytes, 10), { kind: 'undecompressable', errno: 27 });
      t.match(unpackByProgram(compression as 'xz', bytes.subarray(0, 30), 1 << 20), { errno: 74 });
    }
    t.match(
      decompress(compression as 'xz', bytes, 10),
      { kind: 'undecompressable', errno: 27 },
      `${compression}: limit`,
    );
    t.match(await decompressAsync(compression as 'xz', bytes, 10), { errno: 27 }, `${compression}: limit, later`);
  }
  t.match(open(gzipSync('text')), { kind: 'not-a-module', why: 'not an ELF file' });
});

function path(name: string): string {
  return join(dir, name);
}

t.test('files that are no modules', (t) => {
  const rows: ReadonlyArray<
    readonly [name: string, make: (path: string) => void, why: string | RegExp, errno: number]
  > = [
    ['missing', () => {}, 'No such file or directory', 2],
    ['directory', (at) => mkdirSync(at), 'a directory', 21],
    ['empty', (at) => writeFileSync(at, ''), 'an empty file', 22],
    ['five bytes', (at) => writeFileSync(at, '12345'), 'not an ELF file', 22],
    ['text', (at) => writeFileSync(at, '#!/bin/sh\n'), 'not an ELF file', 8],
    ['a link to itself', (at) => symlinkSync(at, at), /symbolic links/, 40],
    ['a fifo', (at) => spawnSync('mkfifo', [at]), 'not a regular file', 22],
    ['100 MB of nothing', (at) => (writeFileSync(at, ''), truncateSync(at, 100 << 20)), 'not an ELF file', 8],
    [
      '100 MB after an xz magic',
      (at) => (writeFileSync(at, '\xfd7zXZ\0', 'latin1'), truncateSync(at, 100 << 20)),
      /xz/,
      22,
    ],
    [
      'a huge gzip',
      (at) => (writeFileSync(at, '\x1f\x8b', 'latin1'), truncateSync(at, 2 ** 31)),
      /compressed file of 2147483648/,
      27,
    ],
  ];
  for (const [name, make, why, errno] of rows) {
    make(path(name));
    t.match(openModuleFile('', path(name)), { kind: 'not-a-module', path: path(name), why, errno }, name);
  }
  const sparse = elfImage({ sections: { '.modinfo': 'license=GPL\0' } });
  writeFileSync(path('sparse.ko'), sparse);
  truncateSync(path('sparse.ko'), 100 << 20);
  const file = openModuleFile('', path('sparse.ko'));
  if (file.kind !== 'module') throw new Error(file.why);
  t.equal(file.modinfo.length, 1, 'a module followed by 100 MB of nothing');
  file.close();
  t.end();
});

t.test('truncated at every length', (t) => {
  for (const [bits, littleEndian] of ORDERS) {
    const image = everything(bits, littleEndian);
    const end = image.length - 'signature'.length - MARK.length;
    for (let length = 0; length < end; length++) {
      const elf = parseElf(imageSource(image.subarray(0, length)));
      // The section headers are at the end: without their last byte nothing is a module.
      if (elf.kind !== 'not-elf' || elf.why === '') t.fail(`${bits} bit: ${length} of ${image.length} bytes`);
    }
    t.equal(parseElf(imageSource(image.subarray(0, end))).kind, 'elf', `${bits} bit: whole`);
  }
  t.end();
});

t.test('bytes flipped at random end in an answer', (t) => {
  // A linear congruential generator: the same flips in every run.
  let seed = 20231;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  let usable = 0;
  const rounds = 2000;
  for (let round = 0; round < rounds; round++) {
    const [bits, littleEndian] = ORDERS[round % 4] ?? ORDERS[0];
    const image = everything(bits, littleEndian);
    for (let i = 0; i < 1 + random(8); i++) image.writeUInt8(random(256), random(image.length));
    const source = imageSource(image);
    const elf = parseElf(source);
    if (elf.kind === 'not-elf') continue;
    const file = new ModuleFile({ path: 'x', compression: undefined, elf, source });
    for (const part of [
      file.modinfo,
      file.exports(),
      file.needs(),
      file.versions(),
      file.buildId(),
      readSignature(file),
    ]) {
      if (part === null) t.fail('no part is null');
    }
    usable++;
  }
  t.ok(usable > rounds / 10 && usable < rounds, `${usable} of ${rounds} were still ELF`);
  t.end();
});

t.test('numbers and strings', (t) => {
  const view = viewOf(Buffer.from('00000001000000020000000300000004', 'hex'));
  t.equal(u64(view, 0, false), 2 ** 32 + 2);
  t.equal(u64(view, 8, true), 0x04000000 * 2 ** 32 + 0x03000000);
  t.same(parseModinfo(''), []);
  t.same(parseModinfo('\0\0'), []);
  t.same(parseModinfo('=x\0a='), [
    { key: '', value: 'x' },
    { key: 'a', value: '' },
  ]);
  t.end();
});

t.test('a .modinfo of more than 4 MiB is damage, compressed or not', async (t) => {
  const module = (size: number) => elfImage({ sections: { '.modinfo': 'a=b\0'.repeat(size / 4) } });
  const enough = module(MODINFO_LIMIT);
  t.equal(open(enough).kind, 'module', 'as much as is read');
  const tooMuch = module(MODINFO_LIMIT + (1 << 20));
  const why = 'damaged: .modinfo has 5.0 MiB, more than the 4 MiB that plugd reads';
  t.match(open(tooMuch), { kind: 'not-a-module', why, errno: 22 });
  const packed = join(dir, 'much.ko.gz');
  writeFileSync(packed, gzipSync(tooMuch));
  t.match(openModuleFile('', packed), { kind: 'not-a-module', why, errno: 22 });
  t.match(await openModuleFileAsync('', packed), { kind: 'not-a-module', why, errno: 22 });
  t.match(readModuleInfo('', packed), { kind: 'not-a-module', why, errno: 22 });
});
