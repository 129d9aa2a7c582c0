/** Tells how far long work is: one line that is there after a second, is written again as it goes on, and is gone at its end. */
import type { Clock } from '../base/clock.ts';
import { fit, LINE, readable, type Terminal } from './terminal.ts';

/** Work that takes less is over before anybody asks. */
const SILENT_MS = 1000;
/** Between two lines: often enough to look alive, seldom enough to cost nothing. */
const AGAIN_MS = 200;

/** Where the line goes. */
export interface LongWorkOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly terminal: Terminal;
  /** Gets the text with its terminal sequences. */
  readonly write: (text: string) => void;
}

/**
 * One long piece of work. It never waits and has no timer: work that holds the thread tells it often.
 *
 *     const work = new LongWork({ clock, terminal, write });
 *     work.at('modules', 1200, 4023);   // after a second: `modules 1200/4023 (29 %)`
 *     work.over();
 */
export class LongWork {
  readonly #options: LongWorkOptions;
  readonly #begun: number;
  #next: number;
  #shown = false;

  constructor(options: LongWorkOptions) {
    this.#options = options;
    this.#begun = options.clock.now();
    this.#next = this.#begun + SILENT_MS;
  }

  /** What it is at now (machine text), and how many of how many are done, when that is known. */
  at(what: string, done?: number, total?: number): void {
    const { clock, terminal, write } = this.#options;
    const now = clock.now();
    if (now < this.#next) return;
    this.#next = now + AGAIN_MS;
    this.#shown = true;
    write(LINE.rewrite(fit(progressText(what, done, total), terminal.width - 1)));
  }

  /** Takes the line away, before other text or at the end; the next at() shows it again. */
  over(): void {
    if (this.#shown) this.#options.write(LINE.clear);
    this.#shown = false;
  }
}

function progressText(what: string, done: number | undefined, total: number | undefined): string {
  if (done === undefined) return `${readable(what)} …`;
  if (total === undefined || total === 0) return `${readable(what)} ${done}`;
  return `${readable(what)} ${done}/${total} (${Math.floor((100 * done) / total)} %)`;
}
