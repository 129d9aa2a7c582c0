/**
 * Lists of modules to load at boot: a table of dialects, each with the grammar of the program that reads it.
 *
 *     /etc/modules-load.d/net.conf      br_netfilter
 *     /etc/modules                      loop max_loop=8
 *     kernel command line               modules_load=brd,nbd
 *
 * - modules-load.d (systemd-modules-load): blanks, TABs and carriage returns around a line do not count, nor do empty lines and
 *   those that begin with `#` or `;`. All the rest of a line is one name, so `loop max_loop=8` names a module that is not there.
 * - /etc/modules (Debian's kmod script, Alpine's modules script): a name and its parameters; a line that begins with `#` is
 *   a comment.
 * - The kernel command line: `modules_load=a,b`, which may be repeated; '-' is '_' in the option's name. `rd.modules_load=`
 *   counts in the initramfs only.
 *
 * A name may be an alias or a MODALIAS; all modules that it leads to are loaded. In files of modules-load.d and on the command
 * line `blacklist` keeps a module out, in /etc/modules it does not.
 *
 * Sources: modules-load.d(5), systemd's modules-load.c, Debian's /etc/init.d/kmod.
 */
import type { Place } from '../../base/names.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import { commandLineOptions } from '../modprobe/kernel-command-line.ts';

/** Where an entry stands. */
export type BootDialectName = 'modules-load.d' | 'etc-modules' | 'kernel-command-line';

/** One module that a list names. */
export interface BootListEntry {
  readonly dialect: BootDialectName;
  readonly place: Place;
  /** What is looked up, as written: `snd-hda-intel`; `loop max_loop=8` where a line is one name. */
  readonly name: string;
  /** `max_loop=8`; '' when there are none, or the dialect takes none. */
  readonly parameters: string;
  /** Only systemd in the initramfs loads it. */
  readonly initramfsOnly: boolean;
}

/** How one reader reads, and what it does with an entry. */
export interface BootDialect {
  /** What people call the list: `a line of modules-load.d`. */
  readonly title: string;
  /** Lines hold a name and parameters; otherwise all of a line is the name. */
  readonly parameters: boolean;
  /** `blacklist` keeps out a module that the list names by its own name. */
  readonly useBlacklist: boolean;
  /** The entries of a text, in order. */
  readonly read: (text: ConfigText) => readonly BootListEntry[];
}

/** A row for each dialect. */
export const BOOT_DIALECTS: Readonly<Record<BootDialectName, BootDialect>> = {
  'kernel-command-line': {
    title: 'modules_load= on the kernel command line',
    parameters: false,
    useBlacklist: true,
    read: ({ file, text }) =>
      commandLineOptions(text)
        .filter(({ name }) => name === 'modules_load' || name === 'rd.modules_load')
        .flatMap(({ name, value = '' }) =>
          value
            .split(',')
            .filter((module) => module !== '')
            .map((module) => ({
              dialect: 'kernel-command-line',
              place: { file, line: 1 },
              name: module,
              parameters: '',
              initramfsOnly: name === 'rd.modules_load',
            })),
        ),
  },
  'modules-load.d': {
    title: 'modules-load.d',
    parameters: false,
    useBlacklist: true,
    read: ({ file, text }) =>
      lines(text).flatMap(([raw, line]) => {
        const name = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
        return name === '' || /^[#;]/.test(name) ? [] : [entry('modules-load.d', { file, line }, name)];
      }),
  },
  'etc-modules': {
    title: '/etc/modules',
    parameters: true,
    useBlacklist: false,
    read: ({ file, text }) =>
      lines(text).flatMap(([raw, line]) => {
        const [, name, parameters = ''] = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/s.exec(raw) ?? [];
        if (name === undefined || raw.startsWith('#')) return [];
        return [entry('etc-modules', { file, line }, name, parameters)];
      }),
  },
};

/** The texts that lists are made of, as facts/config/boot-list-files.ts reads them. */
export interface BootListTexts {
  /** Files of modules-load.d in the order in which they count. */
  readonly lists: readonly ConfigText[];
  /** Files of modules-load.d that do not count, because `by` has the same name in a folder that comes first. */
  readonly hidden: ReadonlyArray<ConfigText & { readonly by: string }>;
  /** Undefined when it is not there, or when a file of modules-load.d is a link to it. */
  readonly etcModules: ConfigText | undefined;
  readonly commandLine: ConfigText;
}

/** Everything that the lists of a machine name. */
export interface BootLists {
  /** In the order in which they are loaded: the command line, modules-load.d, /etc/modules. */
  readonly entries: readonly BootListEntry[];
  /** What files that are hidden would name, each with the file that hides it. */
  readonly hidden: ReadonlyArray<BootListEntry & { readonly by: string }>;
}

/** The lists of a machine. A name that stands in two places has an entry for each. */
export function parseBootLists({ lists, hidden, etcModules, commandLine }: BootListTexts): BootLists {
  const { read } = BOOT_DIALECTS['modules-load.d'];
  return {
    entries: [
      ...BOOT_DIALECTS['kernel-command-line'].read(commandLine),
      ...lists.flatMap((text) => read(text)),
      ...(etcModules === undefined ? [] : BOOT_DIALECTS['etc-modules'].read(etcModules)),
    ],
    hidden: hidden.flatMap((text) => read(text).map((each) => ({ ...each, by: text.by }))),
  };
}

function entry(dialect: BootDialectName, place: Place, name: string, parameters = ''): BootListEntry {
  return { dialect, place, name, parameters, initramfsOnly: false };
}

/** Each line with its number. */
function lines(text: string): ReadonlyArray<readonly [text: string, number: number]> {
  return text.split('\n').map((line, index) => [line, index + 1]);
}
