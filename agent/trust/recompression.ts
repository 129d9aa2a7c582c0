/**
 * Compresses a module's image as the kernel's `make modules_install` does, so that the kernel can undo it itself: xz with CRC32 and a small
 * dictionary. gzip is node:zlib's work; the others are their programs'.
 *
 * Source: scripts/Makefile.modinst.
 */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { fsCode } from '../base/error.ts';
import { compressionRow, type Compression } from '../facts/modfiles/compression.ts';
import { IMAGE_LIMIT } from '../facts/modfiles/decompress.ts';

/** The compressed bytes, or why there are none. */
export type Compressed =
  | { readonly kind: 'compressed'; readonly bytes: Buffer }
  | { readonly kind: 'uncompressed'; readonly why: string };

/** The image as a file of that compression: `compress('xz', image)`. Blocks; the result is the same each time. */
export function compress(compression: Compression, image: Uint8Array): Compressed {
  const { compressor } = compressionRow(compression);
  if (compressor === undefined) return { kind: 'compressed', bytes: gzipSync(image, { level: 6 }) };
  const [program, ...options] = compressor;
  const run = spawnSync(program, options, {
    input: image,
    maxBuffer: IMAGE_LIMIT,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (fsCode(run.error) === 'ENOENT') return { kind: 'uncompressed', why: `the program ${program} is not installed` };
  if (run.status === 0) return { kind: 'compressed', bytes: run.stdout };
  const said = run.stderr.toString('latin1').trim().split('\n')[0] ?? '';
  return { kind: 'uncompressed', why: said === '' ? `${program} failed` : said };
}
