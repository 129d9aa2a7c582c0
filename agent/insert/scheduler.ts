/**
 * One graph for all requests of all devices: a node per module, edges from depends and softdep. A module runs once however
 * many devices ask for it; independent modules run at the same time, up to a limit.
 *
 * The graph grows while it runs (a controller's driver makes new devices appear). Nodes that are done stay as the memory of
 * what happened, refusals too: a thousand CPUs asking for one module that says ENODEV is one attempt.
 */
import { availableParallelism } from 'node:os';
import type { ModuleName } from '../base/names.ts';
import type { PlanEdge } from '../plan/plan.ts';
import { createNode, foremost, raise, URGENT, waitsFor, type Node } from './task-node.ts';
import type { Outcome, Task, TaskRecord } from './task.ts';

export interface SchedulerOptions<Result> {
  /** How many tasks run at the same time. */
  readonly jobs: number;
  /** Whether modules that require this one may go on. */
  succeeded(result: Result): boolean;
  /** Monotonic time in ns. */
  now(): bigint;
  started?(record: TaskRecord<Result>): void;
  ended?(record: TaskRecord<Result>): void;
}

/** Somebody who waits for nodes. */
interface Watch<Result> {
  readonly open: Set<Node<Result>>;
  done(): void;
}

/** How many insertions run at a time unless told: most inits sleep, or wait at their end for what others search for. */
export function defaultJobs(): number {
  return 2 * availableParallelism() + 10;
}

/** Runs tasks as parallel as their edges allow. */
export class Scheduler<Result> {
  readonly #options: SchedulerOptions<Result>;
  readonly #nodes = new Map<ModuleName, Node<Result>>();
  #ready: Node<Result>[] = [];
  #running = 0;
  #open = 0;
  #idle: Array<() => void> = [];
  readonly #watches = new Set<Watch<Result>>();
  #pumping = false;
  #halted = false;

  constructor(options: SchedulerOptions<Result>) {
    this.#options = options;
  }

  /** Tasks that are not done. */
  get open(): number {
    return this.#open;
  }

  /** Every task in the order of arrival. */
  records(): ReadonlyArray<TaskRecord<Result>> {
    return [...this.#nodes.values()];
  }

  /** What is running now. */
  inFlight(): ReadonlyArray<TaskRecord<Result>> {
    return [...this.#nodes.values()].filter((node) => node.state === 'running');
  }

  /** The module's task, if it ever had one. */
  record(module: ModuleName): TaskRecord<Result> | undefined {
    return this.#nodes.get(module);
  }

  /**
   * Adds a plan's tasks, in an order in which each comes after those it names. A module that has a task already keeps it;
   * while that still waits, the new edges are added to it.
   */
  add(tasks: ReadonlyArray<Task<Result>>): void {
    for (const task of tasks) {
      let node = this.#nodes.get(task.module);
      if (node === undefined) {
        node = createNode(task, this.#options.now());
        this.#nodes.set(task.module, node);
        this.#open++;
      }
      this.#promote(node, task.urgent === true ? URGENT : (task.rank ?? 0));
      this.#connect(node, task.after);
      if (node.state === 'waiting' && node.pending.size === 0) this.#makeReady(node);
    }
    this.#pump();
  }

  /** Forgets done tasks, so that they can be tried again: after a change of the tree, the rules or the loaded modules. */
  forget(keep: (record: TaskRecord<Result>) => boolean = () => false): void {
    for (const node of this.#nodes.values()) if (node.state === 'done' && !keep(node)) this.#nodes.delete(node.module);
  }

  /** A running task that takes long no longer counts towards the limit: an init that sleeps needs no processor. */
  release(module: ModuleName): void {
    const node = this.#nodes.get(module);
    if (node?.counted !== true) return;
    node.counted = false;
    this.#running--;
    this.#pump();
  }

  /** Starts nothing more; what runs goes on. */
  halt(): void {
    this.#halted = true;
  }

  /** Resolves when nothing waits or runs. */
  async whenIdle(): Promise<void> {
    if (this.#open === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when no task of these modules waits or runs. */
  async whenDone(modules: readonly ModuleName[]): Promise<void> {
    const nodes = modules.map((module) => this.#nodes.get(module));
    const open = new Set(nodes.filter((node) => node !== undefined).filter(({ state }) => state !== 'done'));
    if (open.size === 0) return;
    await new Promise<void>((resolve) => this.#watches.add({ open, done: resolve }));
  }

  #connect(node: Node<Result>, edges: readonly PlanEdge[]): void {
    if (node.state === 'running' || node.state === 'done') return;
    for (const edge of edges) {
      const before = this.#nodes.get(edge.module);
      if (before === undefined || before === node) continue;
      if (before.state === 'done') {
        if (edge.required && !this.#fine(before) && node.outcome === undefined) this.#skip(node, before);
        continue;
      }
      if (before.state === 'running' && node.rank === URGENT) continue;
      const known = before.dependents.get(node);
      if (known !== undefined) {
        if (edge.required && !known) before.dependents.set(node, true);
        continue;
      }
      // Two plans that are fine each can be a loop together (softdeps in both directions): the later edge gives way.
      if (waitsFor(before, node)) continue;
      before.dependents.set(node, edge.required);
      node.pending.add(before);
      node.waitedFor.push(before.module);
      if (node.state === 'ready') {
        this.#ready = this.#ready.filter((other) => other !== node);
        node.state = 'waiting';
      }
      raise(before, node.height + 1);
      this.#promote(before, node.rank);
    }
  }

  #promote(node: Node<Result>, rank: number): void {
    if (rank <= node.rank) return;
    node.rank = rank;
    for (const before of node.pending) {
      if (before.state === 'running' && rank === URGENT) {
        before.dependents.delete(node);
        node.pending.delete(before);
        if (node.pending.size === 0) this.#makeReady(node);
      } else {
        this.#promote(before, rank);
      }
    }
  }

  #fine(node: Node<Result>): boolean {
    return node.outcome?.kind === 'ran' && this.#options.succeeded(node.outcome.result);
  }

  #makeReady(node: Node<Result>): void {
    node.state = 'ready';
    node.readyNs = this.#options.now();
    this.#ready.push(node);
  }

  #pump(): void {
    if (this.#pumping || this.#halted) return;
    this.#pumping = true;
    for (;;) {
      const node = this.#next();
      if (node === undefined) break;
      this.#start(node);
    }
    this.#pumping = false;
  }

  #next(): Node<Result> | undefined {
    const best = foremost(this.#ready, this.#running >= this.#options.jobs);
    if (best !== undefined) this.#ready.splice(this.#ready.indexOf(best), 1);
    return best;
  }

  #start(node: Node<Result>): void {
    node.state = 'running';
    node.startedNs = this.#options.now();
    this.#running++;
    node.counted = true;
    this.#options.started?.(node);
    // A task answers failures as results; one that throws has a defect, which must end the process with its trace.
    void node.task.run().then((result) => {
      if (node.counted) this.#running--;
      node.counted = false;
      this.#finish(node, { kind: 'ran', result });
      this.#pump();
    });
  }

  #skip(node: Node<Result>, because: Node<Result>): void {
    if (node.state === 'ready') this.#ready = this.#ready.filter((other) => other !== node);
    for (const before of node.pending) before.dependents.delete(node);
    node.pending.clear();
    this.#finish(node, { kind: 'skipped', because: because.module });
  }

  #finish(node: Node<Result>, outcome: Outcome<Result>): void {
    node.outcome = outcome;
    node.state = 'done';
    node.endedNs = this.#options.now();
    this.#open--;
    this.#options.ended?.(node);
    for (const watch of this.#watches) {
      watch.open.delete(node);
      if (watch.open.size > 0) continue;
      this.#watches.delete(watch);
      watch.done();
    }
    const fine = this.#fine(node);
    for (const [dependent, required] of node.dependents) {
      if (dependent.state === 'done') continue;
      dependent.pending.delete(node);
      if (required && !fine) this.#skip(dependent, node);
      else if (dependent.pending.size === 0 && dependent.state === 'waiting') this.#makeReady(dependent);
    }
    node.dependents.clear();
    if (this.#open === 0) {
      const waiting = this.#idle;
      this.#idle = [];
      for (const resolve of waiting) resolve();
    }
  }
}
