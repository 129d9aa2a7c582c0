/** Whether a module that was built may take the place of one that the kernel's tree has. Pure. */
import { compareVersions } from '../conf/version-order.ts';

/** What a module file says of its version; '' for what it does not say. */
export interface FileVersion {
  readonly version: string;
  readonly srcversion: string;
}

/**
 * `install`: go on. `not-newer`: the tree's module has a higher version. `same`: it is the same module already.
 */
export type VersionVerdict = 'install' | 'not-newer' | 'same';

/**
 * Compares a built module with the one that is present (undefined when the tree has none). Modules that say nothing of their version
 * are the same only when their bytes are, which `identical` finds out.
 */
export function checkVersion(
  built: FileVersion,
  present: FileVersion | undefined,
  identical: () => boolean,
): VersionVerdict {
  if (present === undefined) return 'install';
  if (built.version === present.version && built.srcversion === present.srcversion) {
    const says = built.version !== '' || built.srcversion !== '';
    return says || identical() ? 'same' : 'install';
  }
  if (built.version === '' || present.version === '') return 'install';
  return compareVersions(present.version, built.version) > 0 ? 'not-newer' : 'install';
}

/**
 * Whether a kernel has made a module superfluous: OBSOLETE_BY is `6.2` or, with the distribution's number, `6.2.0-20`. The number counts
 * only where the versions are equal.
 */
export function isObsolete(release: string, obsoleteBy: string | undefined): boolean {
  if (obsoleteBy === undefined || obsoleteBy === '') return false;
  const [version = '', abi = ''] = obsoleteBy.split('-');
  const [kernel = '', kernelAbi = ''] = release.split('-');
  const order = compareVersions(kernel, version);
  return order > 0 || (order === 0 && (abi === '' || compareVersions(kernelAbi, abi) >= 0));
}
