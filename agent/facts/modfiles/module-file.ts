import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { fsCode, PlugdError, reason } from '../../base/error.ts';
import { ERRNO, errnoOf, errnoText } from '../../base/errno.ts';
import { nativePath, toMachineText } from '../../base/machine-text.ts';
import { compressionOf, MAGIC_LENGTH, type Compression } from './compression.ts';
import { decompress, decompressLater, IMAGE_LIMIT, type Decompressed } from './decompress.ts';
import { imageSource, parseElf, section, sectionBytes, viewOf, type ByteSource, type Elf, type NotElf } from './elf.ts';
import { FileSource } from './file-source.ts';
import { modinfoValue, parseModinfo, type ModinfoField } from './modinfo.ts';
import {
  neededSymbols,
  readSymbols,
  symbolVersions,
  visitSymbols,
  type ExportedSymbol,
  type ModuleSymbols,
  type NeededSymbol,
  type SymbolVisitor,
} from './module-symbols.ts';

/** A file that cannot be used as a module, and why, in words: `damaged or truncated xz data`. `errno` is what kmod reports. */
export interface NotAModule {
  readonly kind: 'not-a-module';
  readonly path: string;
  readonly why: string;
  readonly errno: number;
}

/** The file ends with these 28 bytes when a signature is appended (include/linux/module_signature.h). */
const SIGNATURE_MARK = '~Module signature appended~\n';

/**
 * An open module file. Of an uncompressed one only the parts that are asked for are read; a compressed one is decompressed
 * whole. Close it when done. Errors of all readers: `unreadable` when the disk fails.
 */
export class ModuleFile {
  readonly kind = 'module';
  readonly path: string;
  readonly compression: Compression | undefined;
  readonly elf: Elf;
  readonly #source: ByteSource;
  readonly #fd: number | undefined;
  #fields: readonly ModinfoField[] | undefined;
  #symbols: ModuleSymbols | undefined;

  constructor(opened: {
    path: string;
    compression: Compression | undefined;
    elf: Elf;
    source: ByteSource;
    fd?: number;
  }) {
    this.path = opened.path;
    this.compression = opened.compression;
    this.elf = opened.elf;
    this.#source = opened.source;
    this.#fd = opened.fd;
  }

  /** The `.modinfo` strings in order; empty when the section is missing. */
  get modinfo(): readonly ModinfoField[] {
    this.#fields ??= parseModinfo(this.#text('.modinfo'));
    return this.#fields;
  }

  /** What the kernel compares with its own: `6.1.0-56-amd64 SMP preempt mod_unload modversions `; undefined when not said. */
  get vermagic(): string | undefined {
    return modinfoValue(this.modinfo, 'vermagic');
  }

  /** The symbols it exports. */
  exports(): readonly ExportedSymbol[] {
    return this.symbols.exported;
  }

  /** The symbols it needs, with their versions; undefined when its symbol table is missing or damaged. */
  needs(): readonly NeededSymbol[] | undefined {
    return neededSymbols(this.symbols, this.versions());
  }

  /** Shows the visitor what it exports and needs, without making a string of each name; false: nothing is known of its needs. */
  visitSymbols(visitor: SymbolVisitor): boolean {
    return visitSymbols(this.#source, this.elf, visitor);
  }

  /** What it exports and needs, by name. */
  get symbols(): ModuleSymbols {
    this.#symbols ??= readSymbols(this.#source, this.elf);
    return this.#symbols;
  }

  /** The contents of `__versions`. */
  versions(): readonly ExportedSymbol[] {
    return symbolVersions(this.#source, this.elf);
  }

  /** The GNU build id in hexadecimal, undefined without one. */
  buildId(): string | undefined {
    const note = sectionBytes(this.#source, this.elf, '.note.gnu.build-id');
    if (note === undefined || note.length < 16) return undefined;
    const view = viewOf(note);
    const [nameSize, size, type] = [0, 4, 8].map((at) => view.getUint32(at, this.elf.littleEndian));
    const isBuildId = type === 3 && nameSize === 4 && note.toString('latin1', 12, 16) === 'GNU\0';
    return isBuildId && size !== undefined && 16 + size <= note.length
      ? note.toString('hex', 16, 16 + size)
      : undefined;
  }

  /** Whether a signature is appended. */
  isSigned(): boolean {
    return this.tail(SIGNATURE_MARK.length).toString('latin1') === SIGNATURE_MARK;
  }

  /** The last bytes of the (decompressed) image, at most `length`. */
  tail(length: number): Buffer {
    const size = Math.min(length, this.#source.size);
    return this.#source.read(this.#source.size - size, size);
  }

  /** The whole (decompressed) image, for init_module(2). */
  image(): Buffer {
    return this.#source.read(0, this.#source.size);
  }

  #text(name: string): string {
    const where = section(this.elf, name);
    if (where === undefined) return '';
    return this.#source.peek(where.offset, where.size).toString('latin1');
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

/**
 * Opens a module file, or says why it is none. A path that is not UTF-8 comes as bytes. Nothing in it is trusted; at most
 * IMAGE_LIMIT bytes are held.
 */
export function openModuleFile(place: string | Buffer): ModuleFile | NotAModule {
  const opened = open(place);
  return opened.kind === 'packed' ? unpack(opened, decompress(opened.compression, opened.bytes)) : opened;
}

/**
 * The same; a compressed file is decompressed on libuv's pool, so that several are at a time. One whose image has more than
 * `limit` bytes is no module then (EFBIG).
 */
export async function openModuleFileLater(
  place: string | Buffer,
  limit: number = IMAGE_LIMIT,
): Promise<ModuleFile | NotAModule> {
  const opened = open(place);
  if (opened.kind !== 'packed') return opened;
  return unpack(opened, await decompressLater(opened.compression, opened.bytes, limit));
}

/** A compressed file as it is on the disk. */
interface Packed {
  readonly kind: 'packed';
  readonly path: string;
  readonly compression: Compression;
  readonly bytes: Buffer;
}

function open(place: string | Buffer): ModuleFile | Packed | NotAModule {
  const path = typeof place === 'string' ? place : place.toString('latin1');
  const not = (why: string, errno: number): NotAModule => ({ kind: 'not-a-module', path, why, errno });
  let fd: number;
  try {
    // O_NONBLOCK: a fifo would wait for a writer.
    fd = openSync(
      typeof place === 'string' ? nativePath(toMachineText(place)) : place,
      constants.O_RDONLY | constants.O_NONBLOCK,
    );
  } catch (error) {
    return failed(path, error);
  }
  let keep = false;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return not('a directory', ERRNO.EISDIR);
    if (!stat.isFile()) return not('not a regular file', ERRNO.EINVAL);
    const source = new FileSource(path, fd, stat.size);
    const compression = compressionOf(source.peek(0, MAGIC_LENGTH));
    if (compression !== undefined) {
      if (stat.size > IMAGE_LIMIT) return not(`a compressed file of ${stat.size} bytes`, ERRNO.EFBIG);
      return { kind: 'packed', path, compression, bytes: source.read(0, stat.size) };
    }
    const elf = parseModule(source);
    if (elf.kind === 'not-elf') return not(elf.why, elf.errno);
    keep = true;
    return new ModuleFile({ path, compression, elf, source, fd });
  } catch (error) {
    return failed(path, error);
  } finally {
    if (!keep) closeSync(fd);
  }
}

/**
 * The largest `.modinfo` that is not taken for damage, in bytes. Debian's largest has 76 KB (option); one of 60 MB, 5 KB in a
 * .ko.zst, would be millions of strings.
 */
export const MODINFO_LIMIT = 4 * 1024 * 1024;

/** A module's ELF headers; a `.modinfo` beyond all measure is damage. */
function parseModule(source: ByteSource): Elf | NotElf {
  const elf = parseElf(source);
  const size = elf.kind === 'elf' ? (section(elf, '.modinfo')?.size ?? 0) : 0;
  if (size <= MODINFO_LIMIT) return elf;
  const why = `damaged: .modinfo has ${(size / (1 << 20)).toFixed(1)} MiB, more than the ${MODINFO_LIMIT >> 20} MiB that plugd reads`;
  return { kind: 'not-elf', why, errno: ERRNO.EINVAL };
}

function unpack({ path, compression }: Packed, unpacked: Decompressed): ModuleFile | NotAModule {
  if (unpacked.kind === 'undecompressable') {
    const errno = unpacked.errno === ERRNO.EBADMSG ? ERRNO.EINVAL : unpacked.errno;
    return { kind: 'not-a-module', path, why: unpacked.why, errno };
  }
  const source = imageSource(unpacked.image);
  const elf = parseModule(source);
  if (elf.kind === 'not-elf') return { kind: 'not-a-module', path, why: elf.why, errno: elf.errno };
  return new ModuleFile({ path, compression, elf, source });
}

function failed(path: string, error: unknown): NotAModule {
  // A FileSource throws an error of its own, caused by what node:fs threw.
  const cause = error instanceof PlugdError ? error.cause : error;
  const errno = errnoOf(cause, ERRNO.EINVAL);
  return { kind: 'not-a-module', path, why: fsCode(cause) === undefined ? reason(cause) : errnoText(errno), errno };
}
