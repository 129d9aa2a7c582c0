/** The record of `plugd test --replay`. Pure; no words for people. */
import type { DeviceRow } from './device-row.ts';

/**
 * What a recorded device's driver would come to:
 *
 * - `kept`: it would have its driver here, too, or a known successor.
 * - `lost`: it would have none.
 * - `replaced`: another driver matches it; the recorded one is not in this tree.
 * - `unknown`: its driver may be here, and nothing says whether it would be loaded.
 * - `none`: it had none when it was recorded.
 */
export type Fate = 'kept' | 'lost' | 'replaced' | 'unknown' | 'none';

/** One recorded device against another tree. */
export interface ReplayedDevice extends DeviceRow {
  readonly fate: Fate;
  /** Why, for all that is not simply kept. */
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
  readonly replaced: number;
  readonly unknown: number;
  readonly none: number;
  /** The modules that would be inserted for them. */
  readonly modules: readonly string[];
  readonly devices: readonly ReplayedDevice[];
}
