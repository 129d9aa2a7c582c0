/**
 * The symbols a module gives to others and those it takes.
 *
 * A symbol table entry: 64 bit: name (u32), info (u8), other (u8), section (u16), value (u64), size (u64): 24 bytes;
 * 32 bit: name, value, size (u32 each), info, other (u8), section (u16): 16 bytes.
 *
 * Exports: the kernel's build adds to each exported `x` a symbol `__crc_x`, whose value is the version (CRC) itself if its
 * section is absolute, else the place of a 32-bit word that holds it (CONFIG_MODULE_REL_CRCS). A kernel without versions has
 * none: then the strings of `__ksymtab_strings` are the exports.
 *
 * Needs: entries of section 0 (undefined) with a name, then what `__versions` names beyond them. `__versions` is an array of
 * 64 bytes each: the CRC (8 bytes, 4 on 32 bit) and the name. Names too long for that are in `__version_ext_names` and
 * `__version_ext_crcs` (Linux 6.13, CONFIG_EXTENDED_MODVERSIONS).
 */
import {
  section,
  sectionBytes,
  SECTION_LIMIT,
  stringAt,
  u64,
  viewOf,
  type ByteSource,
  type Elf,
  type Section,
} from './elf.ts';

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

/** The symbols of a module, read in one go. */
export interface ModuleSymbols {
  /** What it exports, in the order of its symbol table; empty when nothing. */
  readonly exported: readonly ExportedSymbol[];
  /** What it needs: the undefined symbols, in the order of the table. */
  readonly undefinedNames: readonly string[];
  /** The names in `__versions`, and in its extension: what is not among the undefined is needed too. */
  readonly versionedNames: readonly string[];
  /** Those of the needed that may be missing. */
  readonly weak: ReadonlySet<string>;
  /** False for a stripped module, or one whose table names strings outside of it: nothing is known of what it needs. */
  readonly hasTable: boolean;
}

interface Table {
  readonly view: DataView;
  readonly bytes: Buffer;
  readonly strings: Buffer;
  /** Offsets inside an entry. */
  readonly entrySize: number;
  readonly info: number;
  readonly shndx: number;
  readonly value: number;
}

/** Reads the symbol table, which lies directly in front of its strings in most files: then both are one read. */
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
  const layout =
    elf.bits === 64 ? { entrySize: 24, info: 4, shndx: 6, value: 8 } : { entrySize: 16, info: 12, shndx: 14, value: 4 };
  return { bytes, view: viewOf(bytes), strings: bytesOf(strings), ...layout };
}

/** What the module exports and needs. */
export function readSymbols(source: ByteSource, elf: Elf): ModuleSymbols {
  const versionedNames = [...versionTable(source, elf).names, ...extendedNames(source, elf)];
  const table = symbolTable(source, elf);
  const text = table?.strings.toString('latin1') ?? '';
  const needs = table === undefined ? undefined : neededNames(elf, table, text);
  const exported = table === undefined ? [] : versionedExports(source, elf, table, text);
  return {
    exported: exported.length > 0 ? exported : unversionedExports(source, elf),
    undefinedNames: needs?.names ?? [],
    versionedNames: needs === undefined ? [] : versionedNames,
    weak: needs?.weak ?? NO_NAMES,
    hasTable: needs !== undefined,
  };
}

const NO_NAMES: ReadonlySet<string> = new Set();

function unversionedExports(source: ByteSource, elf: Elf): ExportedSymbol[] {
  const text = sectionBytes(source, elf, '__ksymtab_strings')?.toString('latin1') ?? '';
  return text
    .split('\0')
    .filter((name) => name !== '')
    .map((name) => ({ name, crc: 0 }));
}

// "__crc_" as it stands in the table of strings.
const CRC_PREFIX = Buffer.from('__crc_', 'latin1');

function versionedExports(source: ByteSource, elf: Elf, table: Table, text: string): ExportedSymbol[] {
  const found: ExportedSymbol[] = [];
  // Most modules export nothing: one search for the prefix spares looking at each symbol's name.
  if (table.strings.indexOf(CRC_PREFIX) < 0) return found;
  const words = new Map<number, Buffer>();
  for (let at = table.entrySize; at + table.entrySize <= table.bytes.length; at += table.entrySize) {
    const nameOffset = table.view.getUint32(at, elf.littleEndian);
    if (!text.startsWith('__crc_', nameOffset)) continue;
    const name = stringAt(text, nameOffset + CRC_PREFIX.length);
    if (name === undefined) continue;
    const value =
      elf.bits === 64
        ? u64(table.view, at + table.value, elf.littleEndian)
        : table.view.getUint32(at + table.value, elf.littleEndian);
    const index = table.view.getUint16(at + table.shndx, elf.littleEndian);
    found.push({ name, crc: index === 0 || index === ABSOLUTE ? value : crcWord(source, elf, words, index, value) });
  }
  return found;
}

function crcWord(source: ByteSource, elf: Elf, words: Map<number, Buffer>, index: number, offset: number): number {
  let bytes = words.get(index);
  if (bytes === undefined) {
    const where = elf.sectionAt(index);
    // A section of CRCs is 4 bytes for each export.
    bytes = where === undefined || where.size > 1 << 20 ? Buffer.alloc(0) : source.read(where.offset, where.size);
    words.set(index, bytes);
  }
  return offset + 4 <= bytes.length ? viewOf(bytes).getUint32(offset, elf.littleEndian) : 0;
}

/** The undefined symbols; undefined when a name lies outside of the strings. */
function neededNames(elf: Elf, table: Table, text: string): { names: string[]; weak: ReadonlySet<string> } | undefined {
  const isSparc = SPARC_MACHINES.has(elf.machine);
  const names: string[] = [];
  let weak: Set<string> | undefined;
  for (let at = table.entrySize; at + table.entrySize <= table.bytes.length; at += table.entrySize) {
    if (table.view.getUint16(at + table.shndx, elf.littleEndian) !== 0) continue;
    const info = table.bytes[at + table.info] ?? 0;
    if (isSparc && (info & 0xf) === SPARC_REGISTER_TYPE) continue;
    const name = stringAt(text, table.view.getUint32(at, elf.littleEndian));
    if (name === undefined) return undefined;
    if (name === '') continue;
    names.push(name);
    if (info >> 4 === WEAK_BINDING) (weak ??= new Set()).add(name);
  }
  return { names, weak: weak ?? NO_NAMES };
}

/** The versions a module was built against, in the order of `__versions` and then of its extension; empty without any. */
export function symbolVersions(source: ByteSource, elf: Elf): readonly ExportedSymbol[] {
  const table = versionTable(source, elf);
  const found = table.names.map((name, i) => ({ name, crc: table.crc(i) }));
  if (section(elf, '__version_ext_names') === undefined) return found;
  const crcs = sectionBytes(source, elf, '__version_ext_crcs') ?? Buffer.alloc(0);
  const known = new Set(table.names);
  for (const [i, name] of extendedNames(source, elf).entries()) {
    if (name === '' || known.has(name) || (i + 1) * 4 > crcs.length) continue;
    found.push({ name, crc: viewOf(crcs).getUint32(i * 4, elf.littleEndian) });
  }
  return found;
}

/** The names of `__versions`, and the version of each by its index, as long as nothing else is peeked. */
function versionTable(source: ByteSource, elf: Elf): { readonly names: readonly string[]; crc(index: number): number } {
  const where = section(elf, '__versions');
  if (where === undefined || where.size % 64 !== 0 || where.size > SECTION_LIMIT) return { names: [], crc: () => 0 };
  const bytes = source.peek(where.offset, where.size);
  const text = bytes.toString('latin1');
  const crcSize = elf.bits === 64 ? 8 : 4;
  const names: string[] = [];
  for (let at = 0; at + 64 <= text.length; at += 64) {
    const nul = text.indexOf('\0', at + crcSize);
    names.push(text.slice(at + crcSize, nul < 0 || nul > at + 64 ? at + 64 : nul));
  }
  const view = viewOf(bytes);
  const crc = (index: number) =>
    crcSize === 8 ? u64(view, index * 64, elf.littleEndian) : view.getUint32(index * 64, elf.littleEndian);
  return { names, crc };
}

function extendedNames(source: ByteSource, elf: Elf): readonly string[] {
  return sectionBytes(source, elf, '__version_ext_names')?.toString('latin1').split('\0') ?? [];
}

/** What the module needs with its versions; undefined when nothing is known of it (`hasTable`). */
export function neededSymbols(
  symbols: ModuleSymbols,
  versions: readonly ExportedSymbol[],
): readonly NeededSymbol[] | undefined {
  if (!symbols.hasTable) return undefined;
  const crcs = new Map(versions.map(({ name, crc }) => [name, crc]));
  const names = new Set([...symbols.undefinedNames, ...symbols.versionedNames]);
  names.delete('');
  return [...names].map((name) => ({ name, crc: crcs.get(name), weak: symbols.weak.has(name) }));
}
