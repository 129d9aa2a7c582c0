/**
 * The symbols that a kernel itself offers to modules, with their versions and terms where the source has them:
 *
 *     Module.symvers, symvers.gz    0xb352177e<TAB>find_first_bit<TAB>vmlinux<TAB>EXPORT_SYMBOL<TAB>namespace
 *     System.map                    ffffffff82a1b2c4 r __ksymtab_find_first_bit
 *     /proc/kallsyms                ffffffff81000000 T _text        (of a module: a tab and [module] behind it)
 *
 * The last two list what is there, exported or not. Entries `__ksymtab_x` tell exports apart; those from
 * `__start___ksymtab_gpl` on are for GPL-compatible modules only (until Linux 7.0; include/asm-generic/vmlinux.lds.h). The
 * System.map of Debian is one line, which says where the real one is.
 */
import { release } from 'node:os';
import type { Host } from '../../base/host.ts';
import { readText } from '../attribute.ts';
import { compressionOf, COMPRESSION_SUFFIXES } from '../modfiles/compression.ts';
import { decompress } from '../modfiles/decompress.ts';
import type { ExportTerms } from '../modfiles/export-terms.ts';
import { readRegularFile, readTextIn } from '../regular-file.ts';

/** A kernel's own symbols. */
export interface KernelSymbols {
  readonly file: string;
  /** False only when the kernel certainly has no such symbol. */
  has(name: string): boolean;
  /** The version of an exported symbol; undefined where it is not known. */
  crc(name: string): number | undefined;
  /** Who may use it; undefined for a symbol that the source does not tell of. */
  terms(name: string): ExportTerms | undefined;
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
  const running = host.root === '' && host.kernel === release();
  for (const file of [`${host.root}/boot/System.map-${host.kernel}`, `${host.moduleDir}/System.map`]) {
    const text = readTextIn(host.root, file);
    if (text?.includes(EXPORT) === true) return ofSymbolList(file, text);
  }
  if (!running) return undefined;
  const file = `${host.proc}/kallsyms`;
  const text = readText(file);
  return text === undefined || text.length === 0 ? undefined : ofSymbolList(file, text);
}

function ofSymvers(file: string, text: string): KernelSymbols {
  const found = new Map<string, ExportTerms & { readonly crc: number }>();
  for (const [, crc = '', name = '', early, kind = '', namespace] of text.matchAll(SYMVERS))
    found.set(name, {
      crc: Number.parseInt(crc, 16),
      gplOnly: GPL_ONLY.test(kind),
      namespace: namespace ?? early ?? '',
    });
  return {
    file,
    has: (name) => found.has(name),
    crc: (name) => found.get(name)?.crc,
    terms: (name) => found.get(name),
  };
}

/** scripts/mod/modpost.c (write_dump): the namespace is the last column, the third in Linux 5.4 and 5.5, and none before. */
const SYMVERS = /^0x([0-9a-f]+)\t(\S+)\t(?:(\S*)\t)?vmlinux\t(\S+)(?:\t(\S*))?/gm;
/** EXPORT_SYMBOL_GPL, EXPORT_UNUSED_SYMBOL_GPL; EXPORT_SYMBOL_GPL_FUTURE is for everyone yet. */
const GPL_ONLY = /_GPL$/;
const EXPORT = ' __ksymtab_';

function ofSymbolList(file: string, text: string): KernelSymbols {
  const marked = text.includes(EXPORT);
  const addressOf = (symbol: string): bigint | undefined => {
    const at = text.indexOf(` ${symbol}\n`);
    const digits = at < 0 ? undefined : /^[0-9a-f]+/.exec(text.slice(text.lastIndexOf('\n', at) + 1, at))?.[0];
    const address = digits === undefined ? 0n : BigInt(`0x${digits}`);
    // Who may not see addresses sees zeros.
    return address === 0n ? undefined : address;
  };
  const start = addressOf('__start___ksymtab_gpl');
  const stop = addressOf('__stop___ksymtab_gpl');
  return {
    file,
    has: (name) => text.includes(marked ? `${EXPORT}${name}\n` : ` ${name}\n`),
    crc: () => undefined,
    terms(name) {
      const address = start === undefined || stop === undefined ? undefined : addressOf(`__ksymtab_${name}`);
      if (start === undefined || stop === undefined || address === undefined) return undefined;
      return { gplOnly: address >= start && address < stop, namespace: undefined };
    },
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
