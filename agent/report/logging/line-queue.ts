/**
 * The log's lines on their way to a reader that may not read. journald can be stuck, at boot even on a disk whose driver is not loaded
 * yet: nothing here ever waits for a reader.
 */
import { ERRNO } from '../../base/errno.ts';
import type { WriteNow } from '../../base/write-now.ts';

/** What a queue works with. */
export interface LineQueueOptions {
  readonly write: WriteNow;
  /** Told where lines are missing, and how many, once there is room again; it writes a line that says so. */
  readonly dropped: (count: number) => void;
  /** Calls `work` after `ms`; a timer that keeps no process alive when left out. */
  readonly later?: (work: () => void, ms: number) => void;
}

/** This much waits for a reader: some thousand lines. */
const MOST_BYTES = 1 << 20;
/** After a line had to be dropped, none is taken before this much is left: one line then tells of thousands. */
const ROOM_BYTES = MOST_BYTES / 2;
/** How soon a reader is tried again that took something, and one that took nothing. */
const SOON_MS = 1;
const LATER_MS = 20;

const LINE_FEED = Buffer.from('\n');

/** A line, and how many are missing when it cannot be written: those that it tells of. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly stands: number;
}

/**
 * A bounded queue of whole lines, in their order. A line that finds it full is dropped and counted, and so is all that waits when the
 * reader has gone away or the disk is full. In the place of what is missing comes one line that says how much that is.
 */
export class LineQueue {
  readonly #options: LineQueueOptions;
  readonly #later: (work: () => void, ms: number) => void;
  #lines: Waiting[] = [];
  #bytes = 0;
  /** Bytes of the first line that are out already. */
  #written = 0;
  /** A line was dropped of which some bytes are out. */
  #torn = false;
  #dropped = 0;
  /** While it tells of dropped lines: how many. */
  #telling: number | undefined;
  #trying = false;

  constructor(options: LineQueueOptions) {
    this.#options = options;
    this.#later = options.later ?? later;
  }

  /** Bytes that wait for the reader. */
  get waiting(): number {
    return this.#bytes - this.#written;
  }

  /** Adds a line, with its line feed, and writes what can be written at once. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#telling !== undefined) {
      this.#push(bytes, this.#telling);
      return;
    }
    // The reader may be back.
    if (!this.#takes(bytes)) this.flush();
    if (!this.#takes(bytes)) {
      this.#dropped++;
      return;
    }
    this.#push(bytes, 1);
    // A reader that did not read is tried again later, not at each line.
    if (!this.#trying) this.flush();
  }

  /** Writes what can be written at once; whether nothing is left to try again. */
  flush(): boolean {
    const before = this.waiting;
    for (;;) {
      if (this.#dropped > 0 && this.waiting <= ROOM_BYTES) this.#tell();
      const first = this.#lines[0];
      if (first === undefined) return true;
      const result = this.#options.write(this.#torn ? LINE_FEED : first.bytes.subarray(this.#written));
      if (result === -ERRNO.EAGAIN) {
        this.#tryAgain(this.waiting < before ? SOON_MS : LATER_MS);
        return false;
      }
      if (result < 0) {
        this.#dropAll();
        return true;
      }
      if (this.#torn) this.#torn = result === 0;
      else this.#advance(first, result);
    }
  }

  #takes({ length }: Uint8Array): boolean {
    return this.#dropped === 0 && (this.waiting === 0 || this.waiting + length <= MOST_BYTES);
  }

  #push(bytes: Uint8Array, stands: number): void {
    this.#lines.push({ bytes, stands });
    this.#bytes += bytes.length;
  }

  #advance({ bytes }: Waiting, count: number): void {
    this.#written += count;
    if (this.#written < bytes.length) return;
    this.#lines.shift();
    this.#bytes -= bytes.length;
    this.#written = 0;
  }

  #dropAll(): void {
    for (const { stands } of this.#lines) this.#dropped += stands;
    this.#torn ||= this.#written > 0;
    this.#lines = [];
    this.#bytes = 0;
    this.#written = 0;
  }

  #tell(): void {
    this.#telling = this.#dropped;
    this.#dropped = 0;
    this.#options.dropped(this.#telling);
    this.#telling = undefined;
  }

  #tryAgain(ms: number): void {
    if (this.#trying) return;
    this.#trying = true;
    this.#later(() => {
      this.#trying = false;
      this.flush();
    }, ms);
  }
}

function later(work: () => void, ms: number): void {
  setTimeout(work, ms).unref();
}
