import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { unpackedLimit, walkArchives } from '../../../agent/facts/initramfs/cpio.ts';

/** One archive with these files, each of a few bytes. */
function archive(...names: string[]): Buffer {
  return Buffer.concat([...names, 'TRAILER!!!'].map((name) => entry(name, name === 'TRAILER!!!' ? '' : 'text')));
}

function entry(name: string, text: string, fields: Partial<Record<'size' | 'nameLength', string>> = {}): Buffer {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  const numbers = Array.from({ length: 13 }, () => hex(0));
  numbers[1] = hex(0o100644);
  numbers[6] = fields.size ?? hex(text.length);
  numbers[11] = fields.nameLength ?? hex(name.length + 1);
  return Buffer.concat([pad(`070701${numbers.join('')}${name}\0`), pad(text)]);
}

function pad(text: string): Buffer {
  return Buffer.from(text + '\0'.repeat(-text.length & 3), 'latin1');
}

const run = (program: string, bytes: Buffer) => execFileSync(program, ['-c'], { input: bytes });
const zeros = (length: number) => Buffer.alloc(length);
const early = archive('kernel/x86/u.bin');
const main = archive('lib/modules/1/aa.ko', './etc/modprobe.d/x.conf');
const ALL = ['kernel/x86/u.bin', 'lib/modules/1/aa.ko', './etc/modprobe.d/x.conf'];

/** The names of all entries, and what is wrong. */
function read(image: Buffer): { names: string[]; why: string | undefined } {
  const names: string[] = [];
  const why = walkArchives(image, ({ name }) => names.push(name));
  return { names, why };
}

const layouts: Record<string, Buffer[]> = {
  'plain, plain': [early, main],
  'plain, zeros, gzip': [early, zeros(512), gzipSync(main)],
  'gzip, zeros, gzip': [gzipSync(early), zeros(4), gzipSync(main)],
  'gzip directly behind gzip': [gzipSync(early), gzipSync(main)],
  'gzip, zeros to a multiple of 4, plain': [gzipSync(early), zeros(-gzipSync(early).length & 3), main],
  'zstd, zeros, zstd (mkosi)': [run('zstd', early), zeros(512), run('zstd', main)],
  'zstd frames directly behind each other': [run('zstd', early), run('zstd', main)],
  'xz, zeros, xz': [run('xz', early), zeros(512), run('xz', main)],
  'xz, then zstd, then gzip': [
    run('xz', early),
    run('zstd', archive('lib/modules/1/aa.ko')),
    gzipSync(archive('./etc/modprobe.d/x.conf')),
  ],
  'plain, zstd, many zeros at the end': [early, run('zstd', main), zeros(100_000)],
};
for (const [name, parts] of Object.entries(layouts)) {
  t.test(`layout: ${name}`, (t) => {
    t.same(read(Buffer.concat(parts)), { names: ALL, why: undefined });
    t.end();
  });
}

const damaged: Record<string, readonly [image: Buffer, why: RegExp]> = {
  'a size with a sign': [entry('a', 'text', { size: '-0000004' }), /damaged header/],
  'a size that is no number': [entry('a', 'text', { size: '0000zz04' }), /damaged header/],
  'a size beyond the end': [entry('a', 'text', { size: 'ffffffff' }), /ends too early/],
  'a name without a length': [entry('a', 'text', { nameLength: '00000000' }), /damaged header/],
  'a name longer than a path': [entry('a', 'text', { nameLength: '00100000' }), /damaged header/],
  'a cut header': [early.subarray(0, 50), /damaged header/],
  'something else': [Buffer.from('hello, world'), /neither a cpio archive nor compressed/],
  'something else behind an archive': [Buffer.concat([early, Buffer.from('junk')]), /at byte \d+/],
  'lz4 is named': [Buffer.from([0x02, 0x21, 0x4c, 0x18, 0]), /compressed with lz4; plugd reads gzip, xz and zstd/],
  'compressed in compressed': [gzipSync(gzipSync(main)), /without a cpio archive/],
  'a cut gzip part': [gzipSync(main).subarray(0, 30), /gzip/],
  'a gzip name without an end': [Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0, 65, 65]), /gzip/],
};
for (const [name, [image, why]] of Object.entries(damaged)) {
  t.test(`damaged: ${name}`, (t) => {
    t.match(read(image).why, why);
    t.end();
  });
}

t.test('every truncation ends, with the entries before it', (t) => {
  const image = Buffer.concat([early, zeros(8), main]);
  for (let length = 0; length < image.length; length++) {
    const { names } = read(image.subarray(0, length));
    t.ok(names.length <= ALL.length && names.every((name, i) => name === ALL[i]));
  }
  t.end();
});

t.test('a small image cannot become a large one', (t) => {
  const bomb = gzipSync(zeros(70 << 20), { level: 9 });
  t.ok(unpackedLimit(bomb.length) < 70 << 20, `${bomb.length} bytes`);
  t.match(read(bomb).why, /more than \d+ MiB when decompressed/);
  const half = gzipSync(zeros(40 << 20), { level: 1 });
  t.match(read(Buffer.concat([half, half])).why, /more than/, 'the parts share one budget');
  t.end();
});
