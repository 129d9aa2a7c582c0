/** What the modules of a kernel have in common, learned from some of them. Reads only. */
import type { Host } from '../../base/host.ts';
import { existsInRoot } from '../../base/root.ts';
import { FILE_SUFFIXES } from '../modfiles/compression.ts';
import { openModuleFile, type ModuleFile } from '../modfiles/module-file.ts';
import { readTextIn } from '../regular-file.ts';

/** What every module of a kernel has in common, taken from one that was built with it. */
export interface KernelSample {
  /** The module file it was taken from. */
  readonly path: string;
  /** `6.1.0-56-amd64 SMP preempt mod_unload modversions ` */
  readonly vermagic: string;
  /** ELF's machine number (62: x86-64), word size and byte order. */
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
}

/** Enough to get past files that a package has not unpacked yet. */
const TRIES = 20;

/**
 * What modules of the host's kernel look like, from the first of modules.order that can be read. The running kernel exposes its
 * version magic nowhere. Undefined when no module of the tree was built with the kernel.
 */
export function readKernelSample(host: Host): KernelSample | undefined {
  for (const path of inTreeModules(host, TRIES)) {
    const file = openModuleFile(host.root, path);
    if (file.kind !== 'module') continue;
    try {
      const { vermagic, elf } = file;
      if (vermagic !== undefined) {
        return { path, vermagic, machine: elf.machine, bits: elf.bits, littleEndian: elf.littleEndian };
      }
    } finally {
      file.close();
    }
  }
  return undefined;
}

/** The versions (CRC) that the kernel's own modules were built against, for as many of `names` as can be found. */
export function readKernelVersions(host: Host, names: ReadonlySet<string>): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const path of inTreeModules(host, VERSION_TRIES)) {
    if (found.size === names.size) break;
    const file = openModuleFile(host.root, path);
    if (file.kind !== 'module') continue;
    try {
      for (const { name, crc } of versionsOf(file)) if (names.has(name) && !found.has(name)) found.set(name, crc);
    } finally {
      file.close();
    }
  }
  return found;
}

/** Many modules use a symbol of the kernel itself; one that none of these uses is seldom worth the time. */
const VERSION_TRIES = 300;

function versionsOf(file: ModuleFile): ReadonlyArray<{ readonly name: string; readonly crc: number }> {
  return file.versions();
}

/** Files of modules that were built with the kernel, from modules.order, or from modules.dep without it. */
function* inTreeModules(host: Host, limit: number): Generator<string> {
  const order = readTextIn(host.root, `${host.moduleDir}/modules.order`)?.split('\n') ?? [];
  const dep =
    order.length > 1
      ? []
      : (readTextIn(host.root, `${host.moduleDir}/modules.dep`) ?? '')
          .split('\n')
          .map((line) => line.split(':')[0] ?? '');
  let tried = 0;
  let suffixes: readonly string[] = FILE_SUFFIXES;
  for (const name of [...order, ...dep]) {
    if (!name.startsWith('kernel/') || tried >= limit) continue;
    tried++;
    const path = suffixes
      .map((suffix) => `${host.moduleDir}/${name}${suffix}`)
      .find((candidate) => existsInRoot(host.root, candidate));
    if (path === undefined) continue;
    // One tree has one suffix, so later files try the first that fitted first.
    suffixes = [path.slice(host.moduleDir.length + 1 + name.length), ...FILE_SUFFIXES];
    yield path;
  }
}

/** ELF machine numbers of Linux's architectures, with the words that uname -m uses. */
const MACHINES: ReadonlyMap<number, string> = new Map([
  [3, 'i386'],
  [8, 'mips'],
  [20, 'powerpc'],
  [21, 'powerpc64'],
  [22, 's390'],
  [40, 'arm'],
  [43, 'sparc64'],
  [62, 'x86_64'],
  [183, 'aarch64'],
  [243, 'riscv'],
  [258, 'loongarch'],
]);

/** An architecture in words: 183, 64 bit → `aarch64`; 243, 64 bit → `riscv64`; an unknown number as `machine N`. */
export function machineText(elf: Pick<KernelSample, 'machine' | 'bits' | 'littleEndian'>): string {
  const name = MACHINES.get(elf.machine) ?? `machine ${elf.machine}`;
  const bits = /riscv|loongarch|mips/.test(name) && elf.bits === 64 ? `${name}64` : name;
  return bits === 'powerpc64' && elf.littleEndian ? 'powerpc64le' : bits;
}
