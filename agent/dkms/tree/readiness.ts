/** Which out-of-tree modules a kernel has, and which it should have and lacks. Reads the DKMS tree and logs; runs nothing. */
import type { ModuleName } from '../../base/names.ts';
import { statInRoot } from '../../base/root.ts';
import type { BuildFailure } from '../../records/dkms/build-failure.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { compareVersions } from '../conf/version-order.ts';
import { kernelTree, sourceLink, type DkmsKernel, type DkmsModule } from './dkms-places.ts';
import { failedBuild } from './failed-build.ts';
import { kernelModules } from './kernel-modules.ts';
import { installedVersion, isBuilt, registeredModules, registrationOf } from './registry.ts';

/**
 * How a registered module stands with a kernel:
 *
 * - `installed`; `older`: another version than the newest registered one is installed;
 * - `built`: compiled, not installed;
 * - `failed`: the last build ended with an error, its log is there;
 * - `no-headers`: it cannot be compiled before the kernel's headers are there;
 * - `not-built`: nobody has tried;
 * - `broken`: its sources are missing.
 */
export type Readiness = 'installed' | 'older' | 'built' | 'failed' | 'no-headers' | 'not-built' | 'broken';

/** A module and how it stands. */
export interface ModuleReadiness {
  readonly module: DkmsModule;
  /** The kernel's modules that it is the source of. */
  readonly modules: readonly ModuleName[];
  readonly readiness: Readiness;
  /** The log of a failed build. */
  readonly log?: string;
  /** The first error of a failed build, where its log shows one. */
  readonly failure?: BuildFailure;
  /** Other kernels that have it: it is in use on this machine. */
  readonly elsewhere: readonly string[];
}

/** The system whose modules are looked at. */
export interface ReadinessPlace {
  readonly trees: DkmsTrees;
  /** Links lead inside it; '' for this machine. The trees lie below it. */
  readonly root: string;
  /** The kernels of the machine. */
  readonly releases: readonly string[];
}

/** Each registered module's newest version, and how it stands with the kernel. */
export function readReadiness(
  { trees, root, releases }: ReadinessPlace,
  kernel: DkmsKernel,
): readonly ModuleReadiness[] {
  const newest = new Map<string, DkmsModule>();
  for (const module of registeredModules(trees)) {
    const known = newest.get(module.name);
    if (known === undefined || compareVersions(module.version, known.version) > 0) newest.set(module.name, module);
  }
  return [...newest.values()].map((module) => ({
    module,
    modules: kernelModules(trees, module),
    ...stateOf(trees, root, module, kernel),
    elsewhere: releases.filter(
      (release) =>
        release !== kernel.release && installedVersion(trees, module.name, { ...kernel, release }) !== undefined,
    ),
  }));
}

function stateOf(
  trees: DkmsTrees,
  root: string,
  module: DkmsModule,
  kernel: DkmsKernel,
): Pick<ModuleReadiness, 'readiness' | 'log' | 'failure'> {
  if (registrationOf(trees, module) === 'broken' && !leadsToFolder(root, sourceLink(trees, module)))
    return { readiness: 'broken' };
  const version = installedVersion(trees, module.name, kernel);
  if (version !== undefined) return { readiness: version === module.version ? 'installed' : 'older' };
  if (isBuilt(trees, module, kernel)) return { readiness: 'built' };
  const failed = failedBuild(trees, module, kernel);
  if (failed !== undefined) {
    const { log, failure } = failed;
    return { readiness: 'failed', log, ...(failure === undefined ? {} : { failure }) };
  }
  const headers = `${kernelTree(trees, kernel.release)}/build`;
  return { readiness: leadsToFolder(root, `${headers}/include`) ? 'not-built' : 'no-headers' };
}

/** Whether a path leads to a folder of the system, or, where plugd made the links of another root, of this machine. */
function leadsToFolder(root: string, path: string): boolean {
  return [...new Set([root, ''])].some((each) => statInRoot(each, path)?.isDirectory() === true);
}
