/**
 * The symbols of the kernel itself, from the build's Module.symvers (-E) or System.map (-F). Parses texts; no I/O.
 *
 *     Module.symvers   0xb352177e<TAB>find_first_bit<TAB>vmlinux<TAB>EXPORT_SYMBOL
 *     System.map       c0294200 R __ksymtab_devfs_alloc_devnum
 */
import type { Say } from './message.ts';

/** A symbol of the kernel; `crc` is 0 where the source has none. */
export interface KernelSymbol {
  readonly name: string;
  readonly crc: number;
}

/** Names that the kernel's loader provides without exporting them: on all machines, s390, and 64-bit PowerPC. */
const MAGIC = ['__this_module', '_GLOBAL_OFFSET_TABLE_', 'TOC.'];

/** The symbols of a Module.symvers whose place is `vmlinux`, and the loader's own; `file` names it in messages. */
export function parseSymvers(
  text: string,
  file: string,
  prefix: string | undefined,
  say: Say,
): readonly KernelSymbol[] {
  const found: KernelSymbol[] = [];
  for (const [index, line] of lines(text)) {
    // The third word ends in a newline when it is the last: a file of three columns names no place then.
    const [version, name, place] = line.split(/[ \t]+/).filter((word) => word !== '');
    if (version === undefined || name === undefined || place !== 'vmlinux') continue;
    if (/^[+-]?(0[xX])?[0-9a-fA-F]*$/.test(version)) {
      found.push({ name: withoutPrefix(name, prefix), crc: Number.parseInt(version.replace(/^[+-]/, ''), 16) || 0 });
    } else {
      say('error', `${file}:${index} Invalid symbol version ${version}: Success`);
    }
  }
  return [...found, ...MAGIC.map((name) => ({ name, crc: 0 }))];
}

/** The symbols that a System.map marks as exported, and the loader's own; `file` names it in messages. */
export function parseSystemMap(
  text: string,
  file: string,
  prefix: string | undefined,
  say: Say,
): readonly KernelSymbol[] {
  const found: KernelSymbol[] = [];
  for (const [index, line] of lines(text)) {
    const second = line.indexOf(' ', line.indexOf(' ') + 1);
    if (second <= 0) {
      say('error', `${file}:${index}: invalid line: ${line}`);
      continue;
    }
    const name = withoutPrefix(line.slice(second + 1).replace(/\n$/, ''), prefix);
    if (name.startsWith('__ksymtab_')) found.push({ name: name.slice('__ksymtab_'.length), crc: 0 });
  }
  return [...found, ...MAGIC.map((name) => ({ name, crc: 0 }))];
}

/** A symbol's name without the architecture's prefix character (-P). */
export function withoutPrefix(name: string, prefix: string | undefined): string {
  return prefix !== undefined && name.startsWith(prefix) ? name.slice(1) : name;
}

function* lines(text: string): Generator<readonly [number: number, line: string]> {
  let number = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    yield [++number, text.slice(start, end)];
    start = end;
  }
}
