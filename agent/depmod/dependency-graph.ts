/**
 * Which modules a module needs, all the way down, in the order in which modules.dep lists them: each before those that it
 * needs, so that inserting them from last to first works.
 */

/** A module's direct dependencies, by position, in the order in which its symbols first asked for them. */
export type DirectDependencies = ReadonlyArray<readonly number[]>;

/** The order, or the circles that make one impossible: each from one module back to itself, `[4, 7, 4]`. */
export type DependencyOrder =
  | { readonly kind: 'ordered'; readonly rank: Int32Array }
  | { readonly kind: 'circular'; readonly cycles: ReadonlyArray<readonly number[]> };

/**
 * Ranks the modules so that each stands before what it needs. Those that nobody needs are taken from the last to the first,
 * and after each come, likewise, those that only waited for it: the order of kmod's depmod, number for number.
 */
export function orderDependencies(direct: DirectDependencies): DependencyOrder {
  const users = new Int32Array(direct.length);
  for (const needs of direct) for (const needed of needs) users[needed] = (users[needed] ?? 0) + 1;
  const free: number[] = [];
  for (const [module, count] of users.entries()) if (count === 0) free.push(module);
  const rank = new Int32Array(direct.length);
  let next = 0;
  for (let module = free.pop(); module !== undefined; module = free.pop()) {
    rank[module] = next++;
    for (const needed of direct[module] ?? []) {
      const left = (users[needed] ?? 0) - 1;
      users[needed] = left;
      if (left === 0) free.push(needed);
    }
  }
  if (next === direct.length) return { kind: 'ordered', rank };
  const left = [...users.keys()].filter((module) => (users[module] ?? 0) > 0);
  return { kind: 'circular', cycles: findCycles(direct, left) };
}

/** All that a module needs, directly or not, each once, by rank. */
export function allDependencies(direct: DirectDependencies, rank: Int32Array, module: number): readonly number[] {
  const all = new Set<number>();
  const open = [...(direct[module] ?? [])];
  for (let needed = open.pop(); needed !== undefined; needed = open.pop()) {
    if (all.has(needed)) continue;
    all.add(needed);
    open.push(...(direct[needed] ?? []));
  }
  return [...all].toSorted((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0));
}

/**
 * Circles that together hold every module that is in one. From each module not yet in a circle, depth first, the last
 * dependency first (as kmod); each module is gone through once a search, so the time is bounded whatever the graph.
 */
function findCycles(direct: DirectDependencies, candidates: readonly number[]): number[][] {
  const cycles: number[][] = [];
  const inCycle = new Set<number>();
  for (const root of candidates) {
    if (inCycle.has(root)) continue;
    const cameFrom = new Map<number, number>();
    const open: Array<readonly [module: number, from: number]> = (direct[root] ?? []).map((needed) => [needed, root]);
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      const [module, from] = step;
      if (module === root) {
        const cycle = [root];
        for (let at = from; at !== root; at = cameFrom.get(at) ?? root) cycle.push(at);
        cycle.push(root);
        cycles.push(cycle.toReversed());
        for (const member of cycle) inCycle.add(member);
      } else if (!cameFrom.has(module)) {
        cameFrom.set(module, from);
        for (const needed of direct[module] ?? []) open.push([needed, module]);
      }
    }
  }
  return cycles;
}
