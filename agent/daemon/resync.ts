/** Reads sysfs again after lost uevents. Loses nothing silently. */
import type { Log } from '../report/log.ts';
import type { RescanResult } from './rescan.ts';

export interface ResyncOptions {
  readonly log: Log;
  /** Milliseconds since the last uevent. */
  silentMs(): number;
  rescan(): Promise<RescanResult>;
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
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = 0;
  #lost = 0;
  #reading = false;
  #closed = false;
  /** Rescans so far. */
  count = 0;

  constructor(options: ResyncOptions) {
    this.#options = options;
  }

  /** Whether one is going to be made. */
  get due(): boolean {
    return this.#timer !== undefined;
  }

  /** So many uevents were lost. */
  lost(count: number): void {
    this.#lost += count;
    if (this.#timer === undefined && !this.#reading) this.#begin();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    if (this.#closed) return;
    this.#sinceMs = performance.now();
    this.#timer = setTimeout(() => this.#look(), SILENCE_MS);
  }

  #look(): void {
    if (this.#options.silentMs() < SILENCE_MS && performance.now() - this.#sinceMs < LIMIT_MS) {
      this.#timer = setTimeout(() => this.#look(), SILENCE_MS);
      return;
    }
    void this.#rescan();
  }

  async #rescan(): Promise<void> {
    this.#timer = undefined;
    const lost = this.#lost;
    this.#lost = 0;
    this.count++;
    this.#reading = true;
    const { ms, ...found } = await this.#options.rescan();
    this.#reading = false;
    const words = `${found.devices} devices were read again, ${found.appeared} of them new, ${found.disappeared} gone`;
    this.#options.log.line('warn', `overrun: the socket lost ${lost} uevents; ${words}`, {
      event: 'resync',
      lost,
      ...found,
      ms: Math.round(ms),
    });
    if (this.#lost > 0) this.#begin();
  }
}
