/** os-release(5): which distribution a system is. Reads one of two files. */
import { readTextIn } from '../regular-file.ts';

/** The names of a distribution, `''` and none where the file does not say. */
export interface OsRelease {
  /** `debian` */
  readonly id: string;
  /** The distributions that it derives from, the nearest first: `['ubuntu', 'debian']`. */
  readonly like: readonly string[];
}

/** systemd's limit for such files is smaller. */
const MOST_BYTES = 1 << 16;

/**
 * The distribution of the system below `root` ('' for this one): `readOsRelease('')` → `{ id: 'debian', like: [] }`. /etc/os-release
 * counts before /usr/lib/os-release; undefined when there is neither.
 */
export function readOsRelease(root: string): OsRelease | undefined {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    const text = readTextIn(root, `${root}${file}`, MOST_BYTES);
    if (text === undefined) continue;
    return {
      id: valueOf(text, 'ID'),
      like: valueOf(text, 'ID_LIKE')
        .split(/\s+/)
        .filter((word) => word !== ''),
    };
  }
  return undefined;
}

/** The value of the first assignment of a name, without its quotes; '' when there is none. */
function valueOf(text: string, key: string): string {
  const line = text.split('\n').find((each) => each.startsWith(`${key}=`)) ?? `${key}=`;
  return line
    .slice(key.length + 1)
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');
}
