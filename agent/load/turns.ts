/**
 * Taking turns. sysfs is read and devices are asked for in slices of a few milliseconds, so that uevents, requests and the ends of
 * insertions are heard in between.
 *
 * All times here are sinceStart(): performance.now() would load a module of Node's which the way to the first insertion does
 * without.
 */
import type { Device } from '../facts/devices/device.ts';
import { inOrderOfRank } from './rank.ts';

/** How long one slice of work lasts before others get their turn. */
export const TURN_MS = 4;

/** Cheap items between two looks at the clock, which is not free either. */
const UNTIMED_ITEMS = 8;

/** The moment of the process's start on the monotonic clock, ns; asked for once, but not before: plugd-lite's modules are older than it. */
let beganNs: bigint | undefined;

function began(): bigint {
  return (beganNs ??= process.hrtime.bigint() - BigInt(Math.round(process.uptime() * 1e9)));
}

/** Milliseconds since the process began, to a hundredth: `312.07`. `ns`: a moment of process.hrtime.bigint(), now when left out. */
export function sinceStart(ns: bigint = process.hrtime.bigint()): number {
  return Math.round(Number(ns - began()) / 1e4) / 100;
}

/** Lets everything else that waits have its turn. */
export async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits. */
export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Whether `work` ends before `deadlineMs` (sinceStart()). It goes on in either case. Rejects when it does. */
export async function within(deadlineMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, deadlineMs - sinceStart()));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What else there is to a piece of work in turns. */
export interface TurnOptions {
  /** Called after each turn of the others. */
  readonly between?: () => void;
  /** The clock; sinceStart() when left out. */
  readonly now?: () => number;
  /** How the others get their turn; nextTurn() when left out. */
  readonly yieldTurn?: () => Promise<void>;
}

/** Slices of work. */
export class Turns {
  readonly #now: () => number;
  readonly #yieldTurn: () => Promise<void>;
  readonly #between: () => void;
  #beganMs: number;
  #untimed = 0;

  constructor({ between = () => {}, now = sinceStart, yieldTurn = nextTurn }: TurnOptions = {}) {
    this.#now = now;
    this.#yieldTurn = yieldTurn;
    this.#between = between;
    this.#beganMs = now();
  }

  /** Asked after each item: whether the slice is used up. For a `cheap` item the clock is mostly not even looked at. */
  over(cheap: boolean): boolean {
    if (cheap && ++this.#untimed < UNTIMED_ITEMS) return false;
    this.#untimed = 0;
    return this.#now() - this.#beganMs >= TURN_MS;
  }

  /** Gives up the turn; the next slice begins when it returns. */
  async next(): Promise<void> {
    await this.#yieldTurn();
    this.#between();
    this.#beganMs = this.#now();
  }
}

/** Works on items one after the other, in turns with everything else. */
export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void, options?: TurnOptions): Promise<void> {
  const turns = new Turns(options);
  for (const item of items) {
    work(item);
    if (turns.over(false)) await turns.next();
  }
}

/**
 * Works on the devices of each batch by rank, controllers first, in turns with everything else. `work` answers whether the
 * device was cheap: one that only repeats what was known.
 */
export async function byRank(
  batches: ReadonlyArray<Promise<Iterable<Device>>>,
  work: (device: Device) => boolean,
  options?: TurnOptions,
): Promise<void> {
  const turns = new Turns(options);
  for (const batch of batches) {
    for (const device of inOrderOfRank(await batch)) {
      if (turns.over(work(device))) await turns.next();
    }
  }
}
