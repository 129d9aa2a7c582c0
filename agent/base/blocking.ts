/** Waits that block this thread, for milliseconds only. */
import { ERRNO, errnoOf } from './errno.ts';

const CELL = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MS = 2;

/** Stops this thread for `ms` milliseconds: for a wait so short that nothing else could be done meanwhile. */
export function block(ms: number): void {
  Atomics.wait(CELL, 0, 0, ms);
}

/**
 * The value of `call`, a blocking read or write: `whenReady(() => readSync(0, buffer))`. A pipe or terminal that another
 * process has set non-blocking fails with EAGAIN; the call is then repeated every 2 ms. Errors: all others of `call`.
 */
export function whenReady<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (errnoOf(error, 0) !== ERRNO.EAGAIN) throw error;
      block(PAUSE_MS);
    }
  }
}
