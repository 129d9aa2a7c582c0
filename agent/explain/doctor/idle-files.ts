/** Whole files of rules and lists that do not count. */
import { realpathSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import { readNames, readText } from '../../facts/attribute.ts';
import {
  configDirectories,
  readModprobeConfig,
  readModulesLoad,
  type ConfigFamily,
} from '../../facts/config/config-text.ts';
import type { IdleRule } from './health.ts';

/** The families of directories whose files end in `.conf`. */
const FAMILIES: Readonly<Record<string, (host: Host) => ConfigFamily>> = {
  'modprobe.d': readModprobeConfig,
  'modules-load.d': readModulesLoad,
};
/** Names that say of themselves that the file is not to be read. */
const ASIDE = /^\.|^README|~$|\.(bak|old|orig|save|disabled|off|swp)$|\.(dpkg|rpm|ucf)[-a-z]*$/i;

/**
 * Files of modprobe.d and modules-load.d that nobody reads: without `.conf`, or hidden by another file of the same name in
 * a directory that comes first. And /etc/modprobe.conf, which kmod gave up. Empty when there are none.
 */
export function idleFiles(host: Host): readonly IdleRule[] {
  const old = `${host.root}/etc/modprobe.conf`;
  const obsolete = /^\s*[a-z]/m.test(readText(old) ?? '');
  return [
    ...(obsolete ? [idleFile(old, 'it is not read any more: move it to modprobe.d/modprobe.conf')] : []),
    ...Object.entries(FAMILIES).flatMap(([family, read]) => [...misnamed(host, family), ...hiddenFiles(read(host))]),
  ];
}

function misnamed(host: Host, family: string): readonly IdleRule[] {
  const seen = new Set<string>();
  return configDirectories(host, family).flatMap((folder) => {
    const names = readNames(folder).filter((name) => !name.endsWith('.conf') && !ASIDE.test(name));
    // Where /lib is a link to /usr/lib both are the same directory.
    if (names.length === 0 || seen.has(realpathSync(folder))) return [];
    seen.add(realpathSync(folder));
    return names.toSorted().map((name) => {
      const better = `${name.replace(/\.\w*$/, '')}.conf`;
      return idleFile(`${folder}/${name}`, `only names that end in .conf are read: rename it to ${better}`);
    });
  });
}

function hiddenFiles({ hidden }: ConfigFamily): readonly IdleRule[] {
  return hidden
    .filter(({ file, by }) => readText(by) !== readText(file))
    .map(({ file, by }) => ({ ...idleFile(file, `${by} stands in its place`), harmless: true, hidden: true }));
}

function idleFile(file: string, why: string): IdleRule {
  return { place: { file, line: 0 }, text: 'the whole file', why, suggestion: undefined, harmless: false };
}
