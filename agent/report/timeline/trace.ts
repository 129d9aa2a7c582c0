/**
 * The run in the Trace Event Format, which Perfetto (ui.perfetto.dev) and Chrome (chrome://tracing) read: what the main thread
 * was at in one track, and as many tracks of inits as there were at a time. Times are microseconds since the process began.
 *
 *     {"name":"e1000e","cat":"init","ph":"X","ts":812000,"dur":41200,"pid":1,"tid":2,"args":{"result":"inserted",…}}
 *
 * Source: "Trace Event Format", Google, 2016: X complete events, i instants, M metadata.
 */
import { withoutDevice, type ColdplugRun, type ModuleRecord } from '../../records/coldplug-run.ts';
import { isTimed } from './critical-path.ts';
import { readable } from '../terminal.ts';

/** One event; every track is a thread of one process. */
export interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  readonly ph: 'X' | 'i' | 'M';
  readonly ts: number;
  readonly dur?: number;
  /** Of an instant: it is drawn over its own track. */
  readonly s?: 't';
  readonly pid: 1;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A whole trace. */
export interface Trace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
}

const MAIN = 1;

/**
 * The trace of a run; modules that were not tried are instants at the moment when that was clear. `by` is whose work it was.
 *
 *     trace(run).traceEvents[0]   // { name: 'process_name', ph: 'M', …, args: { name: 'plugd coldplug, Linux 6.1.0' } }
 */
export function trace(run: ColdplugRun, by: 'coldplug' | 'agent' = 'coldplug'): Trace {
  const absent = withoutDevice(run.modules);
  const events: TraceEvent[] = run.phases.map(({ name, startedMs, endedMs }) => ({
    name,
    cat: 'phase',
    ph: 'X',
    ts: micro(startedMs),
    dur: micro(endedMs - startedMs),
    pid: 1,
    tid: MAIN,
    args: {},
  }));
  /** When each track is free again. */
  const free: number[] = [];
  for (const record of run.modules.filter(isTimed).toSorted((a, b) => a.startedMs - b.startedMs)) {
    const { startedMs, endedMs } = record;
    const found = free.findIndex((ms) => ms <= startedMs);
    const track = found < 0 ? free.length : found;
    free[track] = endedMs;
    events.push({
      name: readable(record.module),
      cat: 'init',
      ph: 'X',
      ts: micro(startedMs),
      dur: micro(endedMs - startedMs),
      pid: 1,
      tid: MAIN + 1 + track,
      args: facts(record, absent.has(record.module)),
    });
  }
  for (const record of run.modules) {
    if (record.startedMs !== undefined || record.endedMs === undefined) continue;
    events.push({
      name: readable(record.module),
      cat: record.result,
      ph: 'i',
      ts: micro(record.endedMs),
      s: 't',
      pid: 1,
      tid: MAIN,
      args: facts(record, absent.has(record.module)),
    });
  }
  return {
    traceEvents: [
      named('process_name', MAIN, `plugd ${by}, Linux ${readable(run.kernel)}`),
      named('thread_name', MAIN, 'plugd'),
      ...free.map((_, i) => named('thread_name', MAIN + 1 + i, `inits ${i + 1}`)),
      ...events,
    ],
    displayTimeUnit: 'ms',
  };
}

function named(name: string, tid: number, text: string): TraceEvent {
  return { name, ph: 'M', ts: 0, pid: 1, tid, args: { name: text } };
}

function facts({ result, cause, detail, addedMs, readyMs, startedMs, ...record }: ModuleRecord, absent: boolean) {
  return {
    result,
    cause,
    detail,
    noDevice: absent ? true : undefined,
    parameters: record.params === '' ? undefined : readable(record.params),
    device: readable(record.requester.devpath),
    askedAs: readable(record.requester.name),
    waitedFor: record.waitedFor.map(readable),
    waitedForModulesMs: readyMs === undefined ? undefined : readyMs - addedMs,
    waitedForItsTurnMs: readyMs === undefined || startedMs === undefined ? undefined : startedMs - readyMs,
  };
}

function micro(ms: number): number {
  return Math.round(ms * 1000);
}
