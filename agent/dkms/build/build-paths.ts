/** The paths of one build. Pure. */
import type { DkmsTrees } from '../conf/trees.ts';

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
export function buildPaths(
  { dkmsTree }: Pick<DkmsTrees, 'dkmsTree'>,
  module: string,
  version: string,
  { release, arch }: { readonly release: string; readonly arch: string },
): BuildPaths {
  const base = `${dkmsTree}/${module}/${version}`;
  return {
    base,
    source: `${base}/source`,
    build: `${base}/build`,
    log: `${base}/build/make.log`,
    kernel: `${base}/${release}`,
    result: `${base}/${release}/${arch}`,
  };
}
