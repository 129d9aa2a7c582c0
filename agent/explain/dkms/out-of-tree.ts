/** The modules that a system builds itself, with dkms, and how they stand with a kernel. Reads only; runs nothing. */
import { machine } from 'node:os';
import { installedReleases, type Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { defaultTrees } from '../../dkms/conf/trees.ts';
import { builtFiles } from '../../dkms/tree/kernel-modules.ts';
import { readReadiness, type ModuleReadiness } from '../../dkms/tree/readiness.ts';

/** The modules that dkms knows on the host's system, and how they stand with its kernel; none where it has no tree. */
export function readOutOfTree({ root, kernel }: Pick<Host, 'root' | 'kernel'>): readonly ModuleReadiness[] {
  const trees = defaultTrees(root);
  return readReadiness({ trees, root, releases: installedReleases(root) }, { release: kernel, arch: machine() });
}

/** The package of dkms that has a module: `packageOf(host, 'v4l2loopback')?.module.version`; undefined when none has it. */
export function packageOf(host: Host, module: ModuleName): ModuleReadiness | undefined {
  return readOutOfTree(host).find(({ modules }) => modules.includes(module));
}

/** The files of a package's modules that were built for any kernel, as paths of this machine. */
export function filesOf({ root }: Host, { module }: ModuleReadiness): readonly string[] {
  return builtFiles(defaultTrees(root), module);
}
