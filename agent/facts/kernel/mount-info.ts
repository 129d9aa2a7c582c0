/** Reads the lines of /proc/PID/mountinfo: what is mounted where. Pure. Source: proc(5). */

/** One mount. Texts are machine text, as the kernel has them before it escapes blanks and control characters. */
export interface MountLine {
  /** `8:1`; `0:N` for a file system without a device, or with several. */
  readonly device: string;
  readonly place: string;
  /** Those of the mount: `rw`, `nosuid`. */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** The options of the file system, as one text. */
  readonly superOptions: string;
}

/**
 * The mounts in the order of the text, in which a later one hides an earlier one at its place:
 *
 *     36 35 8:1 / /data rw,noatime shared:1 - ext4 /dev/sda1 rw
 *
 * Lines of another form are left out.
 */
export function parseMounts(text: string): readonly MountLine[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, , place, options] = before.split(' ');
    const [type = '', source = '', superOptions = ''] = after.split(' ');
    if (device === undefined || place === undefined || options === undefined) return [];
    return [
      { device, place: unescaped(place), options: options.split(','), type, source: unescaped(source), superOptions },
    ];
  });
}

/** The mount that a path lies in, by the text of its absolute path; undefined where the text has none. */
export function mountOf(mounts: readonly MountLine[], path: string): MountLine | undefined {
  let found: MountLine | undefined;
  for (const mount of mounts) {
    const isAbove = mount.place === '/' || path === mount.place || path.startsWith(`${mount.place}/`);
    if (isAbove && mount.place.length >= (found?.place.length ?? 0)) found = mount;
  }
  return found;
}

/** `/mnt/my\040disk` → `/mnt/my disk`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
