/**
 * Which modules a module needs, directly or not, in the order of modules.dep: each before those that it needs, so that inserting from
 * last to first works. Pure.
 */

/** A module's direct dependencies, by position, in the order in which its symbols first asked for them. */
export type DirectDependencies = ReadonlyArray<readonly number[]>;

/** The order, or the cycles that make one impossible: each from one module back to itself, `[4, 7, 4]`. */
export type DependencyOrder =
  | { readonly kind: 'ordered'; readonly rank: Int32Array }
  | { readonly kind: 'circular'; readonly cycles: ReadonlyArray<readonly number[]> };

/**
 * Ranks the modules so that each comes before what it needs. It takes the modules that nobody needs from the last to the first, and
 * after each, in the same way, those that only waited for it: the order of kmod's depmod, number for number.
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

/** After so many steps from one module it stops exploring a tangle, whose number of cycles can be exponential. */
const MOST_STEPS = 1000;

/**
 * The cycles that prevent an order, in kmod's order: all that lead from a module back to it, depth first, the last dependency first.
 * Then it continues with the module after the last one found in a cycle, until every module has been in one or been a start.
 */
function findCycles(direct: DirectDependencies, candidates: readonly number[]): number[][] {
  const users = direct.map((): number[] => []);
  for (const [module, needs] of direct.entries()) for (const needed of needs) users[needed]?.push(module);
  const cycles: number[][] = [];
  const left = new Set(candidates);
  let next = 0;
  while (left.size > 0) {
    while (!left.has(candidates[next] ?? -1)) next = (next + 1) % candidates.length;
    const root = candidates[next] ?? -1;
    left.delete(root);
    for (const cycle of cyclesFrom(direct, root, waysBack(users, root))) {
      cycles.push([...cycle, root]);
      for (const member of cycle) if (left.delete(member)) next = candidates.indexOf(member);
    }
  }
  return cycles;
}

/** For each module whose dependencies lead to `root`: the next module on the shortest way there. */
function waysBack(users: DirectDependencies, root: number): ReadonlyMap<number, number> {
  const next = new Map<number, number>();
  const open = [root];
  // The list grows during this loop.
  for (const module of open) {
    for (const user of users[module] ?? []) {
      if (next.has(user)) continue;
      next.set(user, module);
      if (user !== root) open.push(user);
    }
  }
  return next;
}

/** The cycles through `root`, each from it to the last before it: all of them or, in a tangle, those found first, at least one. */
function cyclesFrom(direct: DirectDependencies, root: number, back: ReadonlyMap<number, number>): number[][] {
  const needs = (module: number) => (direct[module] ?? []).filter((needed) => back.has(needed));
  const cycles: number[][] = [];
  const path = [root];
  const onPath = new Set(path);
  // The dependencies still to follow, for each module on the path.
  const open = [needs(root)];
  for (let steps = 0; open.length > 0 && steps < MOST_STEPS; steps++) {
    const module = open.at(-1)?.pop();
    if (module === undefined) {
      open.pop();
      onPath.delete(path.pop() ?? root);
    } else if (module === root) {
      cycles.push([...path]);
    } else if (!onPath.has(module)) {
      path.push(module);
      onPath.add(module);
      open.push(needs(module));
    }
  }
  if (cycles.length === 0 && open.length > 0) {
    const shortest = [root];
    for (let at = needs(root)[0] ?? root; at !== root; at = back.get(at) ?? root) shortest.push(at);
    cycles.push(shortest);
  }
  return cycles;
}
