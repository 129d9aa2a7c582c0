/** What is wrong with a DKMS tree: half builds, links that lead nowhere, modules that are not where they should be. Reads only. */
import { lstatSync, readdirSync } from 'node:fs';
import { diskUse } from '../build/build-folder.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { isBuilt, isDirectory, isKernelName, namesIn, registrationOf } from './registry.ts';
import { kernelTree, moduleFolder, versionFolder, type DkmsKernel, type DkmsModule } from './dkms-places.ts';

/** Something wrong, and the path that it is about. */
export type TreeFault =
  /** The link to the sources is missing or leads nowhere. */
  | { readonly kind: 'broken'; readonly path: string; readonly module: DkmsModule }
  /** A build that was cut off left files; nothing uses them. */
  | { readonly kind: 'leftover'; readonly path: string }
  /** A folder for a kernel without modules in it: an old dkms takes it for a build. */
  | { readonly kind: 'half-build'; readonly path: string }
  /** The link that says which version is installed leads to no build. */
  | { readonly kind: 'stale-link'; readonly path: string }
  /** Builds for a kernel that has no module tree any more. */
  | {
      readonly kind: 'kernel-gone';
      readonly path: string;
      readonly module: DkmsModule;
      readonly kernel: DkmsKernel;
      readonly bytes: number;
    };

/** All faults of a tree, by path. */
export function findFaults(trees: DkmsTrees): readonly TreeFault[] {
  const faults: TreeFault[] = [];
  for (const name of namesIn(trees.dkmsTree).filter((each) => isDirectory(moduleFolder(trees, each)))) {
    faults.push(...linkFaults(trees, name), ...leftovers(trees, name));
    for (const version of namesIn(moduleFolder(trees, name))) faults.push(...versionFaults(trees, { name, version }));
  }
  return faults;
}

function linkFaults(trees: DkmsTrees, name: string): readonly TreeFault[] {
  return namesIn(moduleFolder(trees, name))
    .map((entry) => `${moduleFolder(trees, name)}/${entry}`)
    .filter((path) => /\/kernel-[^/]+$/.test(path) && lstatSync(path).isSymbolicLink())
    .filter((path) => !isDirectory(`${path}/module`))
    .map((path) => ({ kind: 'stale-link', path }));
}

/** What an `add` that was cut off left. */
function leftovers(trees: DkmsTrees, name: string): readonly TreeFault[] {
  return everythingIn(moduleFolder(trees, name))
    .filter((entry) => /^\..*\.plugd-\d+$/.test(entry))
    .map((entry) => ({ kind: 'leftover', path: `${moduleFolder(trees, name)}/${entry}` }));
}

function versionFaults(trees: DkmsTrees, module: DkmsModule): readonly TreeFault[] {
  const folder = versionFolder(trees, module);
  if (!isDirectory(folder) || module.version === 'original_module' || module.version.startsWith('kernel-')) return [];
  const faults: TreeFault[] = [];
  if (registrationOf(trees, module) === 'broken') faults.push({ kind: 'broken', path: folder, module });
  for (const release of namesIn(folder).filter(isKernelName)) {
    const gone = !isDirectory(kernelTree(trees, release));
    for (const arch of everythingIn(`${folder}/${release}`)) {
      const path = `${folder}/${release}/${arch}`;
      const kernel = { release, arch };
      if (arch.startsWith('.tmp_') || arch.startsWith('.plugd-')) faults.push({ kind: 'leftover', path });
      else if (!isBuilt(trees, module, kernel)) faults.push({ kind: 'half-build', path });
      else if (gone) faults.push({ kind: 'kernel-gone', path, module, kernel, bytes: diskUse(path) });
    }
  }
  return faults;
}

function everythingIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
