/**
 * Parses the `.modinfo` section, in which a module describes itself: NUL-terminated `key=value` strings in the compiler's order.
 * Several NULs between two strings are padding. Pure.
 *
 *     license=GPL\0description=CRC16 calculations\0depends=\0vermagic=6.1.0-56-amd64 SMP preempt mod_unload modversions \0
 *
 * Keys repeat (alias, parm, firmware). modules.builtin.modinfo is the same for the modules inside the kernel, each key
 * preceded by the module's name and a dot. Source: include/linux/moduleparam.h (__MODULE_INFO).
 */
import { ERRNO } from '../../base/errno.ts';
import { parseElf, section, type ByteSource, type Elf, type NotElf } from './elf.ts';

/** One string of `.modinfo`; `value` is '' for a string without '='. latin1. */
export interface ModinfoField {
  readonly key: string;
  readonly value: string;
}

/** The strings of a section's text (latin1), in its order. Text after the last NUL counts too. */
export function parseModinfo(text: string): readonly ModinfoField[] {
  const fields: ModinfoField[] = [];
  for (let start = 0; start < text.length;) {
    const nul = text.indexOf('\0', start);
    const end = nul < 0 ? text.length : nul;
    if (end > start) fields.push(field(text.slice(start, end)));
    start = end + 1;
  }
  return fields;
}

function field(text: string): ModinfoField {
  const equals = text.indexOf('=');
  return equals < 0 ? { key: text, value: '' } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** The first value of a key, undefined when there is none. */
export function modinfoValue(fields: readonly ModinfoField[], key: string): string | undefined {
  return fields.find((candidate) => candidate.key === key)?.value;
}

/** All values of a key in order. */
export function modinfoValues(fields: readonly ModinfoField[], key: string): readonly string[] {
  return fields.filter((candidate) => candidate.key === key).map((candidate) => candidate.value);
}

/**
 * The largest plausible `.modinfo`, in bytes. Debian's largest has 76 KB (option); one of 60 MB, 5 KB in a .ko.zst, would be
 * millions of strings.
 */
export const MODINFO_LIMIT = 4 * 1024 * 1024;

/** A module's ELF headers; a `.modinfo` above MODINFO_LIMIT counts as damage. */
export function parseModule(source: ByteSource): Elf | NotElf {
  const elf = parseElf(source);
  const size = elf.kind === 'elf' ? (section(elf, '.modinfo')?.size ?? 0) : 0;
  if (size <= MODINFO_LIMIT) return elf;
  const why = `damaged: .modinfo has ${(size / (1 << 20)).toFixed(1)} MiB, more than the ${MODINFO_LIMIT >> 20} MiB that plugd reads`;
  return { kind: 'not-elf', why, errno: ERRNO.EINVAL };
}
