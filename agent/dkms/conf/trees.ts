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
