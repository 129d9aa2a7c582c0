/**
 * The process that reads the inputs. Its parent (supervisor.ts) watches it: a reader that hangs or crashes takes only this process
 * with it, and the file `current` holds the input that it was reading.
 *
 *     node dist/test/fuzz/run.js '{"kinds": [{"name": "globs", "url": "file:///…/globs.js"}], "seed": 1, "inputs": 500, …}'
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import { PlugdError } from '../../agent/base/error.ts';
import { Random } from '../fixtures/random.ts';
import type { FuzzKind } from './kind.ts';
import { minimised, nextInput } from './mutation.ts';

/** What to run. */
export interface RunRequest {
  readonly kinds: readonly KindSource[];
  readonly seed: number;
  /** How many inputs a kind gets, or how many seconds; what ends first ends it. */
  readonly inputs: number;
  readonly seconds: number;
  /** What one input may take: processor time in ms, and memory in MiB. */
  readonly limits: Limits;
  /** Where the input that is read now is written: its number, its length, its bytes. */
  readonly current: string;
  /** The first input's number; after a crash a run goes on behind the input that crashed it. */
  readonly from: number;
}

export interface KindSource {
  readonly name: string;
  /** The module that exports it as `kind`. */
  readonly url: string;
}

export interface Limits {
  readonly cpuMs: number;
  readonly memoryMib: number;
}

/** What the process tells its parent. */
export type RunMessage =
  | { readonly kind: 'begin'; readonly name: string }
  | { readonly kind: 'failure'; readonly name: string; readonly failure: InputFailure }
  | { readonly kind: 'end'; readonly name: string; readonly report: KindReport };

/** An input that failed. */
export interface InputFailure {
  readonly what: string;
  readonly number: number;
  /** base64 */
  readonly input: string;
  /** The length before pieces were left out. */
  readonly originalLength: number;
}

/** What a kind's run was like. */
export interface KindReport {
  readonly inputs: number;
  /** Processor time of the slowest input. */
  readonly slowestMs: number;
  /** The most memory that one input added. */
  readonly peakMib: number;
}

/** After this many failures of a kind the rest would be more of the same. */
const MOST_FAILURES = 3;

/**
 * In front of the input's bytes in the file `current`, as u32: the input's number + 1, its length, and a count that grows with each reading,
 * since making a failing input smaller reads it again and again.
 */
export const CURRENT_HEADER = 12;

/** Why an input fails: what was thrown, with where; undefined when it passes. */
export function failureOf(kind: FuzzKind, input: Buffer): string | undefined {
  try {
    kind.read(input);
    return undefined;
  } catch (error) {
    if (error instanceof PlugdError) return undefined;
    if (!(error instanceof Error)) return `threw ${String(error)}`;
    const at = /^ +at .*$/m.exec(error.stack ?? '')?.[0]?.trim() ?? '';
    return `${error.name}: ${error.message.slice(0, 300)} ${at}`;
  }
}

/** Failures are the same when they are thrown at the same line, whatever the message says of the input. */
function originOf(failure: string): string {
  return failure.slice(failure.lastIndexOf(' at ') + 1);
}

/** Peaks of memory. The kernel forgets the last one when 5 is written here; where it does not, only new records show. */
class Memory {
  readonly #reset: number | undefined;

  constructor() {
    try {
      this.#reset = openSync('/proc/self/clear_refs', 'w');
    } catch {
      this.#reset = undefined;
    }
  }

  /** KiB */
  begin(): number {
    if (this.#reset !== undefined) writeSync(this.#reset, '5');
    return process.resourceUsage().maxRSS;
  }

  /** MiB by which the peak has grown. */
  grown(before: number): number {
    return (process.resourceUsage().maxRSS - before) / 1024;
  }
}

/** A seed of its own for each input, so that an input does not depend on those before it. */
export function seedOf(seed: number, number: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0;
}

function runKind(name: string, kind: FuzzKind, request: RunRequest, current: number, memory: Memory): KindReport {
  const { seed, limits } = request;
  const end = Date.now() + request.seconds * 1000;
  let failures = 0;
  let slowestMs = 0;
  let peakMib = 0;
  let readings = 0;
  let number = request.from;
  for (; number < request.inputs && failures < MOST_FAILURES && Date.now() < end; number++) {
    const input = nextInput(kind, new Random(seedOf(seed, number)));
    const header = Buffer.alloc(CURRENT_HEADER);
    header.writeUInt32LE(number + 1, 0);
    header.writeUInt32LE(input.length, 4);
    header.writeUInt32LE(++readings, 8);
    writeSync(current, Buffer.concat([header, input]), 0, undefined, 0);
    const memoryBefore = memory.begin();
    const before = process.cpuUsage();
    const failure = failureOf(kind, input);
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    const mib = memory.grown(memoryBefore);
    slowestMs = Math.max(slowestMs, ms);
    peakMib = Math.max(peakMib, mib);
    const slow = ms > limits.cpuMs ? `took ${Math.round(ms)} ms of processor time` : undefined;
    const large = mib > limits.memoryMib ? `took ${Math.round(mib)} MiB of memory` : undefined;
    const what = failure ?? slow ?? large;
    if (what === undefined) continue;
    failures++;
    const same = (candidate: Buffer) => {
      header.writeUInt32LE(++readings, 8);
      writeSync(current, header, 0, undefined, 0);
      return originOf(failureOf(kind, candidate) ?? '') === originOf(what);
    };
    const least = failure === undefined ? input : minimised(input, same);
    const told = { what, number, input: least.toString('base64'), originalLength: input.length };
    process.send?.({ kind: 'failure', name, failure: told } satisfies RunMessage);
  }
  return { inputs: number, slowestMs, peakMib };
}

if (process.argv[1] === import.meta.filename) {
  const request = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RunRequest;
  const current = openSync(request.current, 'r+');
  const memory = new Memory();
  for (const { name, url } of request.kinds) {
    const { kind } = (await import(url)) as { readonly kind: FuzzKind };
    process.send?.({ kind: 'begin', name } satisfies RunMessage);
    const report = runKind(name, kind, request, current, memory);
    process.send?.({ kind: 'end', name, report } satisfies RunMessage);
  }
  process.disconnect?.();
}
