/** Whether this process runs in a chroot, as dkms decides it. */
import { readFileSync, statSync } from 'node:fs';

/**
 * Whether process 1 has another root, or sees other mounts. Without /proc, which chroots often lack, it counts as one; where /proc
 * may not be looked at, it does not.
 */
export function inChroot(proc = '/proc', root = '/'): boolean {
  try {
    if (readFileSync(`${proc}/1/mountinfo`, 'latin1') !== readFileSync(`${proc}/self/mountinfo`, 'latin1')) return true;
  } catch {
    return !exists(`${proc}/self`);
  }
  const [first, own] = [identity(`${proc}/1/root`), identity(root)];
  return first !== undefined && first !== own;
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return identity(path) !== undefined;
}
