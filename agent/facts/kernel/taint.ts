/**
 * Taint: what may make the kernel's developers refuse a bug report, one bit each in /proc/sys/kernel/tainted. The kernel also
 * keeps the bits that modules cause for each module, as letters in /sys/module/NAME/taint (`OE`). Reads only.
 * Source: Documentation/admin-guide/tainted-kernels.rst.
 */
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { readAttribute, readNames } from '../attribute.ts';
import { readProc } from './procfs.ts';

/** One reason why the kernel is tainted. */
export interface Taint {
  readonly bit: number;
  readonly letter: string;
  readonly meaning: string;
  /** The loaded modules that carry this letter; empty for a bit that no module causes. */
  readonly modules: readonly ModuleName[];
}

const BITS: ReadonlyArray<readonly [letter: string, meaning: string]> = [
  ['P', 'a proprietary module was loaded'],
  ['F', 'a module was loaded by force'],
  ['S', 'the kernel runs out of its specification'],
  ['R', 'a module was unloaded by force'],
  ['M', 'the processor reported a machine check'],
  ['B', 'a bad page was found'],
  ['U', 'a user asked for the taint'],
  ['D', 'the kernel died (OOPS or BUG)'],
  ['A', 'an ACPI table was overridden'],
  ['W', 'the kernel issued a warning'],
  ['C', 'a staging driver was loaded'],
  ['I', 'a workaround for a firmware defect was applied'],
  ['O', 'an out-of-tree module was loaded'],
  ['E', 'an unsigned module was loaded, or one whose key is not trusted'],
  ['L', 'a soft lockup happened'],
  ['K', 'the kernel was live patched'],
  ['X', "the distribution's own taint"],
  ['T', 'structures are laid out at random'],
  ['N', 'an in-kernel test ran'],
  ['J', 'a mutating debug operation of fwctl was used'],
];

/** The reasons set in /proc/sys/kernel/tainted, by bit; undefined when it cannot be read. */
export function readTaints(host: Host): readonly Taint[] | undefined {
  const text = readProc(host, 'sys/kernel/tainted')?.trimEnd();
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const word = BigInt(text);
  const byModule = word === 0n ? new Map<ModuleName, string>() : readModuleTaints(host);
  const taints: Taint[] = [];
  for (let bit = 0; word >> BigInt(bit) !== 0n; bit++) {
    if (((word >> BigInt(bit)) & 1n) === 0n) continue;
    const [letter, meaning] = BITS[bit] ?? ['?', `bit ${bit}, unknown to this version of plugd`];
    const modules = [...byModule].filter(([, letters]) => letters.includes(letter)).map(([module]) => module);
    taints.push({ bit, letter, meaning, modules });
  }
  return taints;
}

/** The loaded modules that taint the kernel, with their letters (`OE`), by name. */
export function readModuleTaints(host: Host): ReadonlyMap<ModuleName, string> {
  const found = new Map<ModuleName, string>();
  for (const name of readNames(`${host.sysfs}/module`).toSorted()) {
    const letters = readAttribute(`${host.sysfs}/module/${name}/taint`);
    if (letters !== undefined && letters.trim() !== '') found.set(name as ModuleName, letters.trim());
  }
  return found;
}
