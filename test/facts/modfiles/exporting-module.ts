import { viewOf } from '../../../agent/facts/modfiles/elf.ts';
import { elfImage } from '../../fixtures/elf-image.ts';

/** How a kernel's tables of exports look in a module. */
export interface ExportLayout {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  /** Relocations with their addend beside them, not in the place. */
  readonly addends: boolean;
  /** Bytes of a field: 4 for one relative to itself, else a pointer's. */
  readonly field: 4 | 8;
}

/** One export. */
export interface ExportEntry {
  readonly name: string;
  /** undefined: a pointer to nothing. */
  readonly namespace: string | undefined;
}

const STRINGS = 1;
const TEXT = 2;

/** A module whose tables of exports are laid out so; symbol 1 is the section of strings, 2 that of code. */
export function exportingModule(
  tables: Readonly<Record<string, readonly ExportEntry[]>>,
  layout: ExportLayout,
  more: Readonly<Record<string, string | Buffer>> = {},
): Buffer {
  const { bits, littleEndian, addends, field } = layout;
  const number = (bytes: Buffer, at: number, value: number, size: 4 | 8) => {
    const low = size === 8 && !littleEndian ? 4 : 0;
    viewOf(bytes).setUint32(at + low, value, littleEndian);
  };
  let strings = '\0';
  const add = (text: string) => {
    strings += `${text}\0`;
    return strings.length - text.length - 1;
  };
  const sections: Record<string, string | Buffer> = {};
  for (const [table, exported] of Object.entries(tables)) {
    const contents = Buffer.alloc(exported.length * 3 * field);
    const relocations: Buffer[] = [];
    const relocate = (offset: number, symbol: number, target: number) => {
      const word = bits === 64 ? 8 : 4;
      const entry = Buffer.alloc(word * (addends ? 3 : 2));
      number(entry, 0, offset, word);
      if (bits === 64) viewOf(entry).setUint32(littleEndian ? 12 : 8, symbol, littleEndian);
      else viewOf(entry).setUint32(4, (symbol << 8) | 2, littleEndian);
      if (addends) number(entry, 2 * word, target, word);
      else number(contents, offset, target, field);
      relocations.push(entry);
    };
    for (const [i, { name, namespace }] of exported.entries()) {
      const at = i * 3 * field;
      relocate(at, TEXT, i);
      relocate(at + field, STRINGS, add(name));
      if (namespace !== undefined) relocate(at + 2 * field, STRINGS, namespace === '' ? 0 : add(namespace));
    }
    sections[table] = contents;
    sections[`${addends ? '.rela' : '.rel'}${table}`] = Buffer.concat(relocations.toReversed());
  }
  const symbols = [
    { name: '', section: '__ksymtab_strings' },
    { name: '', section: '.text' },
  ];
  return elfImage({
    bits,
    littleEndian,
    sections: { ...sections, ...more, __ksymtab_strings: Buffer.from(strings, 'latin1'), '.text': Buffer.alloc(64) },
    symbols,
  });
}
