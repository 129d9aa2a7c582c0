/** A clock with timers by it, so that a test can move the time that code waits for. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls `work` once, `ms` from now, unless the function that it gives is called before. */
  after(ms: number, work: () => void): () => void;
}

/** The machine's clock: `CLOCK.after(100, look)`. A timer of it keeps the process alive. */
export const CLOCK: Clock = {
  now: () => Number(process.hrtime.bigint()) / 1e6,
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
