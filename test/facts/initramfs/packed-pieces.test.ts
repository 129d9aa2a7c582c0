import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { decompressPieces } from '../../../agent/facts/initramfs/packed-pieces.ts';

t.test('in pieces: the same bytes and length, until nobody wants more', (t) => {
  const text = Buffer.alloc(3 << 20, 'a module ');
  const tail = Buffer.from('07070100');
  for (const [compression, packed] of [
    ['gzip', gzipSync(text)],
    ['xz', execFileSync('xz', ['-c'], { input: text })],
    ['zstd', execFileSync('zstd', ['-cq'], { input: text })],
  ] as const) {
    const bytes = Buffer.concat([packed, tail]);
    const got: Buffer[] = [];
    const all = decompressPieces(compression, bytes, 4 << 20, (piece) => got.push(Buffer.from(piece)) > 0);
    t.same(all, { kind: 'pieces', unpacked: text.length, consumed: packed.length, done: true }, compression);
    t.ok(Buffer.concat(got).equals(text));
    t.match(
      decompressPieces(compression, bytes, 4 << 20, () => false),
      { kind: 'pieces', done: false },
    );
    t.match(
      decompressPieces(compression, bytes, 2 << 20, () => true),
      { kind: 'undecompressable', why: /more than 2 MiB/ },
    );
    t.match(
      decompressPieces(compression, bytes.subarray(0, 40), 4 << 20, () => true),
      { kind: 'undecompressable' },
    );
    const wrong = () => decompressPieces(compression, bytes, 4 << 20, () => raise('no'));
    t.throws(wrong, /no/, 'what the reader throws comes out');
  }
  t.end();
});

function raise(what: string): never {
  throw new Error(what);
}
