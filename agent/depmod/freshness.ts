/** `depmod -A`: whether the indexes are up to date. Reads only. */
import { errnoText } from '../base/errno.ts';
import { fromMachineText } from '../base/machine-text.ts';
import { lookInRoot } from '../base/root.ts';
import { walkModules } from '../facts/trees/tree-walk.ts';
import type { Say } from './message.ts';
import type { ReadPlace } from './tree-text.ts';

/**
 * Whether modules.dep is as new as every module file below the tree (`depmod -A`), in whole seconds. False when there is no modules.dep.
 * Like kmod, it does not notice deleted files, nor directories outside of the tree.
 */
export function isUpToDate({ root, moduleDir }: ReadPlace, say: Say): boolean {
  if (!isDirectory(root, moduleDir, say)) return false;
  const made = changedSecond(root, `${moduleDir}/modules.dep`);
  if (made.kind === 'unknown') {
    say('error', `could not fstatat(${moduleDir}, modules.dep): ${errnoText(made.errno)}`);
    return false;
  }
  let upToDate = true;
  walkModules(moduleDir, {
    root,
    file: (path) => {
      const changed = changedSecond(root, path);
      if (changed.kind === 'unknown') say('error', `${path}: ${errnoText(changed.errno)}`);
      else if (changed.second > made.second) upToDate = false;
      return !upToDate;
    },
    fault: ({ kind, path, errno }) => {
      if (kind === 'directory') say('error', `could not open directory ${path}: ${errnoText(errno)}`);
      else if (kind === 'entry') say('error', `${path}: ${errnoText(errno)}`);
    },
  });
  return upToDate;
}

function isDirectory(root: string, path: string, say: Say): boolean {
  const found = changedSecond(root, `${path}/.`);
  if (found.kind === 'unknown') say('error', `could not open directory ${path}: ${errnoText(found.errno)}`);
  return found.kind === 'known';
}

type Change =
  | { readonly kind: 'known'; readonly second: number }
  | { readonly kind: 'unknown'; readonly errno: number };

function changedSecond(root: string, path: string): Change {
  const stat = lookInRoot(root, fromMachineText(path));
  return typeof stat === 'number'
    ? { kind: 'unknown', errno: -stat }
    : { kind: 'known', second: Number(stat.mtimeMs / 1000n) };
}
