/** A distribution as dkms names it, and where its out-of-tree modules go. Pure. */
import type { OsRelease } from '../../facts/config/os-release.ts';

/** The folder below the kernel's tree, by the first word of the distribution's name. Others keep what dkms.conf says. */
const DESTINATIONS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(fedora|rhel|centos|ovm)/, '/extra'],
  [/^(sles|suse|opensuse)/, '/updates'],
  [/^(debian|ubuntu|arch)/, '/updates/dkms'],
];

/** dkms's name of a distribution: the first that it derives from, else its own, except that Ubuntu is `ubuntu`. */
export function distributionOf({ id, like }: OsRelease): string {
  return id === 'ubuntu' ? id : (like[0] ?? id);
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
