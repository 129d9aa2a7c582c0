/** The records of `plugd test --replay`. Pure; no words for people. */
import type { ErrorCode } from '../base/error.ts';
import type { DeviceRow } from './device-row.ts';

/**
 * What a recorded device's driver would come to:
 *
 * - `kept`: it would have its driver here, too, or a known successor.
 * - `lost`: it would have none.
 * - `replaced`: another driver matches it; the recorded one is not in this tree.
 * - `no-firmware`: it would have its driver, which would find none of the firmware that the machine had.
 * - `unknown`: its driver may be here, and nothing says whether it would be loaded, or find its firmware.
 * - `none`: it had none when it was recorded.
 */
export type Fate = 'kept' | 'lost' | 'replaced' | 'no-firmware' | 'unknown' | 'none';

/** One recorded device against another tree. */
export interface ReplayedDevice extends DeviceRow {
  readonly fate: Fate;
  /** Why, for all that is not simply kept. */
  readonly because?: string | undefined;
  readonly remedy?: string | undefined;
}

/** A module of a kept device, and the firmware files that it names, of which the tree has none; the recording says nothing of them. */
export interface UntoldFirmware {
  readonly module: string;
  readonly files: readonly string[];
}

/** How many devices have each fate. */
export interface FateCounts {
  readonly kept: number;
  readonly lost: number;
  readonly replaced: number;
  readonly withoutFirmware: number;
  readonly unknown: number;
  readonly none: number;
}

/** A whole recording against another tree. */
export interface Replay extends FateCounts {
  readonly file: string;
  /** The machine's model, where the recording has it. */
  readonly machine?: string | undefined;
  readonly kernel: string;
  readonly moduleDir: string;
  /** The modules that would be inserted for them. */
  readonly modules: readonly string[];
  readonly firmware: readonly UntoldFirmware[];
  readonly devices: readonly ReplayedDevice[];
}

/** A recording that could not be judged. */
export interface UnreadRecording {
  readonly file: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A kind of device that machines lose: `Wi-Fi` on three of them. */
export interface LostKind {
  readonly what: string;
  readonly machines: readonly string[];
  readonly drivers: readonly string[];
}

/** Several recordings against one tree. */
export interface Fleet extends FateCounts {
  readonly kernel: string;
  readonly moduleDir: string;
  readonly machines: readonly Replay[];
  readonly unread: readonly UnreadRecording[];
  /** What machines would lose, or get another driver for, the most frequent first. */
  readonly losses: readonly LostKind[];
}

/** Whether nothing is lost, and everything could be told. */
export function replayEnd({ lost, replaced, withoutFirmware, unknown }: FateCounts): 'kept' | 'lost' | 'untold' {
  if (lost + replaced + withoutFirmware > 0) return 'lost';
  return unknown > 0 ? 'untold' : 'kept';
}
