/**
 * The symbols that a module exports and those it needs. Reads only.
 *
 * A symbol table entry: 64 bit: name (u32), info (u8), other (u8), section (u16), value (u64), size (u64): 24 bytes;
 * 32 bit: name, value, size (u32 each), info, other (u8), section (u16): 16 bytes.
 *
 * Exports: for each exported `x` the kernel's build adds a symbol `__crc_x`. Its value is the version (CRC) itself if its section
 * is absolute, else the position of a 32-bit word that holds it (CONFIG_MODULE_REL_CRCS). A kernel without versions has none; then
 * the strings of `__ksymtab_strings` are the exports.
 *
 * Needs: entries of section 0 (undefined) with a name, then the names that only `__versions` has. `__versions` is an array of
 * 64-byte entries: the CRC (8 bytes, 4 on 32 bit) and the name. Longer names are in `__version_ext_names` and
 * `__version_ext_crcs` (Linux 6.13, CONFIG_EXTENDED_MODVERSIONS).
 */
import { section, sectionBytes, SECTION_LIMIT, u64, viewOf, type ByteSource, type Elf, type Section } from './elf.ts';

/** An exported symbol and its version. */
export interface ExportedSymbol {
  readonly name: string;
  readonly crc: number;
}

/** A needed symbol: `crc` is the version it was built against, undefined without one; `weak` if it may be missing. */
export interface NeededSymbol {
  readonly name: string;
  readonly crc: number | undefined;
  readonly weak: boolean;
}

const SPARC_MACHINES = new Set([2, 18, 43]);
const SPARC_REGISTER_TYPE = 13;
const WEAK_BINDING = 2;
const ABSOLUTE = 0xfff1;

/** The symbols of a module. */
export interface ModuleSymbols {
  /** What it exports, in the order of its symbol table; empty when nothing. */
  readonly exported: readonly ExportedSymbol[];
  /** What it needs, each name once: the undefined symbols in the order of the table, then names that only `__versions` has. */
  readonly needed: readonly string[];
  /** The needed symbols that may be missing. */
  readonly weak: ReadonlySet<string>;
  /** False for a stripped module, or one whose table names strings outside of it: then its needs are unknown. */
  readonly hasTable: boolean;
}

/** Receives symbols as the bytes of their names: `bytes` from `start` to the next NUL, valid during the call only. */
export interface SymbolVisitor {
  /** May be called twice for one name. */
  needed(bytes: Uint8Array, start: number, weak: boolean): void;
  exported(bytes: Uint8Array, start: number, crc: number): void;
}

/** What the module exports and needs. */
export function readSymbols(source: ByteSource, elf: Elf): ModuleSymbols {
  const exported: ExportedSymbol[] = [];
  const needed = new Set<string>();
  const weak = new Set<string>();
  const hasTable = visitSymbols(source, elf, {
    needed(bytes, start, isWeak) {
      const name = nameAt(bytes, start);
      needed.add(name);
      if (isWeak) weak.add(name);
    },
    exported: (bytes, start, crc) => exported.push({ name: nameAt(bytes, start), crc }),
  });
  return { exported, needed: hasTable ? [...needed] : [], weak, hasTable };
}

function nameAt(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/**
 * Visits what the module exports, then what it needs. Returns false when its needs are unknown (see `ModuleSymbols.hasTable`);
 * then the needs visited until that point are void.
 */
export function visitSymbols(source: ByteSource, elf: Elf, visitor: SymbolVisitor): boolean {
  const table = symbolTable(source, elf);
  const found = table !== undefined && visitVersionedExports(source, elf, table, visitor);
  const hasTable = table !== undefined && visitUndefined(elf, table, visitor);
  // These read other parts of the file, which overwrites the table.
  if (!found)
    visitStrings(terminated(sectionBytes(source, elf, '__ksymtab_strings')), (bytes, at) =>
      visitor.exported(bytes, at, 0),
    );
  if (!hasTable) return false;
  visitVersioned(source, elf, visitor);
  visitStrings(terminated(sectionBytes(source, elf, '__version_ext_names')), (bytes, at) =>
    visitor.needed(bytes, at, false),
  );
  return true;
}

interface Table extends SymbolLayout {
  readonly view: DataView;
  readonly bytes: Buffer;
  /** NUL-terminated. */
  readonly strings: Buffer;
}

/** The size of an entry of the symbol table, and the offsets of its fields, in bytes. */
export interface SymbolLayout {
  readonly entrySize: number;
  readonly info: number;
  readonly shndx: number;
  readonly value: number;
}

/** How the entries of a file's symbol table are laid out. */
export function symbolLayout({ bits }: Elf): SymbolLayout {
  return bits === 64
    ? { entrySize: 24, info: 4, shndx: 6, value: 8 }
    : { entrySize: 16, info: 12, shndx: 14, value: 4 };
}

/** Reads the symbol table. In most files it lies right before its strings, and one read gets both. */
function symbolTable(source: ByteSource, elf: Elf): Table | undefined {
  const symbols = section(elf, '.symtab');
  const strings = section(elf, '.strtab');
  if (symbols === undefined || strings === undefined) return undefined;
  const begin = Math.min(symbols.offset, strings.offset);
  const end = Math.max(symbols.offset + symbols.size, strings.offset + strings.size);
  if (symbols.size + strings.size > SECTION_LIMIT) return undefined;
  const near = end - begin <= symbols.size + strings.size + 4096;
  const all = near ? source.peek(begin, end - begin) : undefined;
  const bytesOf = ({ offset, size }: Section) =>
    all === undefined ? source.read(offset, size) : all.subarray(offset - begin, offset - begin + size);
  const bytes = bytesOf(symbols);
  return { bytes, view: viewOf(bytes), strings: terminated(bytesOf(strings)), ...symbolLayout(elf) };
}

/** The strings up to their last NUL; a string that is cut off does not count. */
function terminated(strings: Buffer | undefined): Buffer {
  return strings === undefined ? Buffer.alloc(0) : strings.subarray(0, strings.lastIndexOf(0) + 1);
}

function visitStrings(strings: Buffer, visit: (bytes: Buffer, start: number) => void): void {
  for (let at = 0; at < strings.length; at = strings.indexOf(0, at) + 1) if (strings[at] !== 0) visit(strings, at);
}

// "__crc_" as it appears in the table of strings.
const CRC_PREFIX = Buffer.from('__crc_', 'latin1');

/** Visits the exports that have a version; returns whether there was one. */
function visitVersionedExports(source: ByteSource, elf: Elf, table: Table, visitor: SymbolVisitor): boolean {
  const { view, bytes, strings, entrySize } = table;
  // Most modules export nothing: one search for the prefix saves a look at each symbol's name.
  if (strings.indexOf(CRC_PREFIX) < 0) return false;
  const words = new Map<number, Buffer>();
  let found = false;
  for (let at = entrySize; at + entrySize <= bytes.length; at += entrySize) {
    const name = view.getUint32(at, elf.littleEndian);
    if (!startsWithCrc(strings, name)) continue;
    const value =
      elf.bits === 64
        ? u64(view, at + table.value, elf.littleEndian)
        : view.getUint32(at + table.value, elf.littleEndian);
    const index = view.getUint16(at + table.shndx, elf.littleEndian);
    const crc = index === 0 || index === ABSOLUTE ? value : crcWord(source, elf, words, index, value);
    visitor.exported(strings, name + CRC_PREFIX.length, crc);
    found = true;
  }
  return found;
}

function startsWithCrc(strings: Buffer, at: number): boolean {
  for (let i = 0; i < CRC_PREFIX.length; i++) if (strings[at + i] !== CRC_PREFIX[i]) return false;
  return true;
}

function crcWord(source: ByteSource, elf: Elf, words: Map<number, Buffer>, index: number, offset: number): number {
  let bytes = words.get(index);
  if (bytes === undefined) {
    const where = elf.sectionAt(index);
    // A section of CRCs has 4 bytes for each export.
    bytes = where === undefined || where.size > 1 << 20 ? Buffer.alloc(0) : source.read(where.offset, where.size);
    words.set(index, bytes);
  }
  return offset + 4 <= bytes.length ? viewOf(bytes).getUint32(offset, elf.littleEndian) : 0;
}

/** Visits the undefined symbols; returns false when a name lies outside of the strings. */
function visitUndefined(elf: Elf, table: Table, visitor: SymbolVisitor): boolean {
  const { view, bytes, strings, entrySize } = table;
  const isSparc = SPARC_MACHINES.has(elf.machine);
  for (let at = entrySize; at + entrySize <= bytes.length; at += entrySize) {
    if (view.getUint16(at + table.shndx, elf.littleEndian) !== 0) continue;
    const info = bytes[at + table.info] ?? 0;
    if (isSparc && (info & 0xf) === SPARC_REGISTER_TYPE) continue;
    const name = view.getUint32(at, elf.littleEndian);
    if (name >= strings.length) return false;
    if (strings[name] !== 0) visitor.needed(strings, name, info >> 4 === WEAK_BINDING);
  }
  return true;
}

/** Visits the names in `__versions`. */
function visitVersioned(source: ByteSource, elf: Elf, visitor: SymbolVisitor): void {
  const bytes = versionBytes(source, elf);
  const crcSize = elf.bits / 8;
  for (let at = 0; at + 64 <= bytes.length; at += 64) {
    if (bytes[at + crcSize] === 0) continue;
    if (bytes[at + 63] === 0) visitor.needed(bytes, at + crcSize, false);
    // A name that fills its field has no NUL.
    else visitor.needed(Buffer.concat([bytes.subarray(at + crcSize, at + 64), Buffer.alloc(1)]), 0, false);
  }
}

/** The section `__versions`, valid until the next peek; empty when there is none, or it is not a table of versions. */
function versionBytes(source: ByteSource, elf: Elf): Buffer {
  const where = section(elf, '__versions');
  if (where === undefined || where.size % 64 !== 0 || where.size > SECTION_LIMIT) return Buffer.alloc(0);
  return source.peek(where.offset, where.size);
}

/** The versions a module was built against, in the order of `__versions` and then of its extension; empty without any. */
export function symbolVersions(source: ByteSource, elf: Elf): readonly ExportedSymbol[] {
  const bytes = versionBytes(source, elf);
  const view = viewOf(bytes);
  const text = bytes.toString('latin1');
  const found: ExportedSymbol[] = [];
  for (let at = 0; at + 64 <= bytes.length; at += 64) {
    const crc = elf.bits === 64 ? u64(view, at, elf.littleEndian) : view.getUint32(at, elf.littleEndian);
    found.push({ name: text.slice(at + elf.bits / 8, at + 64).replace(/\0.*$/s, ''), crc });
  }
  if (section(elf, '__version_ext_names') === undefined) return found;
  const names = sectionBytes(source, elf, '__version_ext_names')?.toString('latin1').split('\0') ?? [];
  const crcs = sectionBytes(source, elf, '__version_ext_crcs') ?? Buffer.alloc(0);
  const known = new Set(found.map(({ name }) => name));
  for (const [i, name] of names.entries()) {
    if (name === '' || known.has(name) || (i + 1) * 4 > crcs.length) continue;
    found.push({ name, crc: viewOf(crcs).getUint32(i * 4, elf.littleEndian) });
  }
  return found;
}

/** What the module needs with its versions; undefined when that is unknown (`hasTable`). */
export function neededSymbols(
  symbols: ModuleSymbols,
  versions: readonly ExportedSymbol[],
): readonly NeededSymbol[] | undefined {
  if (!symbols.hasTable) return undefined;
  const crcs = new Map(versions.map(({ name, crc }) => [name, crc]));
  return symbols.needed.map((name) => ({ name, crc: crcs.get(name), weak: symbols.weak.has(name) }));
}
