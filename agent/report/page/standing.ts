/** How a device stands, in the few kinds that a page colours and filters by. Pure. */
import type { SnapshotDevice } from '../../explain/snapshot/snapshot.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import { isFurniture } from '../devices/device-order.ts';

/**
 * - `bad`: it does not work, or would not.
 * - `warn`: it has no driver, or another one; somebody may want to know.
 * - `good`: it has its driver, or would get it.
 * - `idle`: it has none and needs none.
 */
export type Standing = 'bad' | 'warn' | 'good' | 'idle';

/** The words for each, in the order of a page. */
export const STANDINGS: ReadonlyArray<readonly [standing: Standing, words: string]> = [
  ['bad', 'failing'],
  ['warn', 'without a driver'],
  ['good', 'driven'],
  ['idle', 'need none'],
];

const FATES = {
  lost: 'bad',
  'no-firmware': 'bad',
  replaced: 'warn',
  unknown: 'warn',
  kept: 'good',
  none: undefined,
} as const;

/** The standing of a device: a recorded one's fate counts before its verdict. */
export function standingOf(device: SnapshotDevice): Standing {
  const fate = device.fate === undefined ? undefined : FATES[device.fate];
  if (fate !== undefined) return fate;
  const { driver, verdict } = device;
  if (verdict === 'failed' && driver === undefined) return 'bad';
  if (driver !== undefined) return 'good';
  if (isFurniture(device)) return 'idle';
  if (device.fate === 'none' && isServed(verdict)) return 'good';
  // Its module is there, and yet no driver is bound: many modules claim more than they drive.
  if (verdict === 'loaded' || verdict === 'builtin') return 'idle';
  return verdict === 'no-modalias' ? 'idle' : 'warn';
}
