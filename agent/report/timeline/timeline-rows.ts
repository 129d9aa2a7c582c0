/**
 * A run as rows of bars: first what the main thread was at, then each module in the order of their starts. The chart and the page
 * draw them. Texts are machine text.
 */
import { withoutDevice, type ColdplugRun, type ModuleRecord, type Phase } from '../../records/coldplug-run.ts';
import { duration } from '../terminal.ts';

/** What a bar means: its class, its colour on white, its words in the legend. */
export const BARS = [
  ['phase', '#8e7cc3', "plugd's own work"],
  ['wait', '#c9d6e3', 'waits for modules it needs'],
  ['slot', '#e6ecf2', 'waits for its turn'],
  ['run', '#3b7dbf', 'in its init'],
  ['none', '#b7b7b7', 'its init found no device, or that of a module it needs'],
  ['bad', '#c0392b', 'failed, or a module it needs did'],
  ['open', '#e69138', 'still in its init at the end'],
] as const;
export type Bar = (typeof BARS)[number][0];

const PHASES: Readonly<Record<Phase['name'], string>> = {
  start: 'Node and plugd start',
  rules: 'open indexes and rules',
  devices: 'read devices, plan',
  settle: 'wait for the end',
};

/** One row. */
export interface TimelineRow {
  readonly label: string;
  /** Lines that tell more. */
  readonly title: readonly string[];
  /** How long it took, or why it was not tried. */
  readonly took: string;
  /** The same, and after what. */
  readonly note: string;
  /** What they mean, from and to, ms. */
  readonly bars: ReadonlyArray<readonly [kind: Bar, fromMs: number, toMs: number]>;
  /** Of a module. */
  readonly record?: ModuleRecord;
}

/** All rows of a run; none for one in which nothing was done. */
export function timelineRows(run: ColdplugRun): readonly TimelineRow[] {
  return [...run.phases.map(phaseRow), ...moduleRows(run)];
}

/** Where it ends, ms; at least 1. */
export function timelineEnd(run: ColdplugRun, rows: readonly TimelineRow[]): number {
  return Math.max(1, run.wallMs, ...rows.flatMap(({ bars }) => bars.map(([, , to]) => to)));
}

/** The distance of marks on an axis of this length, ms: at most 12 of them. */
export function markEvery(endMs: number): number {
  return (
    [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000].find((ms) => endMs / ms <= 12) ?? 120_000
  );
}

function phaseRow({ name, startedMs, endedMs }: Phase): TimelineRow {
  const took = duration(endedMs - startedMs);
  return {
    label: PHASES[name],
    title: [`${PHASES[name]}: ${took}`],
    took,
    note: took,
    bars: [['phase', startedMs, endedMs]],
  };
}

/** Modules that were tried, skipped, or are still at it; not those of which nothing was done. */
function moduleRows({ modules, wallMs }: ColdplugRun): readonly TimelineRow[] {
  const absent = withoutDevice(modules);
  return modules
    .filter(({ startedMs, result }) => startedMs !== undefined || result === 'skipped' || result === 'unfinished')
    .toSorted((a, b) => (a.startedMs ?? a.endedMs ?? wallMs) - (b.startedMs ?? b.endedMs ?? wallMs))
    .map((record) => moduleRow(record, wallMs, absent.has(record.module)));
}

function moduleRow(record: ModuleRecord, wallMs: number, absent: boolean): TimelineRow {
  const { result, addedMs, startedMs, endedMs = wallMs, readyMs = startedMs ?? endedMs } = record;
  const after = record.waitedFor.length === 0 ? '' : `  after ${record.waitedFor.join(', ')}`;
  const words =
    result === 'skipped'
      ? `skipped: needs ${record.detail ?? 'a module that failed'}`
      : startedMs === undefined
        ? 'not begun'
        : '';
  const took = words === '' ? duration(endedMs - (startedMs ?? endedMs)) : words;
  const failed = result === 'failed' || result === 'skipped';
  const kind = absent ? 'none' : failed ? 'bad' : result === 'unfinished' ? 'open' : 'run';
  const bars: ReadonlyArray<readonly [Bar, number, number]> = [
    ['wait', addedMs, readyMs],
    ['slot', readyMs, startedMs ?? endedMs],
    // What was skipped has no init: a stroke where that was clear.
    ...(startedMs === undefined && !failed ? [] : [[kind, startedMs ?? endedMs, endedMs] as const]),
  ];
  return {
    label: record.module,
    title: tooltip(record),
    took,
    note: words === '' ? `${took}${after}` : took,
    bars: bars.filter(([bar, from, to]) => to > from || bar === 'bad' || bar === 'none'),
    record,
  };
}

function tooltip({ module, params, result, cause, requester, startedMs, endedMs }: ModuleRecord): readonly string[] {
  const took = startedMs === undefined || endedMs === undefined ? '' : `, ${duration(endedMs - startedMs)}`;
  return [
    `${module} ${params}`,
    `${result}${cause === undefined ? '' : ` (${cause})`}${took}`,
    `asked for by ${requester.subsystem} ${requester.devpath} (${requester.name})`,
  ];
}
