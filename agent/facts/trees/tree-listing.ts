import { readdirSync, statSync } from 'node:fs';
import { isModuleFileName } from '../modfiles/module-file-name.ts';
import { nativePath, toMachineText } from '../../base/machine-text.ts';

/** A module file of a tree: `kernel/drivers/net/mii.ko.xz`, and when it was last changed (seconds since 1970). */
export interface ListedModule {
  /** Machine text relative to the module directory, as in modules.dep. */
  readonly path: string;
  readonly seconds: number;
}

/**
 * Every module file below a module directory, in no order, without the folders `build` and `source`. Symbolic links to files
 * count, links to folders are not followed. Empty when there is no such directory.
 */
export function listModuleFiles(moduleDir: string): readonly ListedModule[] {
  const found: ListedModule[] = [];
  walk(toMachineText(moduleDir), '', found);
  return found;
}

function walk(moduleDir: string, below: string, found: ListedModule[]): void {
  let entries;
  try {
    entries = readdirSync(nativePath(`${moduleDir}/${below}`), { encoding: 'latin1', withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (path !== 'build' && path !== 'source') walk(moduleDir, path, found);
    } else if (isModuleFileName(entry.name)) {
      const stat = statSync(nativePath(`${moduleDir}/${path}`), { throwIfNoEntry: false });
      if (stat?.isFile() === true) found.push({ path, seconds: Math.floor(stat.mtimeMs / 1000) });
    }
  }
}

/** When a file was last changed, in seconds since 1970; undefined when it is not there. */
export function changedAt(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : Math.floor(stat.mtimeMs / 1000);
}
