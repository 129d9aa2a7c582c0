/**
 * The test's side of the agent in the machine (guest.c, which describes the frames): starts programs there and gathers what
 * they wrote and how they ended.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** How a program in the machine ended. */
export interface GuestResult {
  /** Exit status, or minus the signal that ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from before exec to the exit, by the guest's CLOCK_MONOTONIC. */
  readonly wallMs: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly maxRssKiB: number;
  /** True if it was killed because its time was over. */
  readonly timedOut: boolean;
}

/** How to run a program. */
export interface GuestOptions {
  /** Milliseconds after which it is killed; ten minutes unless told, since the guest's clock does not wait for a busy host. */
  readonly timeout?: number;
  /** Variables added to the agent's own PATH, HOME, TERM and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Gets output as it comes instead of at the end; `terminal` also gives the program a terminal of 80 columns. */
  readonly onOutput?: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
  readonly terminal?: boolean;
}

/** A program running in the machine. */
export interface GuestProgram {
  /** Its end. Rejects only when the machine ends first. */
  readonly ended: Promise<GuestResult>;
  /** Sends it a signal by number: 15. */
  kill(signal: number): Promise<void>;
  /** What it has written so far, when it was started with `onOutput`. */
  readonly soFar: { stdout: string; stderr: string };
}

interface Running {
  readonly output: Buffer[];
  readonly error: Buffer[];
  readonly options: GuestOptions;
  readonly soFar: { stdout: string; stderr: string };
  readonly done: (result: GuestResult) => void;
  readonly failed: (error: Error) => void;
}

/** Bytes of one frame to the guest: below what its serial driver buffers. */
const CHUNK = 2000;
const HEAD = 9;

/** The connection to a machine's agent. */
export class GuestPort {
  readonly #socket: Socket;
  readonly #running = new Map<number, Running>();
  readonly #emitter = new EventEmitter();
  #received: Buffer = Buffer.alloc(0);
  #lastId = 0;
  #sending: Promise<void> = Promise.resolve();
  #broken: Error | undefined;
  /** Resolves with the milliseconds since the kernel's start at which the agent was there. */
  readonly ready: Promise<number>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.ready = new Promise((done, failed) => {
      this.#emitter.once('ready', done);
      this.#emitter.once('broken', failed);
    });
    this.ready.catch(() => {});
    socket.on('data', (chunk) => this.#receive(chunk));
    // How the connection ended says less than how QEMU did; the machine calls break() with that.
    socket.on('error', () => {});
  }

  /** Ends everything that waits with this error. */
  break(error: Error): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#emitter.emit('broken', error);
    for (const { failed } of this.#running.values()) failed(error);
    this.#running.clear();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= HEAD) {
      const length = this.#received.readUInt32LE(5);
      if (this.#received.length < HEAD + length) return;
      const kind = String.fromCharCode(this.#received[0] ?? 0);
      this.#frame(kind, this.#received.readUInt32LE(1), this.#received.subarray(HEAD, HEAD + length));
      this.#received = this.#received.subarray(HEAD + length);
    }
  }

  #frame(kind: string, id: number, data: Buffer): void {
    if (kind === 'R') this.#emitter.emit('ready', Number(data.toString()) / 1e6);
    if (kind === 'a') this.#emitter.emit('ack');
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (kind === 'o' || kind === 'e') {
      const stream = kind === 'o' ? 'stdout' : 'stderr';
      (kind === 'o' ? running.output : running.error).push(Buffer.from(data));
      if (running.options.onOutput !== undefined) {
        running.soFar[stream] += data.toString();
        running.options.onOutput(Buffer.from(data), stream);
      }
    } else if (kind === 'x') {
      const [status = -1, wall = 0, user = 0, system = 0, rss = 0, late = 0] = data.toString().split(' ').map(Number);
      this.#running.delete(id);
      running.done({
        status,
        stdout: Buffer.concat(running.output).toString(),
        stderr: Buffer.concat(running.error).toString(),
        wallMs: wall / 1e6,
        userMs: user / 1e3,
        systemMs: system / 1e3,
        maxRssKiB: rss,
        timedOut: late === 1,
      });
    }
  }

  /** Sends one request as frames, each after the answer to the one before, and no two requests mixed. */
  async #send(id: number, last: string, data: Buffer): Promise<void> {
    const work = async () => {
      for (let at = 0, first = true; first || at < data.length; at += CHUNK, first = false) {
        const part = data.subarray(at, at + CHUNK);
        const head = Buffer.alloc(HEAD);
        head.write(at + CHUNK < data.length ? 'b' : last, 'latin1');
        head.writeUInt32LE(id, 1);
        head.writeUInt32LE(part.length, 5);
        if (this.#broken !== undefined) throw this.#broken;
        await new Promise<void>((done, failed) => {
          const off = () => {
            this.#emitter.off('ack', acknowledged);
            this.#emitter.off('broken', broken);
          };
          const acknowledged = () => {
            off();
            done();
          };
          const broken = (error: Error) => {
            off();
            failed(error);
          };
          this.#emitter.on('ack', acknowledged);
          this.#emitter.on('broken', broken);
          this.#socket.write(Buffer.concat([head, part]));
        });
      }
    };
    const sent = this.#sending.then(work);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /** Starts a program and does not wait for it. */
  start(program: string, args: readonly string[], options: GuestOptions = {}): GuestProgram {
    const id = ++this.#lastId;
    const variables = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
    const flags = `${options.onOutput === undefined ? '' : 'l'}${options.terminal === true ? 't' : ''}`;
    const { cwd = '/', timeout = 600_000, input = '' } = options;
    const words = [flags, timeout, cwd, args.length + 1, program, ...args, variables.length, ...variables];
    const request = Buffer.concat([Buffer.from(words.map((word) => `${word}\0`).join('')), Buffer.from(input)]);
    const soFar = { stdout: '', stderr: '' };
    const ended = new Promise<GuestResult>((done, failed) => {
      this.#running.set(id, { output: [], error: [], options, soFar, done, failed });
    });
    ended.catch(() => {});
    this.#send(id, 'r', request).catch((error: unknown) => {
      this.#running.get(id)?.failed(error as Error);
      this.#running.delete(id);
    });
    return { ended, soFar, kill: (signal) => this.#send(id, 'k', Buffer.from(String(signal))) };
  }
}
