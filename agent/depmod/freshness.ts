import { statSync } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../base/errno.ts';
import type { Say } from './message.ts';
import { readDirectory } from './module-search.ts';
import { nativePath } from '../base/machine-text.ts';
import { isModuleFileName } from '../facts/modfiles/module-file-name.ts';

/**
 * Whether modules.dep is as new as every module file below the tree (`depmod -A`), in whole seconds. False when there is no
 * modules.dep. Files that are gone, and directories outside of the tree, are not noticed, as with kmod.
 */
export function isUpToDate(moduleDir: string, say: Say): boolean {
  const entries = readDirectory(moduleDir);
  if (typeof entries === 'number') {
    say('error', `could not open directory ${moduleDir}: ${errnoText(entries)}`);
    return false;
  }
  const dep = seconds(`${moduleDir}/modules.dep`);
  if (dep.kind === 'unknown') {
    say('error', `could not fstatat(${moduleDir}, modules.dep): ${errnoText(dep.errno)}`);
    return false;
  }
  const own = seconds(moduleDir);
  return !holdsNewer(moduleDir, dep.seconds, say, new Set(own.kind === 'directory' ? [own.identity] : []));
}

function holdsNewer(directory: string, than: number, say: Say, seen: Set<string>): boolean {
  const entries = readDirectory(directory);
  if (typeof entries === 'number') {
    say('error', `could not open directory ${directory}: ${errnoText(entries)}`);
    return false;
  }
  for (const { name } of entries) {
    if (name === 'build' || name === 'source') continue;
    const path = `${directory}/${name}`;
    const file = seconds(path);
    if (file.kind === 'unknown') say('error', `${path}: ${errnoText(file.errno)}`);
    else if (file.kind === 'directory') {
      // Links can lead anywhere, also back.
      if (seen.has(file.identity)) continue;
      seen.add(file.identity);
      if (holdsNewer(path, than, say, seen)) return true;
    } else if (isModuleFileName(name) && file.seconds > than) return true;
  }
  return false;
}

type Age =
  | { readonly kind: 'file'; readonly seconds: number }
  | { readonly kind: 'directory'; readonly seconds: number; readonly identity: string }
  | { readonly kind: 'unknown'; readonly errno: number };

function seconds(path: string): Age {
  try {
    const stat = statSync(nativePath(path));
    const modified = Math.floor(stat.mtimeMs / 1000);
    return stat.isDirectory()
      ? { kind: 'directory', seconds: modified, identity: `${stat.dev}:${stat.ino}` }
      : { kind: 'file', seconds: modified };
  } catch (error) {
    return { kind: 'unknown', errno: errnoOf(error, ERRNO.EIO) };
  }
}
