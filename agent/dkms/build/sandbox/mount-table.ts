/** The mounts that a build could write to, read from mountinfo. Pure. */

import { parseMounts } from '../../../facts/kernel/mount-info.ts';

/** A mount to make read-only: where it is, and the options that it keeps. */
export interface WritableMount {
  readonly target: string;
  /** `nosuid,nodev,relatime`; '' for none. A user namespace may not drop one. */
  readonly options: string;
}

/** File systems in which nobody keeps data, or whose lookups do more than look. */
const SPARED =
  /^(proc|devtmpfs|devpts|cgroup2?|autofs|mqueue|debugfs|tracefs|securityfs|configfs|bpf|pstore|fusectl|binfmt_misc)$/;

/**
 * The writable mounts of a process, outermost first: `writableMounts(text, ['/var/lib/dkms/m/1.0/build', '/tmp'])`. `text` is
 * /proc/self/mountinfo (proc(5)); what lies in one of `kept` is left out.
 */
export function writableMounts(text: string, kept: readonly string[]): readonly WritableMount[] {
  const mounts = new Map<string, WritableMount>();
  for (const { place: path, options: flags, type } of parseMounts(text)) {
    // A later mount hides an earlier one at the same place.
    mounts.delete(path);
    if (!flags.includes('rw') || SPARED.test(type) || path.startsWith('/proc/')) continue;
    if (kept.some((folder) => `${path}/`.startsWith(`${folder}/`))) continue;
    mounts.set(path, { target: path, options: flags.filter((flag) => flag !== 'rw').join(',') });
  }
  return [...mounts.values()];
}
