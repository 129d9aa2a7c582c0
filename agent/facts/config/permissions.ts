/** Finds files that others than root can change. Reads modes only; doctor/ judges. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { listInRoot, statInRoot } from '../../base/root.ts';

/** A file or folder that somebody other than root could change. */
export interface LoosePath {
  readonly path: string;
  /** `everyone`: the others' write bit is set (of a folder, without the sticky bit). `owner`: it belongs to that user. */
  readonly who: 'everyone' | 'owner';
  readonly uid: number;
}

const OTHERS_WRITE = 0o002n;
const STICKY = 0o1000n;

/** Which of `paths`, and of the entries of those that are folders, others than root can change; paths of `root` ('' for the live machine). Skips missing ones. */
export function readLoosePaths(root: string, paths: readonly string[]): readonly LoosePath[] {
  return paths.flatMap((path) => {
    const entries = listInRoot(root, path);
    if (typeof entries === 'number') return judge(root, path);
    return [...judge(root, path), ...entries.flatMap(({ name }) => judge(root, `${path}/${name}`))];
  });
}

function judge(root: string, path: string): LoosePath[] {
  const stat = statInRoot(root, path);
  // A link to /dev/null masks; that everyone may write to /dev/null is no defect.
  if (stat === undefined || !(stat.isFile() || stat.isDirectory())) return [];
  const everyone = (stat.mode & OTHERS_WRITE) !== 0n && !(stat.isDirectory() && (stat.mode & STICKY) !== 0n);
  if (everyone) return [{ path, who: 'everyone', uid: Number(stat.uid) }];
  return stat.uid === 0n ? [] : [{ path, who: 'owner', uid: Number(stat.uid) }];
}

/**
 * The file, or the folder above it, that somebody but root and this user may change: `/opt` of `/opt/plugd/helper`. Undefined when
 * there is none. Links are followed first. Errors: those of node:fs for a path that is not there.
 */
export function changeableBy(file: string): string | undefined {
  const own = process.geteuid?.();
  for (let path = realpathSync(file); ; path = dirname(path)) {
    const { uid, mode } = statSync(path);
    // In a folder with the sticky bit (/tmp) nobody can replace what is another's.
    const open = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
    if ((uid !== 0 && uid !== own) || open) return path;
    if (path === dirname(path)) return undefined;
  }
}
