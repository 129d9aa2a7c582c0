/** The verdicts about devices, read at most twice a minute, however many ask. */
import { CLOCK, type Clock } from '../../base/clock.ts';
import { reason } from '../../base/error.ts';

/** What device figures come from. */
export interface DeviceFiguresOptions {
  /** Finds them, in Prometheus' text format: tens to hundreds of milliseconds of work, in another process. */
  readonly read: () => Promise<string>;
  /** Told why there are none; once, until there are some again. */
  readonly failed: (why: string) => void;
  readonly clock?: Pick<Clock, 'now'>;
}

/** So long figures count as today's. */
const FRESH_MS = 30_000;

/** Device figures, kept for half a minute. */
export class DeviceFigures {
  readonly #options: DeviceFiguresOptions;
  readonly #clock: Pick<Clock, 'now'>;
  #text = '';
  #readMs: number | undefined;
  #reading: Promise<void> | undefined;
  #failing = false;

  constructor(options: DeviceFiguresOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
  }

  /** The figures, and whether they could be read; those who ask at the same time share one reading. */
  async text(): Promise<string> {
    const now = this.#clock.now();
    if (this.#readMs === undefined || now - this.#readMs >= FRESH_MS) {
      this.#reading ??= this.#read();
      await this.#reading;
    }
    return [
      this.#text,
      '# HELP plugd_devices_read 1 when the figures about devices could be read.\n',
      '# TYPE plugd_devices_read gauge\n',
      `plugd_devices_read ${this.#failing ? 0 : 1}\n`,
    ].join('');
  }

  async #read(): Promise<void> {
    try {
      this.#text = await this.#options.read();
      this.#failing = false;
    } catch (error) {
      // Old figures would be taken for today's.
      this.#text = '';
      if (!this.#failing) this.#options.failed(reason(error));
      this.#failing = true;
    }
    this.#readMs = this.#clock.now();
    this.#reading = undefined;
  }
}
