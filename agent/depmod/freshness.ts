import { statSync } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../base/errno.ts';
import { nativePath } from '../base/machine-text.ts';
import { walkModules } from '../facts/trees/tree-walk.ts';
import type { Say } from './message.ts';

/**
 * Whether modules.dep is as new as every module file below the tree (`depmod -A`), in whole seconds. False when there is no
 * modules.dep. Files that are gone, and directories outside of the tree, are not noticed, as with kmod.
 */
export function isUpToDate(moduleDir: string, say: Say): boolean {
  if (!isDirectory(moduleDir, say)) return false;
  const made = changedSecond(`${moduleDir}/modules.dep`);
  if (made.kind === 'unknown') {
    say('error', `could not fstatat(${moduleDir}, modules.dep): ${errnoText(made.errno)}`);
    return false;
  }
  let upToDate = true;
  walkModules(moduleDir, {
    root: '',
    file: (path) => {
      const changed = changedSecond(path);
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

function isDirectory(path: string, say: Say): boolean {
  const found = changedSecond(`${path}/.`);
  if (found.kind === 'unknown') say('error', `could not open directory ${path}: ${errnoText(found.errno)}`);
  return found.kind === 'known';
}

type Change =
  | { readonly kind: 'known'; readonly second: number }
  | { readonly kind: 'unknown'; readonly errno: number };

function changedSecond(path: string): Change {
  try {
    return { kind: 'known', second: Math.floor(statSync(nativePath(path)).mtimeMs / 1000) };
  } catch (error) {
    return { kind: 'unknown', errno: errnoOf(error, ERRNO.EIO) };
  }
}
