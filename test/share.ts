/**
 * How much of a long list a run goes through. `npm run test:whole` goes through all of it; `npm test` takes a share, always the same one, so
 * that it stays short enough to be run often.
 */

/** Whether this is a whole run. */
export const WHOLE = process.env['PLUGD_TEST_WHOLE'] === '1';

/** One of `every` rows, the first and the last row always; in a whole run all of them. */
export function share<T>(rows: readonly T[], every: number, whole = WHOLE): readonly T[] {
  return whole ? rows : rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
}
