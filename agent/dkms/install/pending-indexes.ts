/** The kernels whose indexes depmod has yet to write, as notes in the DKMS tree. It loads nothing of depmod, which `status` does without. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

/** Whether the tree of a kernel has indexes that depmod would write again. */
export function hasIndexes(tree: string): boolean {
  return existsSync(`${tree}/modules.dep`);
}

/** In the DKMS tree: the modules of a kernel have changed, or are about to, and depmod has not run since. */
const PENDING = '.plugd-depmod-';

/** Notes that a kernel's modules will change, so that a run that is cut off is made good by the next one. Errors: those of node:fs. */
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
