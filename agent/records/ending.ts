/** The verdict on a device, a name or a module, as data. Pure. */
import type { Cause } from '../diagnosis/cause.ts';
import type { Verdict } from '../diagnosis/verdict.ts';

/**
 * How a device, a name or a module ends: the verdict and what goes with it. Every member is always there, so that an ending
 * laid over a report leaves nothing of the one before; JSON leaves out what is undefined.
 */
export interface Ending {
  readonly verdict: Verdict;
  /** Only with the verdict `failed`. */
  readonly cause: Cause | undefined;
  /** What decided, in a sentence part. */
  readonly reason: string;
  /** Facts, each a sentence; machine text in them is latin1. */
  readonly evidence: readonly string[];
  /** What to do about it; undefined when there is nothing to do, or nothing sensible is known. */
  readonly remedy: string | undefined;
}

/** `ending('loaded', 'e1000e is loaded')`: an ending without cause, evidence and remedy, but for those in `more`. */
export function ending(
  verdict: Verdict,
  reason: string,
  more: Partial<Pick<Ending, 'cause' | 'evidence' | 'remedy'>> = {},
): Ending {
  return { verdict, cause: undefined, reason, evidence: [], remedy: undefined, ...more };
}
