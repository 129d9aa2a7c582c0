/** Notes in the DKMS tree about kernels whose indexes depmod still has to write. Loads no part of depmod, so that `status` starts fast. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

/** Whether the tree of a kernel has indexes that depmod would write again. */
export function hasIndexes(tree: string): boolean {
  return existsSync(`${tree}/modules.dep`);
}

/** In the DKMS tree: the modules of a kernel have changed, or are about to, and depmod has not run since. */
const PENDING = '.plugd-depmod-';

/** Notes that a kernel's modules will change. If this run is cut off, the next one writes the indexes. Errors: those of node:fs. */
export function notePending(dkmsTree: string, release: string): void {
  writeFileSync(`${dkmsTree}/${PENDING}${release}`, '');
}

/** The indexes of a kernel are up to date. */
export function clearPending(dkmsTree: string, release: string): void {
  rmSync(`${dkmsTree}/${PENDING}${release}`, { force: true });
}

/** The kernels whose indexes an earlier run did not write. */
export function pendingReleases(dkmsTree: string): readonly string[] {
  return readdirSync(dkmsTree)
    .filter((name) => name.startsWith(PENDING))
    .map((name) => name.slice(PENDING.length));
}
