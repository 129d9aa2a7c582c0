/** The modules that something asks for, from the first request to the end of their insertion: one graph for all devices. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { foundNoDevice } from '../diagnosis/cause.ts';
import { Scheduler } from '../insert/scheduler.ts';
import type { Task, TaskRecord } from '../insert/task.ts';
import type { Step } from '../plan/plan.ts';
import type { AgentTask } from '../records/agent-status.ts';
import type { ModuleRecord, Requester } from '../records/coldplug-run.ts';
import type { Waiting } from '../records/waiting.ts';
import { moduleRecord, type WantedStep } from './module-record.ts';
import { rankOf } from './rank.ts';
import type { Sources } from './sources.ts';
import { runStep, succeeded, type StepEnd } from './step.ts';
import { openTasks, waitingTasks } from './task-times.ts';

/** How to insert wanted modules, and whom to notify. */
export interface WantedModulesOptions {
  readonly host: Host;
  readonly jobs: number;
  /** Only plan: nothing is inserted. */
  readonly dryRun: boolean;
  /** The word of /sys/module/compression. */
  readonly kernelCompression: string | undefined;
  /** The generation in use. */
  sources(): Pick<Sources, 'config'>;
  /** A module's insertion has begun, or has come to an end. */
  changed(module: ModuleName, what: 'started' | 'ended'): void;
  /** Runs one step; runStep() when left out. */
  readonly run?: typeof runStep;
}

/** Modules that are wanted, each inserted once. */
export class WantedModules {
  readonly #options: WantedModulesOptions;
  readonly #scheduler: Scheduler<StepEnd>;
  readonly #wanted = new Map<ModuleName, WantedStep>();
  readonly #present = new Set<ModuleName>();
  /** Insertions that the kernel refused, but for those whose init found no device: they are no failures. */
  refused = 0;

  constructor(options: WantedModulesOptions) {
    this.#options = options;
    this.#scheduler = new Scheduler<StepEnd>({
      jobs: options.jobs,
      succeeded,
      now: () => process.hrtime.bigint(),
      started: ({ module }) => options.changed(module, 'started'),
      ended: ({ module, outcome }) => {
        const end = outcome?.kind === 'ran' ? outcome.result : undefined;
        if (end?.kind === 'refused' && !foundNoDevice(end)) this.refused++;
        options.changed(module, 'ended');
      },
    });
  }

  /** Modules that were asked for and were loaded before. */
  get present(): readonly ModuleName[] {
    return [...this.#present];
  }

  /** Modules that are queued or in flight. */
  get open(): number {
    return this.#scheduler.open;
  }

  /** Modules that have, or had, their turn to come. */
  get total(): number {
    return this.#scheduler.records().length;
  }

  /** Adds the steps of a plan, in their order. A module that is wanted already keeps its place. `urgent`: see Task. */
  want(steps: readonly Step[], requester: Requester, urgent: boolean): void {
    const { host, dryRun, kernelCompression, run = runStep } = this.#options;
    const place = { root: host.root, kernelCompression };
    const tasks: Array<Task<StepEnd>> = [];
    for (const step of steps) {
      const { module } = step;
      const task = this.#scheduler.record(module);
      if (step.state === 'live' && task === undefined) {
        this.#present.add(module);
        continue;
      }
      const wanted = this.#wanted.get(module);
      if (wanted === undefined) this.#wanted.set(module, { step, requester });
      else if (task?.startedNs === undefined) this.#wanted.set(module, { step, requester: wanted.requester });
      if (dryRun) continue;
      const slow = () => this.#scheduler.release(module);
      tasks.push({
        module,
        after: step.after,
        rank: rankOf(requester, step),
        urgent,
        run: async () => run(this.#wanted.get(module)?.step ?? step, place, slow),
      });
    }
    if (tasks.length > 0) this.#scheduler.add(tasks);
  }

  /** What became of a module that was wanted; undefined for one that was not, or that was loaded before. */
  record(module: ModuleName): ModuleRecord | undefined {
    const wanted = this.#wanted.get(module);
    if (wanted === undefined) return undefined;
    return moduleRecord(wanted, this.#scheduler.record(module), {
      host: this.#options.host,
      config: this.#options.sources().config,
      wanted: (needed) => this.#wanted.get(needed)?.step,
    });
  }

  /** The record of every module that was wanted, in the order of the requests. */
  records(): readonly ModuleRecord[] {
    return [...this.#wanted.keys()].map((module) => this.record(module)).filter((record) => record !== undefined);
  }

  /** What a settle still waits for, of these modules or of all. */
  waitingFor(modules?: readonly ModuleName[]): readonly Waiting[] {
    const tasks = modules?.map((module) => this.#scheduler.record(module)) ?? this.#scheduler.records();
    return waitingTasks(tasks.filter((task) => task !== undefined));
  }

  /** What is queued or in flight, for the status. */
  tasks(): readonly AgentTask[] {
    return openTasks(this.#scheduler.records(), (module) => this.#wanted.get(module)?.requester);
  }

  /** What is being inserted now. */
  inFlight(): ReadonlyArray<TaskRecord<StepEnd>> {
    return this.#scheduler.inFlight();
  }

  /** Whether a module is being inserted now, and was already before `ns` (process.hrtime.bigint()). */
  isInserting(module: ModuleName, ns?: bigint): boolean {
    const task = this.#scheduler.record(module);
    if (task?.startedNs === undefined || task.endedNs !== undefined) return false;
    return ns === undefined || task.startedNs < ns;
  }

  /** Resolves when nothing is queued or in flight. */
  async whenIdle(): Promise<void> {
    return this.#scheduler.whenIdle();
  }

  /** Resolves when none of these modules is queued or in flight. */
  async whenDone(modules: readonly ModuleName[]): Promise<void> {
    return this.#scheduler.whenDone(modules);
  }

  /** Inserts nothing more; what is in flight goes on. */
  halt(): void {
    this.#scheduler.halt();
  }

  /** A module that was loaded and is not any more. False when its own insertion has failed: the kernel announces that, too. */
  gone(module: ModuleName): boolean {
    this.#present.delete(module);
    const task = this.#scheduler.record(module);
    if (task !== undefined && !hasSucceeded(task)) return false;
    this.#forget((record) => record.module === module);
    return true;
  }

  /** Forgets failures, all of them: new files may have what they lacked. What is loaded, queued or in flight stays known. */
  renew(): void {
    this.#forget((record) => !hasSucceeded(record));
    for (const module of this.#wanted.keys()) {
      if (this.#scheduler.record(module) === undefined) this.#wanted.delete(module);
    }
  }

  /** Forgets failures of these modules before `untilNs`, and of what they needed: they may be tried again. */
  forgetFailures(modules: readonly ModuleName[], untilNs = process.hrtime.bigint()): void {
    const failed = new Set<ModuleName>();
    for (let module of modules) {
      for (;;) {
        const task = this.#scheduler.record(module);
        if (task?.endedNs === undefined || task.endedNs > untilNs || failed.has(module) || hasSucceeded(task)) break;
        failed.add(module);
        if (task.outcome?.kind !== 'skipped') break;
        module = task.outcome.because;
      }
    }
    if (failed.size > 0) this.#forget((record) => failed.has(record.module));
  }

  /** Forgets tasks that are done. */
  #forget(which: (record: TaskRecord<StepEnd>) => boolean): void {
    const forgotten = this.#scheduler.records().filter((record) => record.endedNs !== undefined && which(record));
    this.#scheduler.forget((record) => !which(record));
    for (const { module } of forgotten) this.#wanted.delete(module);
  }
}

function hasSucceeded({ outcome }: TaskRecord<StepEnd>): boolean {
  return outcome?.kind === 'ran' && succeeded(outcome.result);
}
