/**
 * When a coldplug is over: nothing is queued, in flight or unheard, and no bus is about to find more. Lost uevents have sysfs read
 * again first.
 */
import type { Waiting } from '../records/waiting.ts';
import type { Hearing } from './hearing.ts';
import type { Loader } from './loader.ts';
import { nextTurn, pause, sinceStart, within } from './turns.ts';

/** How the wait for the end went. */
export interface ColdplugEnd {
  /** What it still waited for when the time was over; undefined when it settled. */
  readonly unsettled: readonly Waiting[] | undefined;
  /** How often sysfs was read again for lost uevents, or because there is no socket. */
  readonly rescans: number;
}

/** What the wait looks at. */
export interface ColdplugEndOptions {
  /** After this many ms it ends, settled or not. */
  readonly timeoutMs: number;
  readonly loader: Pick<Loader, 'devices'> & {
    readonly modules: Pick<Loader['modules'], 'open' | 'waitingFor' | 'whenIdle'>;
  };
  readonly hearing: Pick<Hearing, 'live' | 'behind' | 'numbered' | 'queued' | 'compareDrops' | 'answer'> & {
    readonly buses: Pick<Hearing['buses'], 'expecting'>;
  };
  /** Reads sysfs again and asks for the drivers of all its devices. */
  readAgain(): Promise<void>;
  /** The clock, ms, and waits by it; those of turns.ts when left out. */
  readonly time?: ColdplugTime;
}

/** A clock, ms, a wait by it, and a wait for some work by it. */
export interface ColdplugTime {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly within: (deadlineMs: number, work: Promise<void>) => Promise<boolean>;
}

/** A seqnum that the kernel counts but this socket never gets belongs to another network namespace. */
const SILENT_SEQNUM_MS = 100;
/** Between two looks at whether more devices are to be expected. */
const PAUSE_MS = 10;

/** Waits for the end of a coldplug. */
export async function coldplugEnd(options: ColdplugEndOptions): Promise<ColdplugEnd> {
  const { loader, hearing, time = { now: sinceStart, pause, within } } = options;
  const deadline = time.now() + options.timeoutMs;
  // Without a socket sysfs is read again until it shows nothing new.
  let gap = !hearing.live;
  let known = -1;
  let rescans = 0;
  for (;;) {
    if (!(await time.within(deadline, loader.modules.whenIdle())))
      return { unsettled: loader.modules.waitingFor(), rescans };
    await nextTurn();
    if (loader.modules.open > 0) continue;
    if (hearing.behind() > 0 && (await stayAway(options, time, deadline))) gap = true;
    if (loader.modules.open > 0) continue;
    const expecting = hearing.buses.expecting();
    if (expecting !== undefined) {
      if (time.now() >= deadline) return { unsettled: [expecting], rescans };
      await time.pause(PAUSE_MS);
      continue;
    }
    if (hearing.compareDrops() > 0) gap = true;
    // What came while the workers were looked at.
    if (!gap && hearing.behind() > 0) continue;
    if (!gap || (!hearing.live && loader.devices === known)) return { unsettled: undefined, rescans };
    known = loader.devices;
    gap = !hearing.live;
    rescans++;
    // Whatever uevents went before, sysfs shows what came of them.
    hearing.answer();
    await options.readAgain();
  }
}

/**
 * Waits for uevents that the kernel has numbered. Those that have not come after a moment, with nothing left in the queue, are
 * lost (true), or they belong to another network namespace, and plugd stops waiting for them.
 */
async function stayAway(options: ColdplugEndOptions, time: ColdplugTime, deadline: number): Promise<boolean> {
  const { loader, hearing } = options;
  const until = Math.min(deadline, time.now() + SILENT_SEQNUM_MS);
  const last = hearing.numbered();
  while (time.now() < until || (hearing.queued() && time.now() < deadline)) {
    await time.pause(2);
    if (hearing.behind() === 0 || loader.modules.open > 0) return false;
  }
  const lost = hearing.compareDrops(hearing.behind()) > 0;
  hearing.answer(last);
  return lost;
}
