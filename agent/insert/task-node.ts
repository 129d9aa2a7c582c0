/** A task among others in the scheduler's graph. The scheduler alone changes it. */
import type { ModuleName } from '../base/names.ts';
import type { Outcome, Task } from './task.ts';

/** The rank of urgent tasks. */
export const URGENT = Infinity;

/** One task, with the nodes before and behind it. It shows a TaskRecord to everyone but the scheduler. */
export interface Node<Result> {
  readonly module: ModuleName;
  readonly task: Task<Result>;
  readonly addedNs: bigint;
  readyNs: bigint | undefined;
  startedNs: bigint | undefined;
  endedNs: bigint | undefined;
  outcome: Outcome<Result> | undefined;
  state: 'waiting' | 'ready' | 'running' | 'done';
  /** Nodes that this one waits for and that are not done. */
  readonly pending: Set<Node<Result>>;
  readonly waitedFor: ModuleName[];
  /** Nodes that wait for this one, and whether they require it. */
  readonly dependents: Map<Node<Result>, boolean>;
  /** Length of the longest chain of nodes that wait for this one: the higher, the earlier it runs. */
  height: number;
  rank: number;
  /** Runs, and counts towards the limit. */
  counted: boolean;
}

/** A node that waits for nothing yet. `addedNs` is the scheduler's time. */
export function createNode<Result>(task: Task<Result>, addedNs: bigint): Node<Result> {
  return {
    module: task.module,
    task,
    addedNs,
    readyNs: undefined,
    startedNs: undefined,
    endedNs: undefined,
    outcome: undefined,
    state: 'waiting',
    pending: new Set(),
    waitedFor: [],
    dependents: new Map(),
    height: 1,
    rank: 0,
    counted: false,
  };
}

/** True when `node` is `target` or waits for it, directly or through others. */
export function waitsFor<Result>(node: Node<Result>, target: Node<Result>): boolean {
  if (node === target) return true;
  for (const before of node.pending) if (waitsFor(before, target)) return true;
  return false;
}

/** Gives a node at least this height, and a greater one to each that it waits for. */
export function raise<Result>(node: Node<Result>, height: number): void {
  if (height <= node.height) return;
  node.height = height;
  for (const before of node.pending) raise(before, height + 1);
}

/**
 * The ready node that starts next: the first urgent one, else the one of the highest rank, and among those the one with the
 * longest chain behind it. While the limit of tasks is reached (`full`), only an urgent one starts.
 */
export function foremost<Result>(ready: ReadonlyArray<Node<Result>>, full: boolean): Node<Result> | undefined {
  const urgent = ready.find(({ rank }) => rank === URGENT);
  if (urgent !== undefined || full) return urgent;
  let best: Node<Result> | undefined;
  for (const node of ready) {
    if (best === undefined || node.rank > best.rank || (node.rank === best.rank && node.height > best.height))
      best = node;
  }
  return best;
}
