/**
 * The symbols that a kernel itself offers to modules, with their versions where the source has them. Reads only.
 *
 *     Module.symvers, symvers.gz    0xb352177e<TAB>find_first_bit<TAB>vmlinux<TAB>EXPORT_SYMBOL
 *     /proc/kallsyms                ffffffff81000000 T _text        (a module's symbol: a tab and [module] follow)
 *
 * kallsyms lists all symbols, exported or not, so only names come from it.
 */
import { release } from 'node:os';
import type { Host } from '../../base/host.ts';
import { readText } from '../attribute.ts';
import { compressionOf, COMPRESSION_SUFFIXES } from '../modfiles/compression.ts';
import { decompress } from '../modfiles/decompress.ts';
import { readRegularFile } from '../regular-file.ts';

/** A kernel's own symbols. */
export interface KernelSymbols {
  readonly file: string;
  /** False only when the kernel certainly has no such symbol. */
  has(name: string): boolean;
  /** The version of an exported symbol; undefined where it is not known. */
  crc(name: string): number | undefined;
}

/** The symbols of the host's kernel; undefined when no source for them exists. */
export function readKernelSymbols(host: Host): KernelSymbols | undefined {
  const symvers = [
    `${host.moduleDir}/build/Module.symvers`,
    ...COMPRESSION_SUFFIXES.flatMap((suffix) => [
      `${host.moduleDir}/symvers${suffix}`,
      `${host.root}/boot/symvers-${host.kernel}${suffix}`,
    ]),
  ];
  for (const file of symvers) {
    const text = readWhole(host.root, file);
    if (text !== undefined) return ofSymvers(file, text);
  }
  if (host.root !== '' || host.kernel !== release()) return undefined;
  const file = `${host.proc}/kallsyms`;
  const text = readText(file);
  return text === undefined || text.length === 0 ? undefined : ofKallsyms(file, text);
}

function ofSymvers(file: string, text: string): KernelSymbols {
  const crcs = new Map<string, number>();
  for (const match of text.matchAll(/^0x([0-9a-f]+)\t(\S+)\tvmlinux\t/gm))
    crcs.set(match[2] ?? '', Number.parseInt(match[1] ?? '', 16));
  return { file, has: (name) => crcs.has(name), crc: (name) => crcs.get(name) };
}

function ofKallsyms(file: string, text: string): KernelSymbols {
  const marked = text.includes(' __ksymtab_');
  return {
    file,
    has: (name) => text.includes(marked ? ` __ksymtab_${name}\n` : ` ${name}\n`),
    crc: () => undefined,
  };
}

function readWhole(root: string, file: string): string | undefined {
  const read = readRegularFile(root, file);
  if (read.kind !== 'bytes') return undefined;
  const compression = compressionOf(read.bytes);
  if (compression === undefined) return read.bytes.toString('latin1');
  const unpacked = decompress(compression, read.bytes);
  return unpacked.kind === 'image' ? unpacked.image.toString('latin1') : undefined;
}
