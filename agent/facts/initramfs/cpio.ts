/**
 * Reads the files of an initramfs image, never beyond a limit. The image is cpio archives in any number and order, each plain or
 * compressed as a whole, with zeros between them; a plain one begins at a multiple of 4. (Processor microcode comes first,
 * uncompressed; mkosi writes several compressed parts.)
 * Compressed parts are read in pieces, so they take no memory as a whole.
 */
import { compressionOf, type Compression } from '../modfiles/compression.ts';
import { align, ENDS_EARLY, entryShape, isEntry, visitEntry, type CpioEntry } from './cpio-entry.ts';
import { EntryStream } from './entry-stream.ts';
import { decompressPieces } from './packed-pieces.ts';

const MIB = 1 << 20;

/**
 * How many bytes all compressed parts of an image may unpack to. Distributions' images unpack to at most 1 GiB and shrink to a third
 * or less; a small file that unpacks to a thousand times its size is an attack.
 */
export function unpackedLimit(size: number): number {
  return Math.min(1024 * MIB, 64 * MIB + 40 * size);
}

/** Other compressions that the kernel knows, by their first bytes; plugd names them but cannot read them. */
const UNREAD: ReadonlyArray<readonly [name: string, magic: readonly number[]]> = [
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0x00, 0x00]],
  ['lzo', [0x89, 0x4c, 0x5a, 0x4f]],
  ['lz4', [0x02, 0x21, 0x4c, 0x18]],
];

/** Calls `visit` for each entry of all archives. Returns what is wrong with the image, if anything; entries before that count. */
export function walkArchives(image: Buffer, visit: (entry: CpioEntry) => void): string | undefined {
  let budget = unpackedLimit(image.length);
  let at = 0;
  while (at < image.length) {
    if (image[at] === 0) {
      at++;
    } else if (at % 4 === 0 && isEntry(image, at)) {
      const end = readEntry(image, at, visit);
      if (typeof end === 'string') return end;
      at = end;
    } else {
      const rest = image.subarray(at);
      const compression = compressionOf(rest);
      if (compression === undefined) return unknownPart(rest, at);
      const part = unpackPart(compression, rest, budget, visit);
      if (typeof part === 'string') return part;
      budget -= part.unpacked;
      at += part.consumed;
    }
  }
  return undefined;
}

interface UnpackedPart {
  readonly unpacked: number;
  /** How many bytes of the image it took, at least one. */
  readonly consumed: number;
}

function unpackPart(
  compression: Compression,
  rest: Buffer,
  budget: number,
  visit: (entry: CpioEntry) => void,
): UnpackedPart | string {
  const stream = new EntryStream(budget, visit);
  const part = decompressPieces(compression, rest, budget, (piece) => stream.push(piece));
  if (part.kind === 'undecompressable') return part.why;
  const why = stream.end();
  return why ?? { unpacked: part.unpacked, consumed: Math.max(1, part.consumed) };
}

/** Visits the entry at `at`; returns where the next one may begin, or what is wrong. */
function readEntry(image: Buffer, at: number, visit: (entry: CpioEntry) => void): number | string {
  const shape = entryShape(image, at, at);
  if (typeof shape === 'string') return shape;
  if (shape.end > image.length) return ENDS_EARLY;
  visitEntry(image, at, shape, visit);
  return align(shape.end);
}

function unknownPart(rest: Buffer, at: number): string {
  const other = UNREAD.find(([, magic]) => magic.every((byte, i) => rest[i] === byte))?.[0];
  if (other !== undefined) return `compressed with ${other}; plugd reads gzip, xz and zstd`;
  return at === 0
    ? 'neither a cpio archive nor compressed with gzip, xz or zstd'
    : `neither a cpio archive nor compressed data at byte ${at}`;
}
