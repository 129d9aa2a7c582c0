/** Where DKMS keeps things on this machine. Pure. */

/** The three folders that everything else lies in, absolute paths. */
export interface DkmsTrees {
  /** `/var/lib/dkms`: what is registered and built. */
  readonly dkmsTree: string;
  /** `/usr/src`: sources, `NAME-VERSION` each. */
  readonly sourceTree: string;
  /** `/lib/modules`: the kernels' module trees. */
  readonly installTree: string;
}

/** Where they are below a root unless framework.conf says otherwise: `defaultTrees('').dkmsTree  // '/var/lib/dkms'`. */
export function defaultTrees(root: string): DkmsTrees {
  return { dkmsTree: `${root}/var/lib/dkms`, sourceTree: `${root}/usr/src`, installTree: `${root}/lib/modules` };
}
