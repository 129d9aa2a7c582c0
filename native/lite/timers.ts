/** setTimeout and its kin, and the order in which the event loop's turns do their work. */
import { host } from './host.ts';

/** A timer; `unref`: it does not keep the program alive. */
class Timer {
  readonly work: () => void;
  readonly everyMs: number | undefined;
  atMs: number;
  isHeld = true;

  constructor(work: () => void, ms: number, repeats: boolean) {
    this.work = work;
    this.everyMs = repeats ? Math.max(1, ms) : undefined;
    this.atMs = nowMs() + Math.max(1, ms);
  }

  unref(): this {
    this.isHeld = false;
    return this;
  }

  ref(): this {
    this.isHeld = true;
    return this;
  }
}

const timers = new Set<Timer>();
let immediates: Array<() => void> = [];

function nowMs(): number {
  return Number(host.monotonicNs()) / 1e6;
}

function start(work: () => void, ms: number | undefined, repeats: boolean): Timer {
  const timer = new Timer(work, ms ?? 0, repeats);
  timers.add(timer);
  return timer;
}

/** The globals. */
export const TIMERS = {
  setTimeout: (work: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) =>
    start(() => work(...values), ms, false),
  setInterval: (work: () => void, ms?: number) => start(work, ms, true),
  setImmediate: (work: () => void) => {
    immediates.push(work);
  },
  clearTimeout: (timer: Timer | undefined) => {
    if (timer !== undefined) timers.delete(timer);
  },
  clearInterval: (timer: Timer | undefined) => {
    if (timer !== undefined) timers.delete(timer);
  },
};

/** The work that is due, one piece a call so that promises settle in between; undefined when none is. */
export function dueWork(): (() => void) | undefined {
  const now = nowMs();
  for (const timer of timers) {
    if (timer.atMs > now) continue;
    if (timer.everyMs === undefined) timers.delete(timer);
    else timer.atMs = now + timer.everyMs;
    return timer.work;
  }
  return undefined;
}

/** The immediates that wait now; those that they make are for the next turn. */
export function takeImmediates(): ReadonlyArray<() => void> {
  const taken = immediates;
  immediates = [];
  return taken;
}

/** How long the loop may sleep, ms: 0 with immediates, Infinity without timers. */
export function idleMs(): number {
  if (immediates.length > 0) return 0;
  let least = Infinity;
  for (const { atMs } of timers) least = Math.min(least, atMs);
  return least === Infinity ? Infinity : Math.max(0, least - nowMs());
}

/** Whether a timer or an immediate keeps the program alive. */
export function isHeld(): boolean {
  return immediates.length > 0 || [...timers].some((timer) => timer.isHeld);
}
