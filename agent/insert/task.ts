/** What the scheduler runs, and what it remembers of it. */
import type { ModuleName } from '../base/names.ts';
import type { PlanEdge } from '../plan/plan.ts';

/** One module's work. `run` starts it; what it answers is kept as it is. */
export interface Task<Result> {
  readonly module: ModuleName;
  /** Modules that come first. One that has no task of its own (loaded before, builtin) is not waited for. */
  readonly after: readonly PlanEdge[];
  /**
   * What goes first among what is ready: a higher rank, and with it all that it waits for; 0 when left out. Drivers of
   * controllers rank high: their devices appear later, in the background, and bring further modules.
   */
  readonly rank?: number;
  /**
   * Starts beyond the limit, with all that it waits for, and does not wait for modules whose init runs now: the request may
   * come from inside that very init, which would then wait for itself. The kernel makes each task that needs such a module's
   * symbols wait, for 30 s at most.
   */
  readonly urgent?: boolean;
  run(): Promise<Result>;
}

/** What became of a task. */
export type Outcome<Result> =
  | { readonly kind: 'ran'; readonly result: Result }
  /** `because` is the required module that failed or was itself skipped. */
  | { readonly kind: 'skipped'; readonly because: ModuleName };

/** A task's history; times from the scheduler's clock in ns. */
export interface TaskRecord<Result> {
  readonly module: ModuleName;
  readonly addedNs: bigint;
  /** When the last module it waited for was done. */
  readonly readyNs: bigint | undefined;
  readonly startedNs: bigint | undefined;
  readonly endedNs: bigint | undefined;
  /** The modules it had to wait for. */
  readonly waitedFor: readonly ModuleName[];
  readonly outcome: Outcome<Result> | undefined;
}
