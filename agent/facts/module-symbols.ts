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
import { section, sectionBytes, stringAt, u64, viewOf, type ByteSource, type Elf } from './elf.ts';

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

interface SymbolTable {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly strings: Buffer;
  /** Offsets inside an entry. */
  readonly entrySize: number;
  readonly info: number;
  readonly shndx: number;
  readonly value: number;
}

function symbolTable(source: ByteSource, elf: Elf): SymbolTable | undefined {
  const bytes = sectionBytes(source, elf, '.symtab');
  const strings = sectionBytes(source, elf, '.strtab');
  if (bytes === undefined || strings === undefined) return undefined;
  const layout =
    elf.bits === 64 ? { entrySize: 24, info: 4, shndx: 6, value: 8 } : { entrySize: 16, info: 12, shndx: 14, value: 4 };
  return { bytes, view: viewOf(bytes), strings, ...layout };
}

/** What the module exports, in the order of its symbol table; empty when nothing. */
export function exportedSymbols(source: ByteSource, elf: Elf): readonly ExportedSymbol[] {
  const table = symbolTable(source, elf);
  const found = table === undefined ? [] : versionedExports(source, elf, table);
  if (found.length > 0) return found;
  const text = sectionBytes(source, elf, '__ksymtab_strings')?.toString('latin1') ?? '';
  return text
    .split('\0')
    .filter((name) => name !== '')
    .map((name) => ({ name, crc: 0 }));
}

// "__crc_" as it stands in the table of strings.
const CRC_PREFIX = Buffer.from('__crc_', 'latin1');

function versionedExports(source: ByteSource, elf: Elf, table: SymbolTable): ExportedSymbol[] {
  const found: ExportedSymbol[] = [];
  // Most modules export nothing: one search for the prefix spares looking at each symbol's name.
  if (table.strings.indexOf(CRC_PREFIX) < 0) return found;
  const text = table.strings.toString('latin1');
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
    const where = elf.sections[index];
    // A section of CRCs is 4 bytes for each export.
    bytes = where === undefined || where.size > 1 << 20 ? Buffer.alloc(0) : source.read(where.offset, where.size);
    words.set(index, bytes);
  }
  return offset + 4 <= bytes.length ? viewOf(bytes).getUint32(offset, elf.littleEndian) : 0;
}

/** The versions a module was built against, in the order of `__versions` and then of its extension; empty without any. */
export function symbolVersions(source: ByteSource, elf: Elf): readonly ExportedSymbol[] {
  const bytes = sectionBytes(source, elf, '__versions');
  const found: ExportedSymbol[] = [];
  if (bytes !== undefined && bytes.length % 64 === 0) {
    const view = viewOf(bytes);
    const text = bytes.toString('latin1');
    const crcSize = elf.bits === 64 ? 8 : 4;
    for (let at = 0; at < bytes.length; at += 64) {
      const crc = crcSize === 8 ? u64(view, at, elf.littleEndian) : view.getUint32(at, elf.littleEndian);
      const nul = text.indexOf('\0', at + crcSize);
      const end = nul < 0 || nul > at + 64 ? at + 64 : nul;
      found.push({ name: text.slice(at + crcSize, end), crc });
    }
  }
  if (section(elf, '__version_ext_names') === undefined) return found;
  const names = sectionBytes(source, elf, '__version_ext_names')?.toString('latin1').split('\0') ?? [];
  const crcs = sectionBytes(source, elf, '__version_ext_crcs') ?? Buffer.alloc(0);
  const known = new Set(found.map(({ name }) => name));
  for (let i = 0; i < names.length && (i + 1) * 4 <= crcs.length; i++) {
    const name = names[i] ?? '';
    if (name !== '' && !known.has(name)) found.push({ name, crc: viewOf(crcs).getUint32(i * 4, elf.littleEndian) });
  }
  return found;
}

/**
 * What the module takes from others, each name once, in the order of its symbol table. Undefined for a module whose symbol
 * table was stripped, or names strings outside of it: then nothing is known of its dependencies.
 */
export function neededSymbols(source: ByteSource, elf: Elf): readonly NeededSymbol[] | undefined {
  const table = symbolTable(source, elf);
  if (table === undefined) return undefined;
  const versions = new Map(symbolVersions(source, elf).map(({ name, crc }) => [name, crc]));
  const text = table.strings.toString('latin1');
  const isSparc = SPARC_MACHINES.has(elf.machine);
  const needed: NeededSymbol[] = [];
  const seen = new Set<string>();
  for (let at = table.entrySize; at + table.entrySize <= table.bytes.length; at += table.entrySize) {
    if (table.view.getUint16(at + table.shndx, elf.littleEndian) !== 0) continue;
    const info = table.bytes[at + table.info] ?? 0;
    if (isSparc && (info & 0xf) === SPARC_REGISTER_TYPE) continue;
    const name = stringAt(text, table.view.getUint32(at, elf.littleEndian));
    if (name === undefined) return undefined;
    if (name === '') continue;
    seen.add(name);
    needed.push({ name, crc: versions.get(name), weak: info >> 4 === WEAK_BINDING });
  }
  for (const [name, crc] of versions) if (!seen.has(name) && name !== '') needed.push({ name, crc, weak: false });
  return needed;
}
