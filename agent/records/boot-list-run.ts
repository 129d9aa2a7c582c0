/** What came of lists for boot, as plain data. */
import type { ModuleName } from '../base/names.ts';
import type { Problem } from '../base/problem.ts';
import type { BootListEntry } from '../rules/boot/boot-entry.ts';

/**
 * What came of an entry:
 *
 * - `inserted`, or `planned` in a dry run.
 * - `present`: all that it names was loaded before, or is built in.
 * - `kept-out`: a blacklist, an install line that does nothing, or `module_blacklist=`.
 * - `not-found`: nothing has that name, or a file that it needs is not there.
 * - `no-device`: its init found no hardware.
 * - `failed`: the kernel refused it.
 */
export type BootListEnd = 'inserted' | 'planned' | 'present' | 'kept-out' | 'not-found' | 'no-device' | 'failed';

/** One entry that counts, and what came of it. */
export interface BootListResult {
  readonly entry: BootListEntry;
  readonly end: BootListEnd;
  /** What it led to. */
  readonly modules: readonly ModuleName[];
  /** Why it is not loaded: `blacklist nouveau`; machine text. */
  readonly why?: string | undefined;
  /** Facts that explain a refusal, and what to do about it. */
  readonly evidence?: readonly string[] | undefined;
  readonly remedy?: string | undefined;
}

/** All lists of a machine. */
export interface BootListRun {
  readonly kernel: string;
  readonly dryRun: boolean;
  readonly results: readonly BootListResult[];
  /** What is wrong with files of lists; one that cannot be read has the code `unreadable`. */
  readonly problems: readonly Problem[];
}

/**
 * Whether a run has failed, as for systemd-modules-load: the kernel refused something, or a list could not be read. What does not exist,
 * is kept out or finds no device has not failed. `strict`: what does not exist has, and what is wrong with a list.
 */
export function hasFailedLists({ results, problems }: BootListRun, strict: boolean): boolean {
  return (
    results.some(({ end }) => end === 'failed' || (strict && end === 'not-found')) ||
    problems.some(({ code }) => code === 'unreadable' || strict)
  );
}
