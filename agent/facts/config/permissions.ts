/** Finds files that others than root can change. Reads modes only; doctor/ judges. */
import { statSync } from 'node:fs';
import { readNames } from '../attribute.ts';

/** A file or folder that somebody other than root could change. */
export interface LoosePath {
  readonly path: string;
  /** `everyone`: the others' write bit is set (of a folder, without the sticky bit). `owner`: it belongs to that user. */
  readonly who: 'everyone' | 'owner';
  readonly uid: number;
}

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** Which of `paths`, and of the entries of those that are folders, others than root can change. Skips missing ones. */
export function readLoosePaths(paths: readonly string[]): readonly LoosePath[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    return stat.isDirectory()
      ? [...judge(path), ...readNames(path).flatMap((name) => judge(`${path}/${name}`))]
      : judge(path);
  });
}

function judge(path: string): LoosePath[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  // A link to /dev/null masks; that everyone may write to /dev/null is no defect.
  if (stat === undefined || !(stat.isFile() || stat.isDirectory())) return [];
  const everyone = (stat.mode & OTHERS_WRITE) !== 0 && !(stat.isDirectory() && (stat.mode & STICKY) !== 0);
  if (everyone) return [{ path, who: 'everyone', uid: stat.uid }];
  return stat.uid === 0 ? [] : [{ path, who: 'owner', uid: stat.uid }];
}
