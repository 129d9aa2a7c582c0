/** The end of one step of a plan. Pure. */
import { runCommand, type CommandEnd } from '../insert/install-command.ts';
import { insertModule, type Insertion, type InsertionRequest } from '../insert/insertion.ts';
import type { Step } from '../plan/plan.ts';

/** What came of a step: of its insertion, or of the command that stands in for it. */
export type StepEnd = Insertion | CommandEnd;

/** Whether modules that need this one may go on. */
export function succeeded(end: StepEnd): end is Exclude<StepEnd, { kind: 'refused' | 'command-failed' }> {
  return end.kind !== 'refused' && end.kind !== 'command-failed';
}

/** An init that runs this long sleeps, most likely, and leaves its place to others. */
const SLOW_MS = 1000;

/** What an insertion has to know of the machine: the root of its files, and the word of /sys/module/compression. */
export type InsertionPlace = Pick<InsertionRequest, 'root' | 'kernelCompression'>;

/** Runs one step of a plan; `slow` is called when it takes long. */
export async function runStep(step: Step, place: InsertionPlace, slow: () => void): Promise<StepEnd> {
  const timer = setTimeout(slow, SLOW_MS);
  try {
    if (step.command !== undefined) return await runCommand(step.command.text, step.module);
    return await insertModule({ ...place, path: step.path, params: step.params });
  } finally {
    clearTimeout(timer);
  }
}
