/** Which out-of-tree modules a kernel has, and which it should have and lacks. Reads the DKMS tree and logs; runs nothing. */
import { statHere } from '../../base/root.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { hasHeaders } from '../build/headers.ts';
import { compareVersions } from '../conf/version-order.ts';
import { buildFolder, kernelTree, type DkmsKernel, type DkmsModule } from './dkms-places.ts';
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
  readonly readiness: Readiness;
  /** The log of a failed build. */
  readonly log?: string;
  /** Other kernels that have it: it is in use on this machine. */
  readonly elsewhere: readonly string[];
}

/** Each registered module's newest version, and how it stands with the kernel. `releases` are the kernels of this machine. */
export function readReadiness(
  trees: DkmsTrees,
  kernel: DkmsKernel,
  releases: readonly string[],
): readonly ModuleReadiness[] {
  const newest = new Map<string, DkmsModule>();
  for (const module of registeredModules(trees)) {
    const known = newest.get(module.name);
    if (known === undefined || compareVersions(module.version, known.version) > 0) newest.set(module.name, module);
  }
  return [...newest.values()].map((module) => {
    const log = `${buildFolder(trees, module)}/make.log`;
    const readiness = readinessOf(trees, module, kernel, log);
    return {
      module,
      readiness,
      ...(readiness === 'failed' ? { log } : {}),
      elsewhere: releases.filter(
        (release) =>
          release !== kernel.release && installedVersion(trees, module.name, { ...kernel, release }) !== undefined,
      ),
    };
  });
}

function readinessOf(trees: DkmsTrees, module: DkmsModule, kernel: DkmsKernel, log: string): Readiness {
  if (registrationOf(trees, module) === 'broken') return 'broken';
  const version = installedVersion(trees, module.name, kernel);
  if (version !== undefined) return version === module.version ? 'installed' : 'older';
  if (isBuilt(trees, module, kernel)) return 'built';
  if (statHere(log)?.isFile() === true) return 'failed';
  return hasHeaders(`${kernelTree(trees, kernel.release)}/build`) ? 'not-built' : 'no-headers';
}
