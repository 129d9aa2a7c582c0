/** Runs kinds of input in a process of their own and watches it: hangs, crashes and memory are failures of the input it was reading. */
import { fork } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CURRENT_HEADER,
  type InputFailure,
  type KindReport,
  type KindSource,
  type Limits,
  type RunMessage,
  type RunRequest,
} from './run.ts';

/** What to fuzz, and how long. */
export interface FuzzOptions {
  readonly kinds: readonly KindSource[];
  readonly seed: number;
  /** For each kind; what ends first ends it. */
  readonly inputs: number;
  readonly seconds: number;
  readonly limits?: Limits;
}

/** How one kind did. */
export interface FuzzResult {
  readonly name: string;
  readonly report: KindReport;
  readonly failures: readonly InputFailure[];
}

/** A run over 2 s of processor time or 300 MiB is a failure. Processor time, so that a busy machine makes nothing fail. */
export const LIMITS: Limits = { cpuMs: 2000, memoryMib: 300 };

const POLL_MS = 100;
/** A reader that waits takes no processor time; this long no reader waits, however busy the machine. */
const LONGEST_WAIT_MS = 120_000;
/** sysconf(_SC_CLK_TCK): the unit of times in /proc, 10 ms on every Linux that Node runs on. */
const TICK_MS = 10;
/** Beyond this the process is ended at once, before the machine suffers. */
const MOST_MIB = 2048;

/** Fuzzes the kinds one after the other in one process; after a hang or a crash another takes over behind that input. */
export async function fuzz(
  options: FuzzOptions,
  told: (result: FuzzResult) => void = () => {},
): Promise<readonly FuzzResult[]> {
  const dir = mkdtempSync(join(tmpdir(), 'plugd-fuzz-'));
  const results: FuzzResult[] = [];
  try {
    let left = options.kinds;
    let from = 0;
    let failures: InputFailure[] = [];
    while (left.length > 0) {
      const ended = await runProcess(
        { ...options, kinds: left, limits: options.limits ?? LIMITS, current: join(dir, 'current'), from },
        join(dir, 'request'),
        (name, report, own) => {
          const result = { name, report, failures: [...failures, ...own] };
          failures = [];
          results.push(result);
          told(result);
        },
      );
      left = ended.left;
      from = 0;
      if (ended.failure === undefined) continue;
      failures = [...failures, ...ended.own, ended.failure];
      from = ended.failure.number + 1;
      if (failures.length < 3) continue;
      const [first, ...rest] = left;
      const result = { name: first?.name ?? '', report: { inputs: from, slowestMs: 0, peakMib: 0 }, failures };
      results.push(result);
      told(result);
      failures = [];
      left = rest;
      from = 0;
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return results;
}

interface ProcessEnd {
  /** The kinds that are not done; the first of them was being read when the process ended early. */
  readonly left: readonly KindSource[];
  /** The input that ended it. */
  readonly failure: InputFailure | undefined;
  /** Earlier failures of the kind that was being read. */
  readonly own: readonly InputFailure[];
}

async function runProcess(
  request: RunRequest,
  requestFile: string,
  done: (name: string, report: KindReport, failures: readonly InputFailure[]) => void,
): Promise<ProcessEnd> {
  writeFileSync(requestFile, JSON.stringify(request));
  writeFileSync(request.current, Buffer.alloc(CURRENT_HEADER));
  const child = fork(join(import.meta.dirname, 'run.js'), [requestFile], {
    execArgv: ['--max-old-space-size=512'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let left = request.kinds;
  let own: InputFailure[] = [];
  let stopped: string | undefined;
  child.on('message', (message: RunMessage) => {
    if (message.kind === 'failure') own.push(message.failure);
    if (message.kind !== 'end') return;
    done(message.name, message.report, own);
    own = [];
    left = left.filter(({ name }) => name !== message.name);
  });
  const watch = watchdog(child.pid ?? 0, request, (why) => {
    stopped = why;
    child.kill('SIGKILL');
  });
  const status = await new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? `exit status ${code}`));
  });
  clearInterval(watch);
  if (left.length === 0) return { left, failure: undefined, own };
  const current = readFileSync(request.current);
  const length = current.readUInt32LE(4);
  const failure = {
    what: stopped ?? `crashed: ${status}`,
    number: current.readUInt32LE(0) - 1,
    input: current.subarray(CURRENT_HEADER, CURRENT_HEADER + length).toString('base64'),
    originalLength: length,
  };
  return { left, failure, own };
}

/** Calls `stop` when the process is at one input for too long, in processor time or by the clock, or takes too much memory. */
function watchdog(pid: number, { current, limits }: RunRequest, stop: (why: string) => void): NodeJS.Timeout {
  const header = Buffer.alloc(CURRENT_HEADER);
  let reading = -1;
  let cpuBefore = 0;
  let since = 0;
  return setInterval(() => {
    const usage = usageOf(pid);
    const file = openSync(current, 'r');
    readSync(file, header, 0, CURRENT_HEADER, 0);
    closeSync(file);
    if (usage === undefined) return;
    if (usage.mib > MOST_MIB) stop(`took ${Math.round(usage.mib)} MiB of memory`);
    const now = header.readUInt32LE(8);
    if (now !== reading) {
      reading = now;
      cpuBefore = usage.cpuMs;
      since = Date.now();
      // Before its first input the process loads itself.
    } else if (reading > 0 && usage.cpuMs - cpuBefore > limits.cpuMs + 500) {
      stop(`did not end within ${limits.cpuMs} ms of processor time`);
    } else if (reading > 0 && Date.now() - since > LONGEST_WAIT_MS) {
      stop(`waited for ${LONGEST_WAIT_MS / 1000} s`);
    }
  }, POLL_MS);
}

/** Processor time and memory of a process by now; undefined when it is gone. */
function usageOf(pid: number): { readonly cpuMs: number; readonly mib: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // After the name in parentheses: state is field 3, utime 14, stime 15, rss 24 (pages of 4 KiB).
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { cpuMs: ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MS, mib: (fields[21] ?? 0) / 256 };
  } catch {
    return undefined;
  }
}
