/**
 * On which terms a module gives its symbols to others. `__ksymtab` and `__ksymtab_gpl` have an entry of three fields for each
 * export: where the symbol is, its name, its namespace. The fields are filled in by relocations:
 *
 *     .rela__ksymtab_gpl   offset 0 → the symbol, 4 → __ksymtab_strings + 0x10 (the name), 8 → … + 0x1f (the namespace)
 *
 * A field has 4 bytes where it is relative to itself (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS), else it is a pointer. What stands
 * in `__ksymtab_gpl` is for GPL-compatible modules only. Since Linux 7.1 all stand in `__ksymtab`, and `__kflagstab` has a byte
 * of flags for each: bit 0 says the same. The symbols `__ksymtab_x` and `__kstrtabns_x` would be easier to read, but
 * distributions strip them.
 *
 * Source: include/linux/export-internal.h, scripts/module.lds.S, kernel/module/main.c (find_symbol).
 */
import { section, sectionBytes, SECTION_LIMIT, stringAt, type ByteSource, type Elf } from './elf.ts';
import { readRelocations, type Relocation } from './relocations.ts';

/** Who may use an exported symbol. */
export interface ExportTerms {
  /** Only modules whose license is compatible with the GPL; undefined when it is not known. */
  readonly gplOnly: boolean | undefined;
  /** The namespace that a module must import; '' for none, undefined when it is not known. latin1 */
  readonly namespace: string | undefined;
}

const TABLES = [
  { name: '__ksymtab', gplOnly: false },
  { name: '__ksymtab_gpl', gplOnly: true },
  // Until Linux 5.11.
  { name: '__ksymtab_unused', gplOnly: false },
  { name: '__ksymtab_unused_gpl', gplOnly: true },
] as const;
const FLAG_GPL_ONLY = 1;

/** The terms of each symbol that a module exports, by its name. Without those of a table that cannot be understood. */
export function readExportTerms(source: ByteSource, elf: Elf): ReadonlyMap<string, ExportTerms> {
  const terms = new Map<string, ExportTerms>();
  const strings = sectionBytes(source, elf, '__ksymtab_strings')?.toString('latin1');
  if (strings === undefined) return terms;
  for (const { name, gplOnly } of TABLES) {
    const entries = readEntries(source, elf, name, strings);
    const flags = name === '__ksymtab' ? sectionBytes(source, elf, '__kflagstab') : undefined;
    for (const [i, entry] of entries.entries()) {
      const flag = flags?.[i];
      terms.set(entry.name, {
        gplOnly: flag === undefined ? gplOnly : (flag & FLAG_GPL_ONLY) !== 0,
        namespace: entry.namespace,
      });
    }
  }
  return terms;
}

interface Entry {
  readonly name: string;
  readonly namespace: string;
}

/** The entries of one table in its order; empty when it is not there, or has another layout. */
function readEntries(source: ByteSource, elf: Elf, table: string, strings: string): readonly Entry[] {
  const where = section(elf, table);
  if (where === undefined || where.size === 0 || where.size > SECTION_LIMIT) return [];
  const relocations = readRelocations(source, elf, where);
  const [first, second] = relocations;
  if (first === undefined || second === undefined) return [];
  const field = second.offset - first.offset;
  const size = 3 * field;
  if (first.offset !== 0 || (field !== 4 && field !== 8) || where.size % size !== 0) return [];
  const at = new Map(relocations.map((relocation) => [relocation.offset, relocation]));
  const entries: Entry[] = [];
  for (let offset = 0; offset < where.size; offset += size) {
    const name = textOf(at.get(offset + field), strings);
    const place = at.get(offset + 2 * field);
    // A pointer to no namespace needs no relocation.
    const namespace = place === undefined ? '' : textOf(place, strings);
    if (name === undefined || name === '' || namespace === undefined) return [];
    entries.push({ name, namespace });
  }
  return entries;
}

function textOf(relocation: Relocation | undefined, strings: string): string | undefined {
  return relocation?.section !== '__ksymtab_strings' ? undefined : stringAt(strings, relocation.target);
}
