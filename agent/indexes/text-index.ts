/** Builds an index from depmod's text file. Pure. */
import { lookupKey, moduleNameFromPath } from '../base/names.ts';
import { IndexBuilder } from './index-writer.ts';

/*
 * The text files of a module tree, and the insertions that depmod makes from the same facts:
 *
 *     modules.dep               kernel/a/x-y.ko: kernel/b.ko       x_y → the line, priority: number of the line
 *     modules.alias             alias pci:v00001AF4d* virtio_pci   normalised pattern → module, its line in modules.dep
 *     modules.symbols           alias symbol:crc32c_impl libcrc32c the same
 *     modules.builtin           kernel/a/x-y.ko                    x_y → '', 0
 *     modules.builtin.modinfo   x_y.alias=platform:x-y\0           normalised pattern → x_y, 0
 *
 * From Debian's text files this builds the bytes of Debian's .bin files.
 */

/** Why an index cannot hold a line. */
export type LeftOutReason = 'no-path' | 'no-alias' | 'bracket' | 'not-7-bit' | 'line-break';

/** A line that an index built from text leaves out: `{ line: 7, text: 'pci:[x', reason: 'bracket', why: 'a bracket …' }`. */
export interface LeftOut {
  /** The line number, from 1 (for modules.builtin.modinfo: the number of the string). */
  readonly line: number;
  readonly text: string;
  readonly reason: LeftOutReason;
  /** The reason in words. */
  readonly why: string;
}

const WHY: Readonly<Record<LeftOutReason, string>> = {
  'no-path': 'it does not begin with "path:"',
  'no-alias': 'it is not "alias PATTERN MODULE"',
  bracket: 'a bracket in it has no partner',
  'not-7-bit': 'it is not 7-bit text of at most 4,095 bytes',
  'line-break': 'it has a line break',
};

/** An index's builder, and the lines that the index cannot hold. */
export interface TextIndex {
  readonly builder: IndexBuilder;
  readonly leftOut: readonly LeftOut[];
}

/** Each module's line in the text of modules.dep, from 0: `crc16` → 3. */
export function modulePositions(modulesDep: string): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (const [index, line] of lines(modulesDep).entries()) {
    const colon = line.indexOf(':');
    if (colon > 0) positions.set(moduleNameFromPath(line.slice(0, colon)), index);
  }
  return positions;
}

/** modules.dep.bin from the text of modules.dep. */
export function depIndex(modulesDep: string): TextIndex {
  const build = new Builder();
  for (const [index, line] of lines(modulesDep).entries()) {
    const colon = line.indexOf(':');
    if (colon > 0) build.insert(index, moduleNameFromPath(line.slice(0, colon)), line, index);
    else if (line !== '') build.leaveOut(index, line, 'no-path');
  }
  return build.result;
}

/** modules.alias.bin or modules.symbols.bin from the text of modules.alias or modules.symbols. */
export function aliasIndex(text: string, positions: ReadonlyMap<string, number>): TextIndex {
  const build = new Builder();
  for (const [index, line] of lines(text).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    // A pattern can contain spaces (`platform:Fixed MDIO bus`), a module's name cannot.
    const blank = line.lastIndexOf(' ');
    if (!line.startsWith('alias ') || blank <= 6) {
      build.leaveOut(index, line, 'no-alias');
      continue;
    }
    const module = line.slice(blank + 1);
    build.alias(index, line.slice(6, blank), module, positions.get(module) ?? 0);
  }
  return build.result;
}

/** modules.builtin.bin from the text of modules.builtin. */
export function builtinIndex(modulesBuiltin: string): TextIndex {
  const build = new Builder();
  for (const [index, line] of lines(modulesBuiltin).entries()) {
    if (line !== '') build.insert(index, moduleNameFromPath(line), '', 0);
  }
  return build.result;
}

/** modules.builtin.alias.bin from the text of modules.builtin.modinfo. */
export function builtinAliasIndex(modinfo: string): TextIndex {
  const build = new Builder();
  for (const [index, string] of modinfo.split('\0').entries()) {
    const dot = string.indexOf('.');
    if (dot <= 0 || !string.startsWith('alias=', dot + 1) || string.length <= dot + 7) continue;
    // `modprobe -c` prints the index as lines.
    if (string.includes('\n')) build.leaveOut(index, string, 'line-break');
    else build.alias(index, string.slice(dot + 7), string.slice(0, dot), 0);
  }
  return build.result;
}

class Builder {
  readonly #builder = new IndexBuilder();
  readonly #leftOut: LeftOut[] = [];
  readonly result: TextIndex = { builder: this.#builder, leftOut: this.#leftOut };

  insert(index: number, key: string, value: string, priority: number): void {
    if (!this.#builder.insert(key, value, priority)) this.leaveOut(index, key, 'not-7-bit');
  }

  alias(index: number, pattern: string, module: string, priority: number): void {
    const key = lookupKey(pattern);
    if (key === undefined) this.leaveOut(index, pattern, 'bracket');
    else this.insert(index, key, module, priority);
  }

  leaveOut(index: number, text: string, reason: LeftOutReason): void {
    this.#leftOut.push({ line: index + 1, text, reason, why: WHY[reason] });
  }
}

function lines(text: string): string[] {
  return text.split('\n');
}
