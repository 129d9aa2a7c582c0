/**
 * ELF, as far as kernel modules need it: 32 and 64 bit, both byte orders. Reads only. Source: elf(5), the System V ABI.
 *
 *     offset 0   7f 45 4c 46   magic
 *            4   class         1 = 32 bit, 2 = 64 bit
 *            5   data          1 = little-endian, 2 = big-endian
 *            16  type (u16)    1 = relocatable, as modules are
 *            18  machine (u16) 62 = x86-64, 183 = arm64, 40 = arm
 *            32/40 shoff       where the section headers are (32: at 32, 64: at 40), normally at the file's end
 *            46/58 shentsize, shnum, shstrndx (u16 each)
 *
 * A section header describes a part of the file: name (an offset in the section of names), type, flags, address, offset, size,
 * link, info, alignment, entry size. This file finds sections by name; program headers play no part.
 *
 * It trusts nothing in the file: it checks every offset and size against the file's length before using it.
 */
import { ERRNO } from '../../base/errno.ts';

/** Access to bytes: of a file, part by part, or of an image in memory. */
export interface ByteSource {
  readonly size: number;
  /** The bytes [offset, offset + length); fewer when the file ends before. */
  read(offset: number, length: number): Buffer;
  /** The same, in memory that the next peek overwrites: for bytes that become numbers or strings at once. */
  peek(offset: number, length: number): Buffer;
}

/** One section: where it is in the file. */
export interface Section {
  readonly name: string;
  readonly type: number;
  /** Where this section's header is in the file. */
  readonly headerOffset: number;
  readonly offset: number;
  readonly size: number;
}

/** A file's headers, complete and inside its bounds. Callers open thousands of files, so sections are built on demand. */
export class Elf {
  readonly kind = 'elf';
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly type: number;
  readonly machine: number;
  readonly #headers: Headers;
  readonly #names: string;

  constructor(
    head: { bits: 32 | 64; littleEndian: boolean; type: number; machine: number },
    headers: Headers,
    names: string,
  ) {
    this.bits = head.bits;
    this.littleEndian = head.littleEndian;
    this.type = head.type;
    this.machine = head.machine;
    this.#headers = headers;
    this.#names = names;
  }

  /** The first section of that name, undefined when there is none. */
  section(name: string): Section | undefined {
    const { nameOffsets } = this.#headers;
    const names = this.#names;
    for (let i = 0; i < nameOffsets.length; i++) {
      const at = nameOffsets[i] ?? 0;
      if (names.startsWith(name, at) && names.charCodeAt(at + name.length) === 0) return this.#section(i);
    }
    return undefined;
  }

  /** The section of that number, undefined when there is none. */
  sectionAt(index: number): Section | undefined {
    return index < this.#headers.nameOffsets.length ? this.#section(index) : undefined;
  }

  /** All sections in order; the first is the empty one that ELF begins with. */
  get sections(): readonly Section[] {
    return this.#headers.nameOffsets.map((_, i) => this.#section(i));
  }

  #section(i: number): Section {
    const { nameOffsets, types, offsets, sizes, tableOffset } = this.#headers;
    const type = types[i] ?? 0;
    return {
      name: stringAt(this.#names, nameOffsets[i] ?? 0) ?? '',
      type,
      headerOffset: tableOffset + i * (this.bits === 32 ? 40 : 64),
      offset: offsets[i] ?? 0,
      size: type === NOBITS ? 0 : (sizes[i] ?? 0),
    };
  }
}

/** The section headers, field by field. */
interface Headers {
  readonly tableOffset: number;
  readonly nameOffsets: readonly number[];
  readonly types: readonly number[];
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
}

/** What is wrong with a file, in words: `section headers end at byte 9000, the file at 8192: truncated`. */
export interface NotElf {
  readonly kind: 'not-elf';
  readonly why: string;
  /** ENOEXEC for another kind of file, EINVAL for a damaged one, as in kmod. */
  readonly errno: number;
}

/** SHT_NOBITS: a section without bytes in the file. */
const NOBITS = 8;
/** The largest section that is read into memory; real symbol tables are below 20 MB. */
export const SECTION_LIMIT = 128 * 1024 * 1024;

function not(why: string, errno: number = ERRNO.EINVAL): NotElf {
  return { kind: 'not-elf', why, errno };
}

/** A file's headers. Reads the first 64 bytes, the section headers and the section names, nothing else. */
export function parseElf(source: ByteSource): Elf | NotElf {
  if (source.size === 0) return not('an empty file');
  const head = source.peek(0, 64);
  if (head.length < 4 || head.readUInt32BE(0) !== 0x7f454c46)
    return not('not an ELF file', head.length < 6 ? ERRNO.EINVAL : ERRNO.ENOEXEC);
  const bits = head[4] === 1 ? 32 : head[4] === 2 ? 64 : undefined;
  if (bits === undefined || (head[5] !== 1 && head[5] !== 2))
    return not('an ELF file of unknown class or byte order', ERRNO.ENOEXEC);
  if (head.length < (bits === 32 ? 52 : 64)) return not('truncated inside the ELF header');
  const littleEndian = head[5] === 1;
  const view = viewOf(head);
  const u16 = (at: number) => view.getUint16(at, littleEndian);
  const [type, machine] = [u16(16), u16(18)];

  const tableOffset = bits === 32 ? view.getUint32(32, littleEndian) : u64(view, 40, littleEndian);
  const entrySize = u16(bits === 32 ? 46 : 58);
  const count = u16(bits === 32 ? 48 : 60);
  const namesIndex = u16(bits === 32 ? 50 : 62);
  const expectedSize = bits === 32 ? 40 : 64;
  if (count === 0) return not('an ELF file without sections');
  if (entrySize !== expectedSize) return not(`section headers of ${entrySize} bytes instead of ${expectedSize}`);
  const tableEnd = tableOffset + count * entrySize;
  if (tableEnd > source.size) {
    return not(`section headers end at byte ${tableEnd}, the file at ${source.size}: truncated`);
  }
  // The names are normally right before the headers, so one peek gets both.
  const lead = Math.min(tableOffset, 1024);
  const tail = source.peek(tableOffset - lead, lead + count * entrySize);
  if (tail.length < lead + count * entrySize) return not('it became shorter while it was read');
  const headers = readHeaders(viewOf(tail.subarray(lead)), { tableOffset, count, bits, littleEndian });
  const { types, offsets, sizes } = headers;
  for (let i = 0; i < count; i++) {
    const sectionEnd = (offsets[i] ?? 0) + (sizes[i] ?? 0);
    if (types[i] !== NOBITS && sectionEnd > source.size) {
      return not(`a section ends at byte ${sectionEnd}, the file at ${source.size}: truncated`);
    }
  }
  const namesSize = sizes[namesIndex];
  if (namesSize === undefined || types[namesIndex] === NOBITS) return not(`no section of names (index ${namesIndex})`);
  if (namesSize > SECTION_LIMIT) return not('section names of an absurd size');
  const names = source.peek(offsets[namesIndex] ?? 0, namesSize).toString('latin1');
  return new Elf({ bits, littleEndian, type, machine }, headers, names);
}

function readHeaders(
  view: DataView,
  table: { tableOffset: number; count: number; bits: 32 | 64; littleEndian: boolean },
): Headers {
  const { tableOffset, count, bits, littleEndian } = table;
  const headers = {
    tableOffset,
    nameOffsets: [] as number[],
    types: [] as number[],
    offsets: [] as number[],
    sizes: [] as number[],
  };
  for (let i = 0; i < count; i++) {
    const at = i * (bits === 32 ? 40 : 64);
    headers.nameOffsets.push(view.getUint32(at, littleEndian));
    headers.types.push(view.getUint32(at + 4, littleEndian));
    headers.offsets.push(bits === 32 ? view.getUint32(at + 16, littleEndian) : u64(view, at + 24, littleEndian));
    headers.sizes.push(bits === 32 ? view.getUint32(at + 20, littleEndian) : u64(view, at + 32, littleEndian));
  }
  return headers;
}

/** The first section of that name, undefined when there is none. */
export function section(elf: Elf, name: string): Section | undefined {
  return elf.section(name);
}

/** A section's bytes; undefined when there is no such section, or it is larger than SECTION_LIMIT. */
export function sectionBytes(source: ByteSource, elf: Elf, name: string): Buffer | undefined {
  const found = section(elf, name);
  return found === undefined || found.size > SECTION_LIMIT ? undefined : source.read(found.offset, found.size);
}

/** A view of the buffer's own bytes (a small Buffer lies in a shared pool). */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit number as a double: exact up to 2^53, and beyond that far larger than any file. */
export function u64(view: DataView, at: number, littleEndian: boolean): number {
  const first = view.getUint32(at, littleEndian);
  const second = view.getUint32(at + 4, littleEndian);
  return littleEndian ? second * 0x1_0000_0000 + first : first * 0x1_0000_0000 + second;
}

/** The NUL-terminated string at `offset` of a string table; undefined when it begins or ends outside. */
export function stringAt(table: string, offset: number): string | undefined {
  if (offset >= table.length) return undefined;
  const end = table.indexOf('\0', offset);
  return end < 0 ? undefined : table.slice(offset, end);
}

/** An image in memory as a source. */
export function imageSource(image: Buffer): ByteSource {
  const read = (offset: number, length: number) => image.subarray(offset, offset + length);
  return { size: image.length, read, peek: read };
}
