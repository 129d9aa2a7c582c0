/** depmod as functions. buildIndexes writes nothing; publishIndexes writes, and readers never see half a file. */
import { release } from 'node:os';
import { resolve } from 'node:path';
import type { HostOptions } from '../base/host.ts';
import { openHost, rootOf } from '../base/host.ts';
import { toMachineText } from '../base/machine-text.ts';
import { indexFiles, readTree } from '../depmod/index-build.ts';
import type { IndexLayout } from '../indexes/index-writer.ts';
import type { Level } from '../depmod/message.ts';
import { publishIndexes as publish, type IndexFiles, type Publication } from '../depmod/publication.ts';

/** The tree to build indexes for, and the options. */
export interface IndexBuildOptions extends Pick<HostOptions, 'root' | 'kernel'> {
  /** The module tree itself, unless it is `ROOT/lib/modules/KERNEL`; then only depmod.d's lines refer to `kernel`. */
  readonly moduleDir?: string;
  /** Order of the nodes in the .bin files: `children-first` (kmod up to 33, the default) or `parent-first`; every kmod reads both. */
  readonly layout?: IndexLayout;
  /** Directories or files of configuration instead of the depmod.d directories. */
  readonly configPaths?: readonly string[];
  /** Module.symvers, or else System.map: the kernel's own symbols. With either, missing symbols cause warnings. */
  readonly symvers?: string;
  readonly systemMap?: string;
  /** Warn about patterns and symbols that are in an index twice. */
  readonly warnDuplicates?: boolean;
}

/** A message of depmod: `warning`, `/…/a.ko needs unknown symbol x`. */
export interface IndexMessage {
  readonly level: Level;
  readonly text: string;
}

/** The files of a tree's indexes by name, or why there are none. Each carries messages. */
export type IndexBuild = { readonly messages: readonly IndexMessage[] } & (
  | {
      readonly kind: 'built';
      readonly moduleDir: string;
      /** `modules.dep`, `modules.dep.bin`, `modules.alias`, …: everything that depmod writes, byte for byte. */
      readonly files: IndexFiles;
    }
  /** The tree cannot be read: a sentence. */
  | { readonly kind: 'failed'; readonly why: string }
  /** Modules that need each other in cycles: the modules of each cycle. */
  | { readonly kind: 'circular'; readonly cycles: ReadonlyArray<readonly string[]> }
);

/**
 * Builds the indexes of a module tree in memory, as depmod(8) does, and writes nothing. It reads module files in parallel.
 *
 *     const build = await buildIndexes({ root: '/mnt/image', kernel: '6.1.0-56-amd64' });
 *     if (build.kind === 'built') publishIndexes(build.moduleDir, build.files, { root: '/mnt/image' });
 *
 * Errors (PlugdError): `usage` when the root is not a directory, or has several releases and none was named; `unreadable` when the
 * disk fails.
 */
export async function buildIndexes(options: IndexBuildOptions = {}): Promise<IndexBuild> {
  const { symvers, systemMap, configPaths } = options;
  const { root, moduleDir, kernel } =
    options.moduleDir === undefined
      ? openHost({ root: options.root, kernel: options.kernel })
      : { root: '', moduleDir: resolve(options.moduleDir), kernel: options.kernel ?? release() };
  const messages: IndexMessage[] = [];
  const say = (level: Level, text: string) => messages.push({ level, text });
  const place = { root, moduleDir: toMachineText(moduleDir) };
  const reading = await readTree({
    ...place,
    kernel,
    configPaths,
    symvers,
    systemMap,
    reportUnknown: symvers !== undefined || systemMap !== undefined,
    say,
  });
  if (reading.kind !== 'read') return { ...reading, messages };
  const { layout = 'children-first', warnDuplicates } = options;
  const files = indexFiles(place, reading.tree, { layout, warnDuplicates, say });
  return { kind: 'built', moduleDir, files, messages };
}

/**
 * Writes indexes into a directory, which it makes if needed. No reader ever sees half a file, and a full disk or a crash leaves the
 * old ones: it writes and flushes all files beside their places, then renames them. With `root`, the tree that the directory lies in, it writes
 * nothing when a link leads out of that tree; name it when somebody else owns the tree.
 */
export function publishIndexes(
  directory: string,
  files: IndexFiles,
  options: { readonly root?: string | undefined } = {},
): Publication {
  return publish(toMachineText(resolve(directory)), files, toMachineText(rootOf(options)));
}
