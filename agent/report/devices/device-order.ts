/** Which devices a person looks at first, and which none needs to. Pure. */
import type { Verdict } from '../../diagnosis/verdict.ts';
import type { DeviceRow } from '../../records/device-row.ts';

/** What wants attention, first things first; of a device without a driver only. `failed` counts with one, too. */
const ATTENTION: readonly Verdict[] = [
  'failed',
  'denied',
  'blacklisted',
  'no-match',
  'would-insert',
  'install-command',
];

/** Buses whose devices are things that somebody plugged in or soldered on, and that need a driver to be of use. */
const BUSES = new Set([
  'pci',
  'usb',
  'hid',
  'virtio',
  'sdio',
  'mmc',
  'pcmcia',
  'vmbus',
  'xen',
  'scsi',
  'hdaudio',
  'nvmem',
]);
/** PCI classes that the firmware and the kernel itself serve: memory, bridges, system peripherals, signal processing. */
const SERVED_CLASSES = /bc(05|06|08|11)sc/i;

/** A device that has no driver and misses none: nothing matches it, and it is no thing that needs one. */
export function isFurniture({ driver, verdict, subsystem, modaliases }: DeviceRow): boolean {
  if (driver !== undefined || (verdict !== 'no-match' && verdict !== 'no-modalias')) return false;
  return (
    !BUSES.has(subsystem) || modaliases.some((modalias) => modalias.startsWith('pci:') && SERVED_CLASSES.test(modalias))
  );
}

/** The rows with what needs attention first; otherwise in their order. */
export function attentionFirst(rows: readonly DeviceRow[]): readonly DeviceRow[] {
  return rows.toSorted((a, b) => rank(a) - rank(b));
}

/** A device whose driver failed, or that has none though something is known to be the matter. */
export function needsAttention(row: DeviceRow): boolean {
  return rank(row) < ATTENTION.length;
}

function rank({ driver, verdict }: DeviceRow): number {
  const at = ATTENTION.indexOf(verdict);
  return at < 0 || (driver !== undefined && verdict !== 'failed') ? ATTENTION.length : at;
}
