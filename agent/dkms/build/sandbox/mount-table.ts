/** The mounts that a build could write to, read from mountinfo. Pure. */

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
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    const [target, options, type] = [words[4], words[5], words[words.indexOf('-') + 1] ?? ''];
    if (target === undefined || options === undefined) continue;
    const path = unescape(target);
    // A later mount hides an earlier one at the same place.
    mounts.delete(path);
    const flags = options.split(',');
    if (!flags.includes('rw') || SPARED.test(type) || path.startsWith('/proc/')) continue;
    if (kept.some((folder) => `${path}/`.startsWith(`${folder}/`))) continue;
    mounts.set(path, { target: path, options: flags.filter((flag) => flag !== 'rw').join(',') });
  }
  return [...mounts.values()];
}

/** The kernel writes blanks, tabs, line breaks and backslashes as octal. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}
