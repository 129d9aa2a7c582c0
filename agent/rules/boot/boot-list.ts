/**
 * Lists of modules to load at boot: a table of dialects, and everything that a machine's lists name. Pure; each dialect's grammar is in
 * a file of its own.
 *
 * A name may be an alias or a MODALIAS; all modules that it leads to are loaded. In files of modules-load.d, on the command line and in
 * OpenRC's list `blacklist` keeps a module out, in the others it does not.
 *
 * Sources: modules-load.d(5), systemd's modules-load.c, Debian's /etc/init.d/kmod, OpenRC's init.d/modules.
 */
import { moduleName } from '../../base/names.ts';
import type { Problem } from '../../base/problem.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { ReadYaml } from '../../facts/config/yaml-text.ts';
import type { BootDialectName, BootListEntry, HiddenEntry } from './boot-entry.ts';
import { readCloudModules, type CloudDialect } from './container-os-modules.ts';
import { readModulesLoadList, readNamesWithParameters } from './line-lists.ts';
import { readModulesLoadOptions } from './modules-load-options.ts';
import { readOpenrcModules } from './openrc-modules.ts';

/** How one reader reads, and what it does with an entry. */
export interface BootDialect {
  /** What people call the list: `a line of modules-load.d`. */
  readonly title: string;
  /** Entries hold a name and parameters; otherwise all of an entry is the name. */
  readonly parameters: boolean;
  /** `blacklist` keeps out a module that the list names by its own name. */
  readonly useBlacklist: boolean;
}

/** A row for each dialect, in the order in which their lists are loaded. */
export const BOOT_DIALECTS: Readonly<Record<BootDialectName, BootDialect>> = {
  'kernel-command-line': { title: 'modules_load= on the kernel command line', parameters: false, useBlacklist: true },
  'modules-load.d': { title: 'modules-load.d', parameters: false, useBlacklist: true },
  'etc-modules': { title: '/etc/modules', parameters: true, useBlacklist: false },
  openrc: { title: '/etc/conf.d/modules', parameters: true, useBlacklist: true },
  rancher: { title: 'rancher.modules', parameters: true, useBlacklist: false },
  k3os: { title: 'k3os.modules', parameters: true, useBlacklist: false },
  talos: { title: 'machine.kernel.modules', parameters: true, useBlacklist: false },
  'initramfs-tools': { title: "initramfs-tools' modules", parameters: true, useBlacklist: false },
};

/** The names of all dialects, in their order. */
export const BOOT_DIALECT_NAMES = Object.keys(BOOT_DIALECTS) as readonly BootDialectName[];

/** The texts that lists are made of, as facts/config/boot-list-files.ts reads them. */
export interface BootListTexts {
  /** Files of modules-load.d in the order in which they count. */
  readonly lists: readonly ConfigText[];
  /** Files of modules-load.d that do not count, because `by` has the same name in a folder that comes first. */
  readonly hidden: ReadonlyArray<ConfigText & { readonly by: string }>;
  /** Undefined when it is not there, or when a file of modules-load.d is a link to it. */
  readonly etcModules: ConfigText | undefined;
  readonly commandLine: ConfigText;
  /** /etc/conf.d/modules of OpenRC, and the release that its lines may be for. */
  readonly openrc?: ConfigText | undefined;
  readonly kernel?: string | undefined;
  /** Lists of initramfs-tools. */
  readonly initramfsTools?: readonly ConfigText[] | undefined;
  /** Configuration in YAML, in the order in which it is read. */
  readonly cloud?: Readonly<Record<CloudDialect, readonly ConfigText[]>> | undefined;
  readonly readYaml?: ReadYaml | undefined;
}

/** Everything that the lists of a machine name. */
export interface BootLists {
  /** In the order in which they are loaded: see BOOT_DIALECTS. */
  readonly entries: readonly BootListEntry[];
  /** What lists that are hidden would name, each with the file that hides it. */
  readonly hidden: readonly HiddenEntry[];
  /** What is wrong with files in YAML. */
  readonly problems: readonly Problem[];
}

/** The lists of a machine. A name that stands in two places has an entry for each. */
export function parseBootLists(texts: BootListTexts): BootLists {
  const { lists, hidden, etcModules, commandLine, openrc, kernel = '', initramfsTools = [], cloud, readYaml } = texts;
  const clouds =
    readYaml === undefined
      ? []
      : (['rancher', 'k3os', 'talos'] as const).map((dialect) =>
          readCloudModules(dialect, { files: cloud?.[dialect] ?? [], commandLine, readYaml }),
        );
  return {
    entries: [
      ...readModulesLoadOptions(commandLine),
      ...lists.flatMap((text) => readModulesLoadList(text)),
      ...(etcModules === undefined ? [] : readNamesWithParameters(etcModules, 'etc-modules')),
      ...(openrc === undefined ? [] : readOpenrcModules(openrc, kernel)),
      ...clouds.flatMap(({ entries }) => entries),
      ...initramfsTools.flatMap((text) => readNamesWithParameters(text, 'initramfs-tools')),
    ],
    hidden: [
      ...hidden.flatMap((text) => readModulesLoadList(text).map((entry) => ({ ...entry, by: text.by }))),
      ...clouds.flatMap((each) => each.hidden),
    ],
    problems: clouds.flatMap(({ problems }) => problems),
  };
}

/** Which entries to load. */
export interface BootListChoice {
  /** Only these dialects; undefined for all. A dialect that counts in the initramfs only counts when it is named. */
  readonly dialects: readonly BootDialectName[] | undefined;
  /** This system is an initramfs. */
  readonly inInitramfs: boolean;
}

/** The entries that count, a name that is repeated (`snd-pcm`, `snd_pcm`) only in its first place. */
export function countingEntries({ entries }: BootLists, choice: BootListChoice): readonly BootListEntry[] {
  const { dialects, inInitramfs } = choice;
  const seen = new Set<string>();
  return entries.filter(({ dialect, name, initramfsOnly }) => {
    if (dialects?.includes(dialect) === false) return false;
    if (initramfsOnly && !inInitramfs && !(dialect === 'initramfs-tools' && dialects !== undefined)) return false;
    const key = moduleName(name);
    return !seen.has(key) && seen.add(key);
  });
}
