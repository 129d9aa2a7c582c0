/** The paths of one build. Pure. */
import { dirname } from 'node:path';
import type { DkmsTrees } from '../conf/trees.ts';
import { buildFolder, builtFolder, sourceLink, versionFolder, type DkmsKernel } from '../tree/dkms-places.ts';

/** Where things of a build are, absolute. */
export interface BuildPaths {
  /** `/var/lib/dkms/v4l2loopback/0.12.7` */
  readonly base: string;
  /** The link to the source. */
  readonly source: string;
  /** The copy of the source in which make works; compilers see this path, so it is the same for each build. */
  readonly build: string;
  /** The log, while the build goes on and after it failed. */
  readonly log: string;
  /** `BASE/6.1.0-56-amd64`, in which results of several architectures lie. */
  readonly kernel: string;
  /** `BASE/6.1.0-56-amd64/x86_64`: the result. */
  readonly result: string;
}

/** The paths of a module's build for a kernel: `buildPaths(trees, 'm', '1.0', { release: '6.1.0-56-amd64', arch: 'x86_64' })`. */
export function buildPaths(trees: DkmsTrees, name: string, version: string, kernel: DkmsKernel): BuildPaths {
  const module = { name, version };
  const build = buildFolder(trees, module);
  const result = builtFolder(trees, module, kernel);
  return {
    base: versionFolder(trees, module),
    source: sourceLink(trees, module),
    build,
    log: `${build}/make.log`,
    kernel: dirname(result),
    result,
  };
}
