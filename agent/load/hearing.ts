/**
 * What the agent hears from the kernel, and how it finds out what it did not hear.
 *
 * A SEQNUM that never comes has two causes, which look alike: the socket's buffer was full (the uevent is lost for good), or the
 * uevent belongs to another network namespace (containers make and remove network devices all the time). The kernel counts the
 * first kind for each socket; only they are worth a rescan of sysfs. Where that count cannot be read every gap is taken for
 * a loss. The last uevents of a storm leave no gap behind them, so the count is looked at once more when it has become quiet.
 */
import type { Host } from '../base/host.ts';
import { readUeventSeqnum } from '../facts/kernel/kernel-state.ts';
import { readNetlinkQueue } from '../facts/uevents/netlink-queue.ts';
import { openUeventSocket, type UeventCounters, type UeventSocket } from '../facts/uevents/uevent-socket.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { BackgroundBuses } from './background-buses.ts';

/** Where what is heard goes. */
export interface HearingListener {
  uevent(uevent: Uevent): void;
  /** Uevents were lost: `lost` of them by the kernel's count, or by gaps where it does not count. */
  overrun(lost: number): void;
}

/** This long after the last uevent the kernel's count is compared. */
const CALM_MS = 500;
/** In a storm gaps come by the thousand; they are judged together. */
const JUDGE_MS = 100;

/** The uevent socket, and what is known of its losses. */
export class Hearing {
  readonly #host: Host;
  readonly #listener: HearingListener;
  readonly #socket: UeventSocket;
  readonly #firstSeqnum: number;
  #drops: number | undefined;
  /** Count of messages at the last fault(), when the queue was not empty then. */
  #receivedBefore: number | undefined;
  #lastMs = performance.now();
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

  /** Opens the socket; open it before sysfs is read. Errors: `unsupported`. */
  constructor(host: Host, receiveBuffer: number | undefined, listener: HearingListener) {
    this.#host = host;
    this.buses = new BackgroundBuses(host.proc);
    this.#listener = listener;
    this.#firstSeqnum = readUeventSeqnum(host.sysfs) ?? 0;
    const heard = {
      uevent: (uevent: Uevent) => this.#uevent(uevent),
      gap: (from: number, to: number) => this.#gap(to - from + 1),
    };
    this.#socket = receiveBuffer === undefined ? openUeventSocket(heard) : openUeventSocket(heard, receiveBuffer);
    this.#drops = this.#readDrops();
  }

  get counters(): Readonly<UeventCounters> {
    return this.#socket.counters;
  }

  get receiveBuffer(): number {
    return this.#socket.receiveBuffer;
  }

  get seqnum(): number {
    return this.#socket.seqnum;
  }

  /** Milliseconds since the last uevent. */
  get silentMs(): number {
    return performance.now() - this.#lastMs;
  }

  /** Uevents that the kernel has numbered and that have not come (yet), or never will. */
  behind(): number {
    return Math.max(0, (readUeventSeqnum(this.#host.sysfs) ?? 0) - Math.max(this.#firstSeqnum, this.#socket.seqnum));
  }

  /**
   * Whether something lies in the socket's queue. Silence says less: a process that was stopped, or on a busy machine not run
   * for a while, has not heard what waits for it.
   */
  queued(): boolean {
    const queue = readNetlinkQueue(this.#host.proc, this.#socket.portId);
    return typeof queue === 'object' && queue.bytes > 0;
  }

  /** Compares with the kernel's count of lost uevents; tells the listener of new ones. */
  compareDrops(): void {
    clearTimeout(this.#judging);
    this.#judging = undefined;
    const { gaps, missing } = this.#unjudged;
    this.#unjudged = { gaps: 0, missing: 0 };
    const drops = this.#readDrops();
    const more = drops === undefined ? missing : drops - (this.#drops ?? 0);
    this.#drops = drops;
    // A drop may be counted long before the gap it leaves comes out of the buffer.
    this.#unexplained += more - missing;
    if (this.#unexplained < 0) {
      this.foreignGaps += gaps;
      this.#unexplained = 0;
    }
    if (more <= 0) return;
    this.overruns++;
    this.lost += more;
    this.#listener.overrun(more);
  }

  /**
   * What is wrong with the socket, undefined when nothing is: it is still there, and if something lay in its queue when this
   * was last asked and lies there now, something has been received since. Ask seconds apart.
   */
  fault(): string | undefined {
    const queue = readNetlinkQueue(this.#host.proc, this.#socket.portId);
    if (queue === undefined) return undefined;
    if (queue === 'none') return 'the uevent socket is gone';
    const { received } = this.#socket.counters;
    const before = this.#receivedBefore;
    this.#receivedBefore = queue.bytes > 0 ? received : undefined;
    return queue.bytes > 0 && before === received ? 'uevents are not received any more' : undefined;
  }

  close(): void {
    clearTimeout(this.#calm);
    clearTimeout(this.#judging);
    this.#socket.close();
  }

  #uevent(uevent: Uevent): void {
    this.#lastMs = performance.now();
    this.buses.heard(uevent);
    this.#calm ??= setTimeout(() => this.#whenCalm(), CALM_MS);
    this.#listener.uevent(uevent);
  }

  #whenCalm(): void {
    this.#calm = undefined;
    const left = CALM_MS - this.silentMs;
    if (left > 1) this.#calm = setTimeout(() => this.#whenCalm(), left);
    else this.compareDrops();
  }

  #readDrops(): number | undefined {
    const queue = readNetlinkQueue(this.#host.proc, this.#socket.portId);
    return typeof queue === 'object' ? queue.drops : undefined;
  }

  #gap(missing: number): void {
    this.#unjudged.gaps++;
    this.#unjudged.missing += missing;
    this.#judging ??= setTimeout(() => this.compareDrops(), JUDGE_MS);
  }
}
