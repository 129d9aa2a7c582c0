import { KernelWorkers } from '../facts/kernel/kernel-workers.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { sinceStart } from './module-record.ts';

const BUSES: ReadonlySet<string> = new Set([
  'usb',
  'usb_device',
  'scsi',
  'scsi_host',
  'mmc',
  'mmc_host',
  'thunderbolt',
  'hdaudio',
]);
/** An interface of a hub: `usb:v1D6Bp0002d0601dc09dsc00dp01ic09isc00ip00in00`. */
const HUB = /ic09isc/;

/**
 * So long is waited for the next device. A hub gives its ports 100 ms for their power to come, then 100 ms to become stable: only
 * timers know that something is to happen.
 */
const QUIET_MS = 250;
/** After a USB device: while its hub has more to look at, its worker is busy. */
const NEXT_PORT_MS = 50;
/** So long is waited for workers that find nothing: a device that does not answer keeps its hub busy for 5 s at a time. */
const BUSY_MS = 5000;
/** Workers are not looked at more often. */
const LOOK_MS = 40;

/**
 * Buses that find their devices in the background, after the driver's init has returned: a USB hub needs 0.3 s for each device
 * at its ports, one after the other, SCSI hosts scan. Nobody says when they are through. They are when nothing has come for a
 * moment, and no worker of the kernel is about to find more.
 */
export class BackgroundBuses {
  readonly #workers: KernelWorkers;
  /** When the last of their devices came (sinceStart()). At first any bus may have begun just before. */
  #lastMs = sinceStart();
  /** Until when it is too early to ask what the workers do. */
  #untilMs = 0;
  #busy: readonly string[] = [];
  #lookedMs = -Infinity;

  constructor(proc: string) {
    this.#workers = new KernelWorkers(proc);
  }

  /** A device has come. */
  heard({ action, subsystem, properties }: Uevent): void {
    if (action !== 'add') return;
    if (!BUSES.has(subsystem)) return;
    this.#lastMs = sinceStart();
    const port = subsystem === 'usb' && !HUB.test(properties.get('MODALIAS') ?? '');
    this.#untilMs = Math.max(this.#untilMs, this.#lastMs + (port ? NEXT_PORT_MS : QUIET_MS));
  }

  /** Looks at the workers. The first look is the slow one, at all processes: better had while other things are waited for. */
  look(): void {
    this.#lookedMs = sinceStart();
    this.#busy = this.#workers.busy();
  }

  /** Why more devices are to be expected; undefined when none are. Uevents that came before the call must have been heard. */
  expecting(): string | undefined {
    const now = sinceStart();
    if (now < this.#untilMs) return 'a bus that is still finding devices';
    if (now - this.#lastMs >= BUSY_MS) return undefined;
    if (now - this.#lookedMs >= LOOK_MS) this.look();
    return this.#busy.length === 0 ? undefined : `the kernel, which is looking for devices (${this.#busy.join(', ')})`;
  }
}
