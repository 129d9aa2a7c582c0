/** Whether buses are still finding devices in the background. Reads only. */
import { KernelWorkers } from '../facts/kernel/kernel-workers.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import type { Waiting } from '../records/waiting.ts';
import { sinceStart } from './turns.ts';

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
 * How long to wait for the next device. A hub gives its ports 100 ms for their power to come, then 100 ms to become stable: only
 * timers know that something is going to happen.
 */
const QUIET_MS = 250;
/** The same after a USB device: while its hub has more to look at, its worker is busy. */
const NEXT_PORT_MS = 50;
/** How long to wait for busy workers that find nothing: a device that does not answer keeps its hub busy for 5 s at a time. */
const BUSY_MS = 5000;
/** The least time between two looks at the workers. */
const LOOK_MS = 40;

/**
 * Buses that find their devices in the background, after the driver's init has returned: a USB hub needs 0.3 s for each device
 * at its ports, one after the other; SCSI hosts scan. Nothing announces that they are done. They are taken to be done when
 * nothing has come for a moment and no worker of the kernel is about to find more.
 */
export class BackgroundBuses {
  readonly #workers: KernelWorkers;
  readonly #now: () => number;
  /** When the last of their devices came. At first any bus may have begun just before. */
  #lastMs: number;
  /** Until when it is too early to ask what the workers do. */
  #untilMs = 0;
  #busy: readonly string[] = [];
  #lookedMs = -Infinity;

  /** `now`: the clock, ms. */
  constructor(proc: string, now: () => number = sinceStart) {
    this.#workers = new KernelWorkers(proc);
    this.#now = now;
    this.#lastMs = now();
  }

  /** A device has come. */
  heard({ action, subsystem, properties }: Uevent): void {
    if (action !== 'add') return;
    if (!BUSES.has(subsystem)) return;
    this.#lastMs = this.#now();
    const port = subsystem === 'usb' && !HUB.test(properties.get('MODALIAS') ?? '');
    this.#untilMs = Math.max(this.#untilMs, this.#lastMs + (port ? NEXT_PORT_MS : QUIET_MS));
  }

  /** Looks at the workers. The first look reads all processes and is slow, so take it while something else is awaited anyway. */
  look(): void {
    this.#lookedMs = this.#now();
    this.#busy = this.#workers.busy();
  }

  /** Why more devices are expected; undefined when none are. First hear the uevents that have come. */
  expecting(): Waiting | undefined {
    const now = this.#now();
    if (now < this.#untilMs) return { kind: 'bus' };
    if (now - this.#lastMs >= BUSY_MS) return undefined;
    if (now - this.#lookedMs >= LOOK_MS) this.look();
    return this.#busy.length === 0 ? undefined : { kind: 'workers', workers: this.#busy };
  }
}
