/** Which distribution this is, as dkms names it, and where its out-of-tree modules go. Reads os-release. */
import { readFileSync } from 'node:fs';

/** The folder below the kernel's tree, by the first word of the distribution's name. Others keep what dkms.conf says. */
const DESTINATIONS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(fedora|rhel|centos|ovm)/, '/extra'],
  [/^(sles|suse|opensuse)/, '/updates'],
  [/^(debian|ubuntu|arch)/, '/updates/dkms'],
];

/**
 * The distribution of the system below `root` ('' for this one): the first word of ID_LIKE, else ID, except that Ubuntu is `ubuntu`.
 * Undefined when there is no os-release.
 */
export function readDistribution(root: string): string | undefined {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    const text = readText(`${root}${file}`);
    if (text === undefined) continue;
    const id = valueOf(text, 'ID');
    const like = valueOf(text, 'ID_LIKE').split(/\s+/)[0] ?? '';
    return id === 'ubuntu' || like === '' ? id : like;
  }
  return undefined;
}

/** Where a module goes below the kernel's tree: `/updates/dkms`. `forced` is ADDON_MODULES_DIR, '' when it is not set. */
export function destinationOf(distribution: string, forced: string, written: string): string {
  if (forced !== '') return `/${forced.replace(/^\/+/, '')}`;
  return DESTINATIONS.find(([name]) => name.test(distribution))?.[1] ?? written.replace(/\/+$/, '');
}

/** Whether depmod prefers a destination to the kernel's own folder, so that the kernel's module may stay where it is. */
export function outranksKernel(destination: string): boolean {
  return /^\/(updates|extra)(\/|$)/.test(destination);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function valueOf(text: string, key: string): string {
  const line = text.split('\n').find((each) => each.startsWith(`${key}=`));
  return line === undefined
    ? ''
    : line
        .slice(key.length + 1)
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2');
}
