/**
 * An entry of a cpio archive ("newc"): 110 characters, the magic 070701 or 070702 and 13 numbers of 8 hexadecimal digits (…, mode at 14,
 * size at 54, length of the name at 94), the name with its NUL, padding to 4 bytes, the contents, padding to 4 bytes. The
 * entry TRAILER!!! ends an archive. Pure. Source: Documentation/driver-api/early-userspace/buffer-format.rst, init/initramfs.c.
 */

/** An entry of an archive: its name as written (`usr/lib/modules/…`, `./etc/x`), its mode, and its bytes, valid during a visit only. */
export interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  readonly contents: Buffer;
}

/** The characters that an entry begins with. */
export const HEADER = 110;
/** PATH_MAX; the kernel accepts no longer name. */
const LONGEST_NAME = 4096;

/** Where an entry's parts are in the bytes that it is in. */
export interface EntryShape {
  readonly mode: number;
  readonly nameEnd: number;
  readonly begin: number;
  /** The end of the contents, without padding. */
  readonly end: number;
}

/** Whether an entry begins at `at`, by its magic. */
export function isEntry(bytes: Buffer, at: number): boolean {
  const magic = bytes.toString('latin1', at, at + 6);
  return magic === '070701' || magic === '070702';
}

/** What is wrong with an archive that is shorter than its entries. */
export const ENDS_EARLY = 'a cpio archive that ends too early';
/** What is wrong with a header that is not hexadecimal, or has an impossible size. */
export const DAMAGED_HEADER = 'a cpio archive with a damaged header';

/**
 * The shape of the entry at `at` of `bytes`, or what is wrong. `place` is its distance from the start of the archive, from which padding is
 * counted. Sizes only lead forward.
 */
export function entryShape(bytes: Buffer, at: number, place: number): EntryShape | string {
  const digits = bytes.toString('latin1', at + 6, at + HEADER);
  if (!/^[0-9a-fA-F]{104}$/.test(digits)) return DAMAGED_HEADER;
  const field = (offset: number) => Number.parseInt(digits.slice(offset - 6, offset + 2), 16);
  const nameLength = field(94);
  if (nameLength === 0 || nameLength > LONGEST_NAME) return DAMAGED_HEADER;
  const begin = at + align(place + HEADER + nameLength) - place;
  return { mode: field(14), nameEnd: at + HEADER + nameLength - 1, begin, end: begin + field(54) };
}

/** Calls `visit` for the entry at `at`, unless it is the one that ends an archive. */
export function visitEntry(bytes: Buffer, at: number, shape: EntryShape, visit: (entry: CpioEntry) => void): void {
  const name = bytes.toString('latin1', at + HEADER, shape.nameEnd);
  if (name !== 'TRAILER!!!') visit({ name, mode: shape.mode, contents: bytes.subarray(shape.begin, shape.end) });
}

/** The next multiple of 4; sizes can exceed 31 bits. */
export function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
