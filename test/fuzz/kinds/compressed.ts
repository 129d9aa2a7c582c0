/** Compressed module files: gzip by Node, xz and zstd by the addon. */
import { gzipSync } from 'node:zlib';
import { compressionOf } from '../../../agent/facts/modfiles/compression.ts';
import { decompressPieces } from '../../../agent/facts/initramfs/packed-pieces.ts';
import { decompress, decompressPart } from '../../../agent/facts/modfiles/decompress.ts';
import { check, type FuzzKind } from '../kind.ts';

/** What xz and zstd make of four equal lines; a machine need not have the programs. */
const XZ =
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AETAEVdADgbCxEL6isnymUkHDdDm0Ydc07J1drZlPz4xuxzimoRerb741s8x+cgYqzHERMrsLB9ibBni0zeFVvZsDANcC+apxAAAAAAAADZfQDUOIi1lAABYZQCAAAAeUFyjrHEZ/sCAAAAAARZWg==';
const ZSTD =
  'KLUv/QRYHQIAUkQOFLAlbSSJN7Jkj5StE8EMKzjTCQACgaAfF3hZ92zKYK0//TwbRExesrUeTxVifJoXvq21qKCLOAgIAQAFE6FCFOPcolY=';
const TEXT = Buffer.from('plugd loads the kernel modules that a machine needs. '.repeat(200));
const LIMIT = 16 << 20;

function read(input: Buffer): void {
  const shown = compressionOf(input);
  for (const compression of shown === undefined ? (['gzip', 'xz', 'zstd'] as const) : [shown]) {
    const whole = decompress(compression, input, LIMIT);
    if (whole.kind === 'image') check(whole.image.length <= LIMIT, 'no more than the limit comes out');
    else check(whole.errno > 0 && whole.why !== '', 'what cannot be decompressed says why');
    const part = decompressPart(compression, input, LIMIT);
    if (part.kind === 'part') {
      check(part.image.length <= LIMIT, 'no more than the limit comes out of a part');
      // gzip: the trailer counts even where the input ends inside it.
      const most = compression === 'gzip' ? input.length + 8 : input.length;
      check(part.consumed > 0 && part.consumed <= most, 'a part takes bytes of the input');
    }
    const pieces: Buffer[] = [];
    const run = decompressPieces(compression, input, LIMIT, (piece) => pieces.push(Buffer.from(piece)) > 0);
    check((run.kind === 'pieces') === (part.kind === 'part'), 'in pieces it ends in the same way');
    if (part.kind === 'part') check(Buffer.concat(pieces).equals(part.image), 'pieces make up the part');
    // What is whole begins with its first part.
    if (whole.kind === 'image' && part.kind === 'part') {
      check(
        whole.image.subarray(0, part.image.length).equals(part.image),
        'the first part is the beginning of the whole',
      );
    }
  }
}

export const kind: FuzzKind = {
  samples: [
    gzipSync(TEXT),
    gzipSync(Buffer.alloc(1 << 20)),
    Buffer.concat([gzipSync('a'), gzipSync('b')]),
    Buffer.from(XZ, 'base64'),
    Buffer.from(ZSTD, 'base64'),
  ],
  words: ['\x1f\x8b\x08', '\xfd7zXZ\0', 'YZ', '\x28\xb5\x2f\xfd', '\x50\x2a\x4d\x18', '\0\0\0\0'],
  read,
};
