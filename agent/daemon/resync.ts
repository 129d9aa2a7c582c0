/** Reads sysfs again after lost uevents. Loses nothing silently. */
import { counted } from '../base/words.ts';
import { CLOCK, type Clock } from '../base/clock.ts';
import type { Log } from '../report/logging/log.ts';
import type { RescanResult } from './rescan.ts';

export interface ResyncOptions {
  readonly log: Log;
  /** Milliseconds since the last uevent. */
  silentMs(): number;
  rescan(): Promise<RescanResult>;
  /** The machine's when left out. */
  readonly clock?: Clock;
}

/** How long a storm must be over, or may last, before sysfs is read for what the agent missed. */
const SILENCE_MS = 50;
const LIMIT_MS = 1000;

/**
 * Rescans sysfs after lost uevents: once for everything that a storm cost or, while it lasts, repeatedly with a second between. The
 * next rescan covers what is lost during one.
 */
export class Resync {
  readonly #options: ResyncOptions;
  readonly #clock: Clock;
  /** Calls the timer off; undefined when none runs. */
  #callOff: (() => void) | undefined;
  #sinceMs = 0;
  #lost = 0;
  #reading = false;
  #closed = false;
  /** Rescans so far. */
  count = 0;

  constructor(options: ResyncOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
  }

  /** Whether one is going to be made. */
  get due(): boolean {
    return this.#callOff !== undefined;
  }

  /** So many uevents were lost. */
  lost(count: number): void {
    this.#lost += count;
    if (this.#callOff === undefined && !this.#reading) this.#begin();
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
    this.#callOff = undefined;
  }

  #begin(): void {
    if (this.#closed) return;
    this.#sinceMs = this.#clock.now();
    this.#callOff = this.#clock.after(SILENCE_MS, () => this.#look());
  }

  #look(): void {
    if (this.#options.silentMs() < SILENCE_MS && this.#clock.now() - this.#sinceMs < LIMIT_MS) {
      this.#callOff = this.#clock.after(SILENCE_MS, () => this.#look());
      return;
    }
    void this.#rescan();
  }

  async #rescan(): Promise<void> {
    this.#callOff = undefined;
    const lost = this.#lost;
    this.#lost = 0;
    this.count++;
    this.#reading = true;
    const { ms, ...found } = await this.#options.rescan();
    this.#reading = false;
    const words = `${counted(found.devices, 'device')} read again, ${found.appeared} of them new, ${found.disappeared} gone`;
    this.#options.log.line('warn', `overrun: the socket lost ${counted(lost, 'uevent')}; ${words}`, {
      event: 'resync',
      lost,
      ...found,
      ms: Math.round(ms),
    });
    if (this.#lost > 0) this.#begin();
  }
}
