/** Why a package, or one of its modules, is not for a kernel. Pure. */

/** The BUILD_EXCLUSIVE directive that does not fit: `{ directive: 'BUILD_EXCLUSIVE_KERNEL_MIN', record: 0, value: '6.2' }`. */
export interface Exclusion {
  readonly directive: string;
  /** The index of its element. */
  readonly record: number;
  readonly value: string;
}
