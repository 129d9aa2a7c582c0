/** Node's globals, and the functions that the event loop of the C side calls. First of all imports: the others need them. */
import { host } from './host.ts';
import { Bytes } from './node/bytes.ts';
import { liteProcess } from './process.ts';
import { signalName } from './signals.ts';
import { dueWork, idleMs, isHeld, takeImmediates, TIMERS } from './timers.ts';

/** Only as far as plugd goes: a path relative to a file's URL. */
class FileUrl {
  readonly href: string;

  constructor(path: string, base: string) {
    this.href = base.replace(/[^/]*$/, '') + path;
  }

  toString(): string {
    return this.href;
  }
}

/** No other thread ever wakes one up: to wait is to sleep. */
const ATOMICS = { wait: (_cells: Int32Array, _at: number, _value: number, ms: number) => host.sleep(ms) };

Object.assign(globalThis, TIMERS, {
  Buffer: Bytes,
  process: liteProcess,
  URL: FileUrl,
  performance: { now: () => 1000 * host.uptime() },
  Atomics: ATOMICS,
  SharedArrayBuffer: ArrayBuffer,
  queueMicrotask: (work: () => void) => {
    void Promise.resolve().then(work).catch(uncaught);
  },
});

/** Hears of exceptions that nobody caught. */
export function onUncaught(work: (error: unknown) => void): void {
  liteProcess.on('uncaughtException', work);
}

/** An exception that nobody caught ends the program. */
function uncaught(error: unknown): void {
  if (!liteProcess.emit('uncaughtException', error)) throw error;
}

/** Does `work`; what it throws goes where Node would bring it. */
function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    uncaught(error);
  }
}

/** Promises that were rejected and that nobody listens to yet. */
const rejected = new Map<Promise<unknown>, unknown>();

Object.assign(globalThis, {
  __call: (work: (...values: unknown[]) => void, ...values: unknown[]) => guarded(() => work(...values)),
  /** Work that is due: whether there was any. */
  __due: () => {
    const work = dueWork();
    if (work !== undefined) guarded(work);
    return work !== undefined;
  },
  __immediates: () => takeImmediates(),
  /** How long the loop may wait, ms; -1 without an end, -2 when nothing of JavaScript's keeps the program alive. */
  __idle: () => {
    const ms = idleMs();
    if (!isHeld()) return -2;
    return ms === Infinity ? -1 : ms;
  },
  __signal: (signal: number) => guarded(() => liteProcess.hear(signal, signalName(signal))),
  __rejected: (promise: Promise<unknown>, reason: unknown, isHandled: boolean) => {
    if (isHandled) rejected.delete(promise);
    else rejected.set(promise, reason);
  },
  /** After the jobs of a turn: what is still rejected is a defect. */
  __settled: () => {
    for (const [promise, reason] of rejected) {
      rejected.delete(promise);
      uncaught(reason);
    }
  },
});
