/** Decompresses a part of a boot image piece by piece. */
import { addon } from '../../base/addon.ts';
import { ERRNO } from '../../base/errno.ts';
import { PlugdError } from '../../base/error.ts';
import type { Compression } from '../modfiles/compression.ts';
import { decompressPart } from '../modfiles/decompress.ts';
import { failed, type Undecompressable } from '../modfiles/undecompressable.ts';

/** How far a part was read: bytes that came out, bytes that it takes. `done` is false when the reader wanted no more. */
export type DecompressedPieces =
  | { readonly kind: 'pieces'; readonly unpacked: number; readonly consumed: number; readonly done: boolean }
  | Undecompressable;

/** Small enough for a processor's cache. */
const PIECE = 1 << 20;

/**
 * The first stream, frame or member, in pieces of at most 1 MiB that are valid until the next one comes: an image of hundreds of MiB takes no
 * more memory. (gzip, by Node, comes in one piece.) A `visit` that returns false ends it.
 */
export function decompressPieces(
  compression: Compression,
  bytes: Uint8Array,
  limit: number,
  visit: (piece: Buffer) => boolean,
): DecompressedPieces {
  if (compression === 'gzip') {
    const part = decompressPart('gzip', bytes, limit);
    if (part.kind === 'undecompressable') return part;
    return { kind: 'pieces', unpacked: part.image.length, consumed: part.consumed, done: visit(part.image) };
  }
  const into = Buffer.allocUnsafeSlow(PIECE);
  let unpacked = 0;
  const piece = (length: number): boolean => {
    unpacked += length;
    return visit(into.subarray(0, length));
  };
  let consumed = -ERRNO.ENOSYS;
  try {
    consumed = addon().decompressInPieces(compression, bytes, limit, into, piece);
  } catch (error) {
    if (!(error instanceof PlugdError)) throw error;
  }
  if (consumed === -ERRNO.ECANCELED) return { kind: 'pieces', unpacked, consumed: 0, done: false };
  if (consumed < 0) return failed(compression, -consumed, limit, bytes);
  return { kind: 'pieces', unpacked, consumed, done: true };
}
