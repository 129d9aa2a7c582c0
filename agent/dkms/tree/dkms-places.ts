/** Where dkms keeps what belongs to one version of a module: names of files, nothing is looked at. Pure. */
import type { DkmsTrees } from '../conf/trees.ts';

/** A module's name and version as dkms writes them: `v4l2loopback/0.12.7`. */
export interface DkmsModule {
  readonly name: string;
  readonly version: string;
}

/** A kernel that modules are built for: its release and architecture, `6.1.0-56-amd64` and `x86_64`. */
export interface DkmsKernel {
  readonly release: string;
  readonly arch: string;
}

/** `NAME/VERSION`, as texts name a module. */
export function nameOf({ name, version }: DkmsModule): string {
  return `${name}/${version}`;
}

/** The folder of a module in the DKMS tree, with all its versions: `/var/lib/dkms/NAME`. */
export function moduleFolder({ dkmsTree }: DkmsTrees, name: string): string {
  return `${dkmsTree}/${name}`;
}

/** The folder of one version: `/var/lib/dkms/NAME/VERSION`. */
export function versionFolder(trees: DkmsTrees, { name, version }: DkmsModule): string {
  return `${moduleFolder(trees, name)}/${version}`;
}

/** The link to the sources: `/var/lib/dkms/NAME/VERSION/source`. */
export function sourceLink(trees: DkmsTrees, module: DkmsModule): string {
  return `${versionFolder(trees, module)}/source`;
}

/** Where the sources are: `/usr/src/NAME-VERSION`. */
export function sourceFolder({ sourceTree }: DkmsTrees, { name, version }: DkmsModule): string {
  return `${sourceTree}/${name}-${version}`;
}

/** Where a build runs: `/var/lib/dkms/NAME/VERSION/build`. */
export function buildFolder(trees: DkmsTrees, module: DkmsModule): string {
  return `${versionFolder(trees, module)}/build`;
}

/** What a build for a kernel left: `/var/lib/dkms/NAME/VERSION/KERNEL/ARCH`. */
export function builtFolder(trees: DkmsTrees, module: DkmsModule, { release, arch }: DkmsKernel): string {
  return `${versionFolder(trees, module)}/${release}/${arch}`;
}

/** The link that says which version is installed for a kernel: `/var/lib/dkms/NAME/kernel-KERNEL-ARCH`. */
export function installedLink(trees: DkmsTrees, name: string, { release, arch }: DkmsKernel): string {
  return `${moduleFolder(trees, name)}/kernel-${release}-${arch}`;
}

/** The kernel's own modules that were put aside: `/var/lib/dkms/NAME/original_module/KERNEL/ARCH`. */
export function originalsFolder(trees: DkmsTrees, name: string, { release, arch }: DkmsKernel): string {
  return `${moduleFolder(trees, name)}/original_module/${release}/${arch}`;
}

/** The module tree of a kernel: `/lib/modules/KERNEL`. */
export function kernelTree({ installTree }: DkmsTrees, release: string): string {
  return `${installTree}/${release}`;
}
