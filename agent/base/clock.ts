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

/** Calls `work` every `ms` until the function that it gives is called: `const stop = every(CLOCK, 250, look)`. */
export function every(clock: Clock, ms: number, work: () => void): () => void {
  let isOver = false;
  let callOff = clock.after(ms, again);
  function again(): void {
    work();
    // The work may end it.
    if (!isOver) callOff = clock.after(ms, again);
  }
  return () => {
    isOver = true;
    callOff();
  };
}
