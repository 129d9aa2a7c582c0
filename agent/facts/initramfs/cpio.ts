/**
 * Reads the files of an initramfs image, never beyond a limit. The image is cpio archives in any number and order, each plain or
 * compressed as a whole, with zeros between them; a plain one begins at a multiple of 4. (Processor microcode comes first,
 * uncompressed; mkosi writes several compressed parts.)
 *
 * A cpio entry ("newc"): 110 characters, the magic 070701 or 070702 and 13 numbers of 8 hexadecimal digits (…, mode at 14,
 * size at 54, length of the name at 94), the name with its NUL, padding to 4 bytes, the contents, padding to 4 bytes. The
 * entry TRAILER!!! ends an archive. Source: Documentation/driver-api/early-userspace/buffer-format.rst, init/initramfs.c.
 */
import { compressionOf, type Compression } from '../modfiles/compression.ts';
import { decompressPart } from '../modfiles/decompress.ts';

/** An entry of an archive: its name as written (`usr/lib/modules/…`, `./etc/x`), its mode, and its bytes. */
export interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  readonly contents: Buffer;
}

const MIB = 1 << 20;
const HEADER = 110;
/** PATH_MAX; the kernel accepts no longer name. */
const LONGEST_NAME = 4096;

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
  const part = decompressPart(compression, rest, budget);
  if (part.kind === 'undecompressable') return part.why;
  const why = walkPlain(part.image, visit);
  return why ?? { unpacked: part.image.length, consumed: Math.max(1, part.consumed) };
}

/** Archives inside a compressed part: the kernel accepts no further compression there. */
function walkPlain(image: Buffer, visit: (entry: CpioEntry) => void): string | undefined {
  let at = 0;
  while (at < image.length) {
    if (image[at] === 0) {
      at++;
      continue;
    }
    if (!isEntry(image, at)) return 'a compressed part without a cpio archive';
    const end = readEntry(image, at, visit);
    if (typeof end === 'string') return end;
    at = end;
  }
  return undefined;
}

function isEntry(image: Buffer, at: number): boolean {
  const magic = image.toString('latin1', at, at + 6);
  return magic === '070701' || magic === '070702';
}

/** Visits the entry at `at`; returns where the next one may begin, or what is wrong. Sizes only ever lead forward. */
function readEntry(image: Buffer, at: number, visit: (entry: CpioEntry) => void): number | string {
  const digits = image.toString('latin1', at + 6, at + HEADER);
  if (!/^[0-9a-fA-F]{104}$/.test(digits)) return 'a cpio archive with a damaged header';
  const field = (offset: number) => Number.parseInt(digits.slice(offset - 6, offset + 2), 16);
  const size = field(54);
  const nameLength = field(94);
  if (nameLength === 0 || nameLength > LONGEST_NAME) return 'a cpio archive with a damaged header';
  const begin = align(at + HEADER + nameLength);
  if (begin + size > image.length) return 'a cpio archive that ends too early';
  const name = image.toString('latin1', at + HEADER, at + HEADER + nameLength - 1);
  if (name !== 'TRAILER!!!') visit({ name, mode: field(14), contents: image.subarray(begin, begin + size) });
  return align(begin + size);
}

function unknownPart(rest: Buffer, at: number): string {
  const other = UNREAD.find(([, magic]) => magic.every((byte, i) => rest[i] === byte))?.[0];
  if (other !== undefined) return `compressed with ${other}; plugd reads gzip, xz and zstd`;
  return at === 0
    ? 'neither a cpio archive nor compressed with gzip, xz or zstd'
    : `neither a cpio archive nor compressed data at byte ${at}`;
}

/** The next multiple of 4; sizes can exceed 31 bits. */
function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
