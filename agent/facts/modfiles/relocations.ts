/**
 * What the loader fills in: for each place in a section, the place in another that it refers to.
 *
 *     RELA 64 bit: offset (u64), info (u64: symbol << 32 | type), addend (i64): 24 bytes
 *     REL 64 bit: the same without the addend, which stands at the place itself: 16 bytes
 *     RELA and REL 32 bit: offset, info (symbol << 8 | type), addend (32 bits each): 12 and 8 bytes
 *
 * A place that is relative to itself refers to symbol + addend, too. Source: elf(5), the System V ABI.
 */
import { section, SECTION_LIMIT, u64, viewOf, type ByteSource, type Elf, type Section } from './elf.ts';
import { symbolLayout } from './module-symbols.ts';

/** One place, and what it refers to. */
export interface Relocation {
  /** In the section that is relocated. */
  readonly offset: number;
  /** The section referred to; undefined for a symbol of no section of this file. */
  readonly section: string | undefined;
  /** The offset in that section. */
  readonly target: number;
}

/** The relocations of a section, sorted by their offset; empty when it has none, or its tables are damaged. */
export function readRelocations(source: ByteSource, elf: Elf, where: Section): readonly Relocation[] {
  const rela = section(elf, `.rela${where.name}`);
  const table = rela ?? section(elf, `.rel${where.name}`);
  const symtab = section(elf, '.symtab');
  if (table === undefined || symtab === undefined) return [];
  if (table.size + symtab.size + where.size > SECTION_LIMIT) return [];
  const wide = elf.bits === 64;
  const [word, entrySize] = wide ? [8, rela === undefined ? 16 : 24] : [4, rela === undefined ? 8 : 12];
  const { littleEndian } = elf;
  const entries = viewOf(source.read(table.offset, table.size));
  const symbols = viewOf(source.read(symtab.offset, symtab.size));
  const contents = viewOf(source.read(where.offset, where.size));
  const layout = symbolLayout(elf);
  const found: Relocation[] = [];
  for (let at = 0; at + entrySize <= entries.byteLength; at += entrySize) {
    const offset = wide ? u64(entries, at, littleEndian) : entries.getUint32(at, littleEndian);
    const info = entries.getUint32(at + word + (wide && littleEndian ? 4 : 0), littleEndian);
    const symbol = (wide ? info : info >>> 8) * layout.entrySize;
    if (symbol + layout.entrySize > symbols.byteLength) return [];
    const value = wide
      ? u64(symbols, symbol + layout.value, littleEndian)
      : symbols.getUint32(symbol + layout.value, littleEndian);
    const index = symbols.getUint16(symbol + layout.shndx, littleEndian);
    if (rela === undefined && offset + 4 > contents.byteLength) return [];
    // An addend of 64 bits is read by its lower half: no section is larger.
    const low = wide && !littleEndian ? 4 : 0;
    const addend =
      rela === undefined
        ? contents.getInt32(offset + low * Number(offset + 8 <= contents.byteLength), littleEndian)
        : entries.getInt32(at + 2 * word + low, littleEndian);
    found.push({ offset, section: index === 0 ? undefined : elf.sectionAt(index)?.name, target: value + addend });
  }
  return found.toSorted((a, b) => a.offset - b.offset);
}
