/**
 * What the DKMS tree says: which modules are registered, and for which kernels they are built and installed. The tree itself is the only
 * record; dkms and plugd read and write the same one. Reads only.
 */
import { lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs';
import { statHere } from '../../base/root.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import {
  builtFolder,
  installedLink,
  moduleFolder,
  originalsFolder,
  sourceFolder,
  sourceLink,
  versionFolder,
  type DkmsKernel,
  type DkmsModule,
} from './dkms-places.ts';

/** `added`: its source is known; `broken`: its link to the source leads nowhere; undefined: dkms does not know it. */
export type Registration = 'added' | 'broken' | undefined;

/** A build that the tree holds. */
export interface Build {
  readonly kernel: DkmsKernel;
  readonly installed: boolean;
  /** Whether modules of the kernel's own were put aside for this module's. */
  readonly originals: boolean;
}

/** Whether a folder of a version is a kernel's: it begins with digits and a dot, which `source`, `build` and `tarball` do not. */
export function isKernelName(name: string): boolean {
  return /^[0-9]+\./.test(name);
}

/** Whether a version of a module is registered. */
export function registrationOf(trees: DkmsTrees, module: DkmsModule): Registration {
  if (module.name === '' || module.version === '') return undefined;
  const link = lookAt(sourceLink(trees, module));
  if (link?.isDirectory() === true) return 'added';
  if (link?.isSymbolicLink() === true) return isDirectory(sourceLink(trees, module)) ? 'added' : 'broken';
  return isDirectory(versionFolder(trees, module)) && isDirectory(sourceFolder(trees, module)) ? 'broken' : undefined;
}

/** All registered versions, by name and version in code-point order; those of one module when `name` is given. */
export function registeredModules(trees: DkmsTrees, name?: string): readonly DkmsModule[] {
  const names = name === undefined ? namesIn(trees.dkmsTree) : [name];
  return names.flatMap((module) =>
    namesIn(moduleFolder(trees, module))
      .map((version) => ({ name: module, version }))
      .filter((each) => registrationOf(trees, each) !== undefined),
  );
}

/** Whether a build for the kernel lies in the tree. */
export function isBuilt(trees: DkmsTrees, module: DkmsModule, kernel: DkmsKernel): boolean {
  return isDirectory(`${builtFolder(trees, module, kernel)}/module`);
}

/** Whether this version is the installed one for the kernel: the module's link leads to its build. */
export function isInstalled(trees: DkmsTrees, module: DkmsModule, kernel: DkmsKernel): boolean {
  return isBuilt(trees, module, kernel) && installedVersion(trees, module.name, kernel) === module.version;
}

/** The version of a module that is installed for the kernel; undefined when none is. */
export function installedVersion(trees: DkmsTrees, name: string, kernel: DkmsKernel): string | undefined {
  const target = realPath(installedLink(trees, name, kernel));
  if (target === undefined) return undefined;
  return namesIn(moduleFolder(trees, name)).find(
    (version) => realPath(builtFolder(trees, { name, version }, kernel)) === target,
  );
}

/** The builds of one version, by kernel and architecture in code-point order. */
export function buildsOf(trees: DkmsTrees, module: DkmsModule): readonly Build[] {
  const folder = versionFolder(trees, module);
  return namesIn(folder)
    .filter(isKernelName)
    .flatMap((release) =>
      namesIn(`${folder}/${release}`)
        .map((arch) => ({ release, arch }))
        .filter((kernel) => isBuilt(trees, module, kernel))
        .map((kernel) => ({
          kernel,
          installed: installedVersion(trees, module.name, kernel) === module.version,
          originals: isDirectory(originalsFolder(trees, module.name, kernel)),
        })),
    );
}

/** The names in a directory that do not begin with a dot, in code-point order; empty when it cannot be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .toSorted();
  } catch {
    return [];
  }
}

/** Whether `path` leads to a directory. */
export function isDirectory(path: string): boolean {
  return statHere(path)?.isDirectory() === true;
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // A name of the path is a file, or too long.
    return undefined;
  }
}

/** Where `path` leads, without links; undefined when it leads nowhere. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
