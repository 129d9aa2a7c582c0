/** Whole files of rules and lists that do not count. Reads only. */
import type { Host } from '../../base/host.ts';
import { listInRoot, statInRoot } from '../../base/root.ts';
import {
  configDirectories,
  readModprobeConfig,
  readModulesLoad,
  type ConfigFamily,
} from '../../facts/config/config-text.ts';
import { readTextIn } from '../../facts/regular-file.ts';
import type { IdleRule } from './health.ts';

/** The families of directories whose files end in `.conf`. */
const FAMILIES: Readonly<Record<string, (host: Host) => ConfigFamily>> = {
  'modprobe.d': readModprobeConfig,
  'modules-load.d': readModulesLoad,
};
/** Names that mark a file as disabled. */
const ASIDE = /^\.|^README|~$|\.(bak|old|orig|save|disabled|off|swp)$|\.(dpkg|rpm|ucf)[-a-z]*$/i;

/**
 * Files of modprobe.d and modules-load.d that have no effect: without `.conf`, or hidden by another file of the same name in an earlier
 * directory. Also /etc/modprobe.conf, which kmod no longer reads. Empty when there are none.
 */
export function idleFiles(host: Host): readonly IdleRule[] {
  const old = `${host.root}/etc/modprobe.conf`;
  const obsolete = /^\s*[a-z]/m.test(readTextIn(host.root, old) ?? '');
  return [
    ...(obsolete ? [idleFile(old, 'it is no longer read: move it to modprobe.d/modprobe.conf')] : []),
    ...Object.entries(FAMILIES).flatMap(([family, read]) => [
      ...misnamed(host, family),
      ...hiddenFiles(host, read(host)),
    ]),
  ];
}

function misnamed(host: Host, family: string): readonly IdleRule[] {
  const seen = new Set<string>();
  return configDirectories(host, family).flatMap((folder) => {
    const entries = listInRoot(host.root, folder);
    if (typeof entries === 'number') return [];
    // Where /lib is a link to /usr/lib both are the same directory.
    const { dev, ino } = statInRoot(host.root, folder) ?? {};
    if (seen.has(`${dev}:${ino}`)) return [];
    seen.add(`${dev}:${ino}`);
    const names = entries.map(({ name }) => name).filter((name) => !name.endsWith('.conf') && !ASIDE.test(name));
    return names.toSorted().map((name) => {
      const better = `${name.replace(/\.\w*$/, '')}.conf`;
      return idleFile(`${folder}/${name}`, `only names that end in .conf are read: rename it to ${better}`);
    });
  });
}

function hiddenFiles({ root }: Host, { hidden }: ConfigFamily): readonly IdleRule[] {
  return hidden
    .filter(({ file, by }) => readTextIn(root, by) !== readTextIn(root, file))
    .map(({ file, by }) => ({ ...idleFile(file, `${by} replaces it`), harmless: true, hidden: true }));
}

function idleFile(file: string, why: string): IdleRule {
  return { place: { file, line: 0 }, text: 'the whole file', why, suggestion: undefined, harmless: false };
}
