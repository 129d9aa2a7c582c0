/** What `plugd image --check` tells (docs/image-check.schema.json): what machines would lose with a boot image. */
import type { ClosureGap } from './closure.ts';

/** What a machine cannot start without, and everything else. */
export const DEVICE_CLASSES = ['disk', 'network', 'console', 'keyboard', 'other'] as const;
export type DeviceClass = (typeof DEVICE_CLASSES)[number];

/** A device of a machine that would have no driver. */
export interface ImageLoss {
  readonly machine: string;
  readonly device: string;
  readonly driver: string;
  /** The module of the tree that has the driver; undefined when the tree has none either. */
  readonly module?: string | undefined;
  /** Its own class, and those of the devices below it, which go with it. */
  readonly classes: readonly DeviceClass[];
  readonly because: string;
}

/** Something in the image that is older than, or other than, the tree's. */
export interface StaleFile {
  readonly kind: 'module' | 'config';
  /** As inside the image; of a file that only the tree has, as there. */
  readonly path: string;
  readonly because: string;
}

/** A module that no machine asks for. */
export interface UnneededModule {
  readonly module: string;
  readonly path: string;
  readonly bytes: number;
}

/** Firmware that a driver of a device may ask for and the image lacks. */
export interface FirmwareGap {
  readonly module: string;
  readonly name: string;
  readonly classes: readonly DeviceClass[];
  /** The machine had it when it was recorded; otherwise the tree has it. */
  readonly recorded: boolean;
}

/** The whole. */
export interface ImageCheck {
  readonly image: string;
  readonly kernel: string;
  readonly moduleDir: string;
  readonly machines: readonly string[];
  /** Modules of this kernel in the image. */
  readonly modules: number;
  /** The classes that decide about the exit status. */
  readonly needed: readonly DeviceClass[];
  /** Devices that have their driver, of all machines; those with a driver inside the kernel count. */
  readonly kept: number;
  /** Devices of which nothing tells where their driver is. */
  readonly untold: number;
  readonly lost: readonly ImageLoss[];
  readonly stale: readonly StaleFile[];
  readonly unneeded: readonly UnneededModule[];
  readonly firmware: readonly FirmwareGap[];
  /** What is wrong with the image itself, one sentence each; everything else counts. */
  readonly problems: readonly string[];
  /** Recordings that cannot be used. */
  readonly missing: readonly ClosureGap[];
}

/** The losses that decide: those of a needed class. */
export function fatalLosses({ lost, needed }: Pick<ImageCheck, 'lost' | 'needed'>): readonly ImageLoss[] {
  return lost.filter(({ classes }) => classes.some((one) => needed.includes(one)));
}

/** Whether the image will do: nothing of a needed class is lost, it is whole, and every recording could be used. */
export function isGoodImage(check: ImageCheck): boolean {
  return fatalLosses(check).length === 0 && check.problems.length === 0 && check.missing.length === 0;
}
