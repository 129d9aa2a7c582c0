/** The files that machines need of a module tree and its firmware, each with why: what `plugd closure` tells (docs/closure.schema.json). */
import type { ModuleName, Place } from '../base/names.ts';

/**
 * Why a file is needed:
 *
 * - `device`: a device of a machine asks for the module by `name`, or its driver is in it.
 * - `name`: it was named on the command line.
 * - `request`: the kernel of a machine asked for it by `name` (`fs-ext4`, `crypto-xts(aes)`).
 * - `storage`: a file system, or a device below it, wants it by `name`; `of` says which (`the file system of /`, `dm-0`), and `machine`
 *   of which recorded machine.
 * - `depends`, `softdep-pre`, `softdep-post`, `weakdep`: the module `of` needs it, or may want it.
 * - `supplier`: the driver of a device that another device of this machine waits for; `of` is the module of the waiting one.
 * - `firmware`: the module `of` declares it by `name`.
 * - `link`: a symbolic link leads to it.
 */
export type ClosureReason =
  | { readonly kind: 'device'; readonly machine: string; readonly device: string; readonly name: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'request'; readonly name: string; readonly machine: string }
  | { readonly kind: 'storage'; readonly name: string; readonly of: string; readonly machine?: string | undefined }
  | {
      readonly kind: 'depends' | 'softdep-pre' | 'softdep-post' | 'weakdep' | 'supplier';
      readonly of: ModuleName;
      readonly place?: Place | undefined;
    }
  | { readonly kind: 'firmware'; readonly of: ModuleName; readonly name: string }
  | { readonly kind: 'link'; readonly from: string };

/** One file, or symbolic link, of the tree. */
export interface ClosureFile {
  readonly kind: 'module' | 'firmware' | 'link';
  /** Where it is on the machine that the image is for, without the root: `/usr/lib/modules/6.1.0/kernel/drivers/net/tg3.ko`. */
  readonly path: string;
  /** Of a module. */
  readonly module?: ModuleName | undefined;
  /** Where a link leads, as it is written. */
  readonly target?: string | undefined;
  /** 0 for a link. */
  readonly bytes: number;
  /** The first reason for it. */
  readonly why: ClosureReason;
}

/** Something that is needed and is not there. */
export interface ClosureGap {
  /**
   * `driver`: no module and no part of the kernel has it. `module`: its file is missing, or one that it needs. `kept-out`: a rule does.
   * `machine`: a recording that cannot be used. `storage`: a part of the way to a disk that nothing shows.
   */
  readonly kind: 'driver' | 'module' | 'kept-out' | 'firmware' | 'name' | 'machine' | 'storage';
  readonly name: string;
  readonly because: string;
  readonly why?: ClosureReason | undefined;
}

/** The whole. */
export interface Closure {
  readonly kernel: string;
  readonly moduleDir: string;
  /** The recordings, or `this machine`; empty for names alone. */
  readonly machines: readonly string[];
  /** Modules first, each after what it needs; then firmware. */
  readonly files: readonly ClosureFile[];
  readonly missing: readonly ClosureGap[];
  readonly bytes: { readonly modules: number; readonly firmware: number };
}

/**
 * Whether a machine would lack something. What a rule keeps out it shall lack; firmware that is not there is told, and often is of
 * generations that nobody has.
 */
export function hasGaps({ missing }: Pick<Closure, 'missing'>): boolean {
  return missing.some(({ kind }) => kind !== 'firmware' && kind !== 'kept-out');
}
