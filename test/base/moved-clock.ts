import type { Clock } from '../../agent/base/clock.ts';

/** A clock that only the test moves. */
export class MovedClock implements Clock {
  ms = 0;
  #timers: Array<{ readonly at: number; readonly work: () => void }> = [];

  readonly now = (): number => this.ms;

  readonly after = (ms: number, work: () => void): (() => void) => {
    const timer = { at: this.ms + Math.max(0, ms), work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  };

  /** Milliseconds until each timer that runs, the next one first. */
  get pending(): readonly number[] {
    return this.#timers.map(({ at }) => at - this.ms).toSorted((a, b) => a - b);
  }

  /** Lets `ms` pass: each timer that ends meanwhile does its work at its own moment. */
  move(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.ms = due.at;
      due.work();
    }
    this.ms = until;
  }
}
