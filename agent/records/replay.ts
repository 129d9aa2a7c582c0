/** The record of `plugd test --replay`. Pure; no words for people. */
import type { DeviceRow } from './device-row.ts';

/**
 * What a recorded device's driver would come to:
 *
 * - `kept`: it would have a driver here, too.
 * - `lost`: it had one, and would have none.
 * - `unknown`: it had one that its MODALIAS does not lead to here: one in the kernel itself, or one that other drivers ask for.
 * - `none`: it had none when it was recorded.
 */
export type Fate = 'kept' | 'lost' | 'unknown' | 'none';

/** One recorded device against another tree. */
export interface ReplayedDevice extends DeviceRow {
  readonly fate: Fate;
  /** Why, for what is lost or unknown. */
  readonly because?: string | undefined;
  readonly remedy?: string | undefined;
}

/** A whole recording against another tree. */
export interface Replay {
  readonly file: string;
  readonly kernel: string;
  readonly moduleDir: string;
  readonly kept: number;
  readonly lost: number;
  readonly unknown: number;
  readonly none: number;
  /** The modules that would be inserted for them. */
  readonly modules: readonly string[];
  readonly devices: readonly ReplayedDevice[];
}
