/**
 * What the kernel announces, and how plugd finds out what it did not hear.
 *
 * A SEQNUM that never comes has two causes, which look alike: the socket's buffer was full (the uevent is lost for good), or the
 * uevent belongs to another network namespace (containers make and remove network devices all the time). The kernel counts the
 * first kind for each socket; only they are worth reading sysfs again. Where that count cannot be read, every gap is taken for
 * a loss. The last uevents of a storm leave no gap behind them, so the count is compared once more when all is quiet.
 */
import { PlugdError } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { readUeventSeqnum } from '../facts/kernel/kernel-state.ts';
import { readNetlinkQueue } from '../facts/uevents/netlink-queue.ts';
import {
  NO_UEVENTS,
  openUeventSocket,
  type UeventCounters,
  type UeventSocket,
} from '../facts/uevents/uevent-socket.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { BackgroundBuses } from './background-buses.ts';
import { sinceStart } from './turns.ts';

/** Where what is heard goes. */
export interface HearingListener {
  uevent(uevent: Uevent): void;
  /**
   * Uevents were lost: `lost` of them by the kernel's count, or by gaps where it does not count. With this method the count is
   * compared after gaps and storms, by timers; without it, whenever compareDrops() is called.
   */
  overrun?(lost: number): void;
  /** Handling a uevent threw; the next ones are heard. */
  fault(error: unknown): void;
}

/** How to listen. */
export interface HearingOptions {
  /** SO_RCVBUF in bytes; udevd's 128 MiB when left out. */
  readonly receiveBuffer?: number | undefined;
  /** Go on deaf where a uevent socket is not allowed; `live` is false then. */
  readonly optional?: boolean;
  /** How the socket is opened; openUeventSocket when left out. */
  readonly open?: typeof openUeventSocket;
}

/** The count of lost uevents is compared when no uevent has come for this long. */
const CALM_MS = 500;
/** In a storm gaps come by the thousand; they are judged together. */
const JUDGE_MS = 100;
/** The uevent socket, and what is known of its losses. */
export class Hearing {
  readonly #host: Host;
  readonly #listener: HearingListener;
  readonly #socket: UeventSocket | undefined;
  /** Uevents up to this one need not be heard: sysfs is read after them, or they belong to somebody else. */
  #answered: number;
  /** The kernel's count when it was last compared; a new socket has lost nothing. */
  #drops = 0;
  /** Count of messages at the last fault(), when the queue was not empty then. */
  #receivedBefore: number | undefined;
  #lastMs = sinceStart();
  #calm: NodeJS.Timeout | undefined;
  #judging: NodeJS.Timeout | undefined;
  #unjudged = { gaps: 0, missing: 0 };
  /** Drops whose gaps have not come yet. */
  #unexplained = 0;
  readonly buses: BackgroundBuses;
  /** Gaps that were not losses. */
  foreignGaps = 0;
  overruns = 0;
  lost = 0;

  /** Opens the socket; open it before sysfs is read. Errors: `unsupported`, unless the socket is optional. */
  constructor(host: Host, listener: HearingListener, options: HearingOptions = {}) {
    this.#host = host;
    this.buses = new BackgroundBuses(host.proc);
    this.#listener = listener;
    this.#answered = this.numbered();
    const { open = openUeventSocket, receiveBuffer, optional = false } = options;
    const heard = {
      uevent: (uevent: Uevent) => this.#uevent(uevent),
      gap: (from: number, to: number) => this.#gap(to - from + 1),
      fault: (error: unknown) => this.#listener.fault(error),
    };
    try {
      this.#socket = receiveBuffer === undefined ? open(heard) : open(heard, receiveBuffer);
    } catch (error) {
      if (!optional || !(error instanceof PlugdError) || error.code !== 'unsupported') throw error;
    }
  }

  /** Whether there is a socket. */
  get live(): boolean {
    return this.#socket !== undefined;
  }

  get counters(): Readonly<UeventCounters> {
    return this.#socket?.counters ?? NO_UEVENTS;
  }

  /** SO_RCVBUF in bytes; 0 without a socket. */
  get receiveBuffer(): number {
    return this.#socket?.receiveBuffer ?? 0;
  }

  /** The highest SEQNUM heard; 0 before the first uevent. */
  get seqnum(): number {
    return this.#socket?.seqnum ?? 0;
  }

  /** Milliseconds since the last uevent. */
  get silentMs(): number {
    return sinceStart() - this.#lastMs;
  }

  /** The number of the last uevent that the kernel made, for any namespace; 0 where sysfs does not say. */
  numbered(): number {
    return readUeventSeqnum(this.#host.sysfs) ?? 0;
  }

  /** Uevents that the kernel has numbered and that have not come (yet), or never will; 0 without a socket. */
  behind(): number {
    if (this.#socket === undefined) return 0;
    return Math.max(0, this.numbered() - Math.max(this.#answered, this.#socket.seqnum));
  }

  /** Stops waiting for uevents up to `seqnum`: sysfs is read after them, or they belong to another network namespace. */
  answer(seqnum = this.numbered()): void {
    this.#answered = Math.max(this.#answered, seqnum);
  }

  /**
   * Whether something lies in the socket's queue. Silence says less: a process that was stopped, or that a busy machine did not
   * run for a while, has not heard what waits for it.
   */
  queued(): boolean {
    const queue = this.#queue();
    return typeof queue === 'object' && queue.bytes > 0;
  }

  /**
   * Compares with the kernel's count of lost uevents, and tells the listener of new ones. Answers how many were lost since the
   * last time. `stayedAway`: how many numbered uevents are still missing behind the last one heard; they count as lost where the
   * kernel does not say.
   */
  compareDrops(stayedAway = 0): number {
    clearTimeout(this.#judging);
    this.#judging = undefined;
    const { gaps, missing } = this.#unjudged;
    this.#unjudged = { gaps: 0, missing: 0 };
    const queue = this.#queue();
    const drops = typeof queue === 'object' ? queue.drops : undefined;
    const more = drops === undefined ? missing + stayedAway : drops - this.#drops;
    this.#drops = drops ?? 0;
    // A drop may be counted long before the gap it leaves comes out of the buffer.
    this.#unexplained += more - missing;
    if (this.#unexplained < 0) {
      this.foreignGaps += gaps;
      this.#unexplained = 0;
    }
    if (more <= 0) return 0;
    this.overruns++;
    this.lost += more;
    this.#listener.overrun?.(more);
    return more;
  }

  /**
   * What is wrong with the socket, undefined when nothing is: it is still there, and if something lay in its queue when this
   * was last asked and lies there now, something has been received since. Ask seconds apart.
   */
  fault(): string | undefined {
    const queue = this.#queue();
    if (queue === undefined) return undefined;
    if (queue === 'none') return 'the uevent socket is gone';
    const { received } = this.counters;
    const before = this.#receivedBefore;
    this.#receivedBefore = queue.bytes > 0 ? received : undefined;
    return queue.bytes > 0 && before === received ? 'uevents are not received any more' : undefined;
  }

  close(): void {
    clearTimeout(this.#calm);
    clearTimeout(this.#judging);
    this.#socket?.close();
  }

  #uevent(uevent: Uevent): void {
    this.#lastMs = sinceStart();
    this.buses.heard(uevent);
    if (this.#listener.overrun !== undefined) this.#calm ??= setTimeout(() => this.#whenCalm(), CALM_MS);
    this.#listener.uevent(uevent);
  }

  #whenCalm(): void {
    this.#calm = undefined;
    const left = CALM_MS - this.silentMs;
    if (left > 1) this.#calm = setTimeout(() => this.#whenCalm(), left);
    else this.compareDrops();
  }

  #gap(missing: number): void {
    this.#unjudged.gaps++;
    this.#unjudged.missing += missing;
    if (this.#listener.overrun !== undefined) this.#judging ??= setTimeout(() => this.compareDrops(), JUDGE_MS);
  }

  /** The kernel's account of the socket; undefined where it gives none, or there is no socket. */
  #queue(): ReturnType<typeof readNetlinkQueue> {
    return this.#socket === undefined ? undefined : readNetlinkQueue(this.#host.proc, this.#socket.portId);
  }
}
