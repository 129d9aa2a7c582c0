/**
 * One pool of jobs for several makes at a time (GNU make's jobserver). The pool is a pipe with one byte for each job that may begin; make
 * takes one for each job beyond its first, and puts it back. plugd takes one for the first job of each make.
 *
 * Up to make 4.3 a make inherits the pipe's descriptors; from 4.4 on it opens a fifo by its name, which also reaches makes whose parents
 * close descriptors. Here both are the same fifo.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLOCK, type Clock } from '../../../base/clock.ts';
import { runProgram } from './program.ts';

/** The right of one make to run. */
export interface JobSlot {
  /** MAKEFLAGS, by which make finds the pool. `make -jN` on the command line would leave it. */
  readonly env: Readonly<Record<string, string>>;
  /** The pool, which the make inherits as descriptor 3. */
  readonly inherited: readonly number[];
  /** Gives the first job back; to be called once, when no process of the make is left. */
  give(): void;
}

/** A pool of jobs. */
export interface Jobserver {
  readonly slots: number;
  /** Waits until a make may begin; `signal` ends the wait, and the slot is then worth nothing. */
  take(signal?: AbortSignal): Promise<JobSlot>;
  /** How many jobs may begin now. */
  idle(): number;
  close(): void;
}

/** The user whose makes open the fifo, if it is not this process's. */
export interface PoolOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The first descriptor after stdin, stdout and stderr. */
const INHERITED = 3;
const TOKEN = Buffer.from('+');
/** How often plugd looks for a job while makes have them all. */
const LOOK_MS = 20;

/**
 * Opens a pool: `await openJobserver(8)`. A make that was killed cannot give its jobs back; they are there again as soon as no make
 * runs, and until then each of the others still has its first one. Throws what node:fs throws; without mkfifo(1) that is ENOENT.
 */
export async function openJobserver(
  slots: number,
  { clock = CLOCK, owner }: { readonly clock?: Clock; readonly owner?: PoolOwner | undefined } = {},
): Promise<Jobserver> {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-jobs-'));
  const fifo = join(folder, 'pool');
  try {
    execFileSync('mkfifo', ['-m', '600', fifo]);
    if (owner !== undefined) for (const path of [folder, fifo]) chownSync(path, owner.uid, owner.gid);
    // Both ends in one, so that it is open for reading whenever it is written to.
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const auth = (await knowsFifos()) ? `fifo:${fifo}` : `${INHERITED},${INHERITED}`;
    return new Pool(slots, fd, folder, `-j${slots} --jobserver-auth=${auth}`, clock);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Whether make is 4.4 or later. */
async function knowsFifos(): Promise<boolean> {
  const [, major, minor] = /^GNU Make (\d+)\.(\d+)/.exec((await runProgram(['make', '--version'])).output) ?? [];
  return Number(major) > 4 || (Number(major) === 4 && Number(minor) >= 4);
}

class Pool implements Jobserver {
  readonly slots: number;
  readonly #fd: number;
  readonly #folder: string;
  readonly #flags: string;
  readonly #clock: Clock;
  /** Makes that run. */
  #running = 0;
  #closed = false;

  constructor(slots: number, fd: number, folder: string, flags: string, clock: Clock) {
    this.slots = Math.max(1, slots);
    this.#fd = fd;
    this.#folder = folder;
    this.#flags = flags;
    this.#clock = clock;
    this.#put(this.slots);
  }

  async take(signal?: AbortSignal): Promise<JobSlot> {
    const isAborted = () => signal?.aborted ?? false;
    for (;;) {
      // After an abort there is no token to give back.
      if (isAborted()) return { env: {}, inherited: [], give: () => {} };
      if (this.#takeToken()) break;
      await new Promise<void>((resolve) => {
        this.#clock.after(LOOK_MS, resolve);
      });
    }
    this.#running += 1;
    return {
      env: { MAKEFLAGS: this.#flags },
      inherited: [this.#fd],
      give: () => {
        this.#running -= 1;
        if (this.#running > 0) this.#put(1);
        else this.#refill();
      },
    };
  }

  idle(): number {
    const found = this.#drain();
    this.#put(found);
    return found;
  }

  close(): void {
    this.#closed = true;
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** No make runs, so none has a token: what is missing was lost with a make that was killed. */
  #refill(): void {
    this.#drain();
    this.#put(this.slots);
  }

  #drain(): number {
    let count = 0;
    while (this.#takeToken()) count += 1;
    return count;
  }

  #takeToken(): boolean {
    try {
      return !this.#closed && readSync(this.#fd, Buffer.alloc(1)) === 1;
    } catch {
      return false; // EAGAIN: none is there.
    }
  }

  #put(count: number): void {
    for (let i = 0; i < count && !this.#closed; i++) writeSync(this.#fd, TOKEN);
  }
}
