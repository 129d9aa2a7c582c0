/** The verdicts and their order. Pure. */
import type { Cause } from './cause.ts';

/**
 * What came, or would come, of a device or a name, in one word. In this order a device with several candidates is judged:
 * the first word that one of them has.
 */
export const VERDICTS = [
  'failed',
  'inserted',
  'would-insert',
  'loaded',
  'builtin',
  'install-command',
  'denied',
  'blacklisted',
  'no-match',
  'no-modalias',
] as const;
/** One of VERDICTS. */
export type Verdict = (typeof VERDICTS)[number];

/** A verdict, with the cause of `failed`. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly cause?: Cause | undefined;
}

/** The judgement that stands for all; undefined for none. */
export function foremost<T extends Judgement>(judgements: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const judgement of judgements) {
    if (best === undefined || VERDICTS.indexOf(judgement.verdict) < VERDICTS.indexOf(best.verdict)) best = judgement;
  }
  return best;
}

/** Whether a device that says so has, or would have, code that can drive it. */
export function isServed(verdict: Verdict): boolean {
  return (
    verdict === 'inserted' ||
    verdict === 'would-insert' ||
    verdict === 'loaded' ||
    verdict === 'builtin' ||
    verdict === 'install-command'
  );
}

/** `failed (signature)`, `would-insert`. */
export function verdictText({ verdict, cause }: Judgement): string {
  return cause === undefined ? verdict : `${verdict} (${cause})`;
}
