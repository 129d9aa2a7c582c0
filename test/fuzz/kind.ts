/** One kind of input that comes from outside, and what reads it. Each file of kinds/ exports one. */
import type { Random } from '../fixtures/random.ts';

/** What fuzzing needs to know about a kind of input. */
export interface FuzzKind {
  /** Whole inputs such as the real world has; mutation begins with them. */
  readonly samples: readonly Buffer[];
  /** Pieces of the grammar that mutation inserts: keywords, magic numbers, delimiters. */
  readonly words: ReadonlyArray<string | Buffer>;
  /** A new input, made by the grammar; without it all inputs come from the samples. */
  readonly compose?: (random: Random) => Buffer;
  /**
   * Reads an input with everything that plugd does to inputs of this kind. A PlugdError is an answer. Anything else that is thrown
   * is a failure, and so is the Error that this function throws itself when an answer is not one of the declared values.
   */
  readonly read: (input: Buffer) => void;
}

/** Fails unless `holds`: `check(at <= length, 'an offset past the end')`. */
export function check(holds: boolean, what: string): void {
  if (holds) return;
  const error = new Error(`broken promise: ${what}`);
  // The failure is at the promise, not here: failures of one line are one.
  Error.captureStackTrace(error, check);
  throw error;
}

/** An input as machine text: one character is one byte. */
export function latin1(input: Buffer): string {
  return input.toString('latin1');
}

/** Machine text as an input. */
export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
