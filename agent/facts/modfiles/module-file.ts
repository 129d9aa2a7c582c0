/** A module file: symbols, versions, modinfo, signature mark. Reads only, and trusts nothing in the file. */
import { closeSync, constants, fstatSync } from 'node:fs';
import { fsCode, PlugdError, reason } from '../../base/error.ts';
import { ERRNO, errnoOf, errnoText } from '../../base/errno.ts';
import { fromMachineText } from '../../base/machine-text.ts';
import { openInRoot } from '../../base/root.ts';
import { readBuildId } from './build-id.ts';
import { compressionOf, MAGIC_LENGTH, type Compression } from './compression.ts';
import { decompress, decompressAsync, IMAGE_LIMIT, type Decompressed } from './decompress.ts';
import { imageSource, section, type ByteSource, type Elf } from './elf.ts';
import { readExportTerms, type ExportTerms } from './export-terms.ts';
import { FileSource, readWhole, type OpenFile } from './file-source.ts';
import { AHEAD_LIMIT, readModuleParts } from './module-parts.ts';
import { modinfoValue, parseModinfo, parseModule, type ModinfoField } from './modinfo.ts';
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
  /** It could not be decompressed. */
  readonly packed?: true;
}

/**
 * An open module file. Of an uncompressed file only the requested parts are read; a compressed one is decompressed whole, or in
 * parts (openModuleFileAsync). Close it when done. Errors of all readers: `unreadable` when the disk fails.
 */
export class ModuleFile {
  readonly kind = 'module';
  readonly path: string;
  readonly compression: Compression | undefined;
  readonly elf: Elf;
  readonly #source: ByteSource;
  readonly #close: (() => void) | undefined;
  #fields: readonly ModinfoField[] | undefined;
  #symbols: ModuleSymbols | undefined;

  constructor(opened: {
    path: string;
    compression: Compression | undefined;
    elf: Elf;
    source: ByteSource;
    /** Releases what the source holds. */
    close?: (() => void) | undefined;
  }) {
    this.path = opened.path;
    this.compression = opened.compression;
    this.elf = opened.elf;
    this.#source = opened.source;
    this.#close = opened.close;
  }

  /** The `.modinfo` strings in order; empty when the section is missing. */
  get modinfo(): readonly ModinfoField[] {
    this.#fields ??= parseModinfo(this.#text('.modinfo'));
    return this.#fields;
  }

  /** The string that the kernel compares with its own: `6.1.0-56-amd64 SMP preempt mod_unload modversions `; undefined without one. */
  get vermagic(): string | undefined {
    return modinfoValue(this.modinfo, 'vermagic');
  }

  /** The symbols it exports. */
  exports(): readonly ExportedSymbol[] {
    return this.symbols.exported;
  }

  /** Who may use what it exports, by symbol; without those that its tables do not tell. */
  exportTerms(): ReadonlyMap<string, ExportTerms> {
    return readExportTerms(this.#source, this.elf);
  }

  /** The symbols it needs, with their versions; undefined when its symbol table is missing or damaged. */
  needs(): readonly NeededSymbol[] | undefined {
    return neededSymbols(this.symbols, this.versions());
  }

  /** Visits exports and needs as bytes, without making a string of each name. Returns false when the needs are unknown. */
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
    return readBuildId(this.#source, this.elf);
  }

  /** Bytes of the (decompressed) image. */
  get size(): number {
    return this.#source.size;
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
    return where === undefined ? '' : this.#source.peek(where.offset, where.size).toString('latin1');
  }

  close(): void {
    this.#close?.();
  }
}

/**
 * Opens a module file of `root` ('' for the live machine; see base/root.ts), or says why it is not one; holds at most IMAGE_LIMIT
 * bytes. A path that is not UTF-8 comes as bytes.
 */
export function openModuleFile(root: string, place: string | Buffer): ModuleFile | NotAModule {
  const opened = open(root, place);
  if (opened.kind !== 'packed') return opened;
  try {
    return unpack(opened, decompress(opened.compression, readWhole(opened)));
  } catch (error) {
    return failed(opened.path, error);
  }
}

/**
 * The same, with a compressed file decompressed on libuv's pool, several at a time. With `sections` only these stay in memory where
 * that is possible; reading anything else of the file then loads the whole image. Several such calls share the memory, so one that would
 * unpack more than AHEAD_LIMIT bytes answers EFBIG: open it alone.
 */
export async function openModuleFileAsync(
  root: string,
  place: string | Buffer,
  sections?: readonly string[],
): Promise<ModuleFile | NotAModule> {
  const opened = open(root, place);
  if (opened.kind !== 'packed') return opened;
  const { path, compression } = opened;
  if (sections !== undefined) {
    const source = await readModuleParts(compression, opened, sections, () => wholeImage(root, place));
    if (source !== undefined) {
      closeSync(opened.fd);
      const module = moduleOf(path, compression, source, () => source.close());
      if (module.kind === 'not-a-module') source.close();
      return module;
    }
  }
  try {
    const limit = sections === undefined ? IMAGE_LIMIT : AHEAD_LIMIT;
    return unpack(opened, await decompressAsync(compression, readWhole(opened), limit));
  } catch (error) {
    return failed(path, error);
  }
}

/** The image of a file that was kept only in parts. */
function wholeImage(root: string, place: string | Buffer): ByteSource {
  const file = openModuleFile(root, place);
  if (file.kind === 'not-a-module') throw new PlugdError('unreadable', `${file.path}: ${file.why}`);
  return imageSource(file.image());
}

/** A compressed file; the receiver closes `fd`. */
interface Packed extends OpenFile {
  readonly kind: 'packed';
  readonly compression: Compression;
}

function open(root: string, place: string | Buffer): ModuleFile | Packed | NotAModule {
  const path = typeof place === 'string' ? place : place.toString('latin1');
  const not = (why: string, errno: number): NotAModule => ({ kind: 'not-a-module', path, why, errno });
  const ordinary = typeof place === 'string' ? place : fromMachineText(path);
  // O_NONBLOCK: a fifo would wait for a writer.
  const fd = openInRoot(root, ordinary, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (fd < 0) return not(errnoText(-fd), -fd);
  let keep = false;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return not('a directory', ERRNO.EISDIR);
    if (!stat.isFile()) return not('not a regular file', ERRNO.EINVAL);
    const source = new FileSource(path, fd, stat.size);
    // A peek reads ahead, which helps only with uncompressed files. The name decides only how much to read.
    const head = path.endsWith('.ko') ? source.peek(0, MAGIC_LENGTH) : source.read(0, MAGIC_LENGTH);
    const compression = compressionOf(head);
    if (compression !== undefined) {
      if (stat.size > IMAGE_LIMIT) return not(`a compressed file of ${stat.size} bytes`, ERRNO.EFBIG);
      keep = true;
      return { kind: 'packed', path, compression, fd, size: stat.size };
    }
    const module = moduleOf(path, compression, source, () => closeSync(fd));
    keep = module.kind === 'module';
    return module;
  } catch (error) {
    return failed(path, error);
  } finally {
    if (!keep) closeSync(fd);
  }
}

function unpack({ path, compression }: Packed, unpacked: Decompressed): ModuleFile | NotAModule {
  if (unpacked.kind === 'undecompressable') {
    const errno = unpacked.errno === ERRNO.EBADMSG ? ERRNO.EINVAL : unpacked.errno;
    return { kind: 'not-a-module', path, why: unpacked.why, errno, packed: true };
  }
  return moduleOf(path, compression, imageSource(unpacked.image));
}

function moduleOf(
  path: string,
  compression: Compression | undefined,
  source: ByteSource,
  close?: () => void,
): ModuleFile | NotAModule {
  const elf = parseModule(source);
  if (elf.kind === 'not-elf') return { kind: 'not-a-module', path, why: elf.why, errno: elf.errno };
  return new ModuleFile({ path, compression, elf, source, close });
}

function failed(path: string, error: unknown): NotAModule {
  // A FileSource throws an error of its own, caused by what node:fs threw.
  const cause = error instanceof PlugdError ? error.cause : error;
  const errno = errnoOf(cause, ERRNO.EINVAL);
  return { kind: 'not-a-module', path, why: fsCode(cause) === undefined ? reason(cause) : errnoText(errno), errno };
}
