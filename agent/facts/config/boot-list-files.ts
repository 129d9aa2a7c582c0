/** Reads the files that name modules to load at boot. Reads text; rules/boot/ parses it. */
import type { Host } from '../../base/host.ts';
import { statInRoot } from '../../base/root.ts';
import { readTextIn } from '../regular-file.ts';
import { readKernelCommandLine, readModulesLoad, type ConfigText, type UnreadText } from './config-text.ts';

/** The files that name modules to load at boot. */
export interface BootListFiles {
  /** Files of modules-load.d, in the order in which they count. */
  readonly lists: readonly ConfigText[];
  /** Files of modules-load.d that do not count, because `by` has the same name in a directory that comes first. */
  readonly hidden: ReadonlyArray<ConfigText & { readonly by: string }>;
  /** Undefined when it is missing, or when a file of modules-load.d is a link to it, as in Debian: each file is read once. */
  readonly etcModules: ConfigText | undefined;
  readonly commandLine: ConfigText;
  /** Files that should count and could not be read. */
  readonly unread: readonly UnreadText[];
}

/** Reads them all: modules-load.d/*.conf, /etc/modules and the kernel command line. Empty where there is nothing. */
export function readBootListFiles(host: Host): BootListFiles {
  const { texts, hidden, unread } = readModulesLoad(host);
  const file = `${host.root}/etc/modules`;
  const identity = (path: string) => {
    const stat = statInRoot(host.root, path);
    return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
  };
  const own = identity(file);
  const linked = own !== undefined && texts.some((text) => identity(text.file) === own);
  const text = linked ? undefined : readTextIn(host.root, file);
  return {
    lists: texts,
    hidden: hidden.map((each) => ({ ...each, text: readTextIn(host.root, each.file) ?? '' })),
    etcModules: text === undefined ? undefined : { file, text },
    commandLine: readKernelCommandLine(host),
    unread,
  };
}
