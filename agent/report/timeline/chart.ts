/**
 * The run as a timeline in SVG, as `systemd-analyze plot` draws units: first what the main thread was at, then a row for each
 * module in the order of their starts. The legend names the colours. Outlined and joined by a line is the critical path, the
 * chain of causes behind the module that ended last.
 */
import { withoutDevice, type ColdplugRun, type ModuleRecord, type Phase } from '../../records/coldplug-run.ts';
import { criticalPath, isTimed, type Timed } from './critical-path.ts';
import { duration, readable } from '../terminal.ts';

const ROW = 18;
const TOP = 96;
const PLOT = 1000;
/** Width of a character at most, at 11 pixels. */
const LETTER = 6.6;

/** What a bar means: its class, its colour, its words in the legend. */
const BARS = [
  ['phase', '#8e7cc3', "plugd's own work"],
  ['wait', '#c9d6e3', 'waits for modules it needs'],
  ['slot', '#e6ecf2', 'waits for its turn'],
  ['run', '#3b7dbf', 'in its init'],
  ['none', '#b7b7b7', 'its init found no device, or that of a module it needs'],
  ['bad', '#c0392b', 'failed, or a module it needs did'],
  ['open', '#e69138', 'still in its init at the end'],
] as const;
type Bar = (typeof BARS)[number][0];

const PHASES: Readonly<Record<Phase['name'], string>> = {
  start: 'Node and plugd start',
  rules: 'open indexes and rules',
  devices: 'read devices, plan',
  settle: 'wait for the end',
};

/** One row of the chart. */
interface Row {
  readonly label: string;
  readonly title: string;
  readonly note: string;
  readonly bars: ReadonlyArray<readonly [kind: Bar, fromMs: number, toMs: number]>;
  readonly record?: ModuleRecord;
}

/** The whole SVG document. */
export function chart(run: ColdplugRun): string {
  const path = criticalPath(run.modules);
  const rows = [...run.phases.map(phaseRow), ...moduleRows(run)];
  const end = Math.max(1, run.wallMs, ...rows.flatMap(({ bars }) => bars.map(([, , to]) => to)));
  const left = 20 + LETTER * Math.max(10, ...rows.map(({ label }) => label.length));
  const right = 20 + LETTER * Math.max(20, ...rows.map(({ note }) => note.length));
  const x = (ms: number) => left + (ms / end) * PLOT;
  const [width, height] = [Math.ceil(left + PLOT + right), top(rows.length) + 30];
  const tried = run.modules.filter(isTimed).length;
  const head = `plugd coldplug, Linux ${readable(run.kernel)}: ${tried} modules in ${duration(run.wallMs)}, ${run.jobs} at a time`;
  const names = path.map(({ module }) => readable(module)).join(' → ');
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<style>${BARS.map(([kind, colour]) => `.${kind}{fill:${colour}}`).join('')}.crit{stroke:#d35400;stroke-width:2}.join{stroke:#d35400;stroke-width:1.5;fill:none}.grid{stroke:#ddd}.dim{fill:#667}</style>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(12, 22, head, 'font-size="15"'),
    text(12, 40, `critical path: ${names === '' ? 'none' : names}`, 'fill="#d35400"'),
    ...legend(),
    ...grid(end, x, height),
  ];
  rows.forEach(({ label, title, note, bars, record }, i) => {
    const critical = record !== undefined && path.includes(record as Timed) ? ' crit' : '';
    const last = Math.max(0, ...bars.map(([, , to]) => to));
    out.push(
      `<g><title>${escape(title)}</title>`,
      text(left - 6, top(i) + 12, label, 'text-anchor="end"'),
      ...bars.map(([kind, from, to]) => {
        const outlined = kind === 'wait' || kind === 'slot' ? '' : critical;
        return `<rect class="${kind}${outlined}" x="${round(x(from))}" y="${top(i) + 3}" width="${Math.max(1, round(x(to) - x(from)))}" height="${ROW - 6}"/>`;
      }),
      text(x(last) + 5, top(i) + 12, note, 'class="dim"'),
      '</g>',
    );
  });
  const at = (record: Timed) => top(rows.findIndex((row) => row.record === record)) + ROW / 2;
  path.slice(1).forEach((after, i) => {
    const before = path[i];
    if (before !== undefined)
      out.push(
        `<path class="join" d="M${round(x(before.endedMs))} ${at(before)} V${at(after)} H${round(x(after.startedMs))}"/>`,
      );
  });
  return `${out.join('\n')}\n</svg>\n`;
}

/** Where a row begins, pixels. */
function top(row: number): number {
  return TOP + row * ROW;
}

function phaseRow({ name, startedMs, endedMs }: Phase): Row {
  const took = duration(endedMs - startedMs);
  return { label: PHASES[name], title: `${PHASES[name]}: ${took}`, note: took, bars: [['phase', startedMs, endedMs]] };
}

/** Modules that were tried, skipped, or are still at it; not those of which nothing was done. */
function moduleRows({ modules, wallMs }: ColdplugRun): readonly Row[] {
  const absent = withoutDevice(modules);
  return modules
    .filter(({ startedMs, result }) => startedMs !== undefined || result === 'skipped' || result === 'unfinished')
    .toSorted((a, b) => (a.startedMs ?? a.endedMs ?? wallMs) - (b.startedMs ?? b.endedMs ?? wallMs))
    .map((record) => moduleRow(record, wallMs, absent.has(record.module)));
}

function moduleRow(record: ModuleRecord, wallMs: number, absent: boolean): Row {
  const { result, addedMs, startedMs, endedMs = wallMs, readyMs = startedMs ?? endedMs } = record;
  const after = record.waitedFor.length === 0 ? '' : `  after ${record.waitedFor.map(readable).join(', ')}`;
  const words =
    result === 'skipped'
      ? `skipped: needs ${readable(record.detail ?? 'a module that failed')}`
      : startedMs === undefined
        ? 'not begun'
        : '';
  const failed = result === 'failed' || result === 'skipped';
  const kind = absent ? 'none' : failed ? 'bad' : result === 'unfinished' ? 'open' : 'run';
  const bars: ReadonlyArray<readonly [Bar, number, number]> = [
    ['wait', addedMs, readyMs],
    ['slot', readyMs, startedMs ?? endedMs],
    // What was skipped has no init: a stroke where that was clear.
    ...(startedMs === undefined && !failed ? [] : [[kind, startedMs ?? endedMs, endedMs] as const]),
  ];
  return {
    label: readable(record.module),
    title: tooltip(record),
    note: words === '' ? `${duration(endedMs - (startedMs ?? endedMs))}${after}` : words,
    bars: bars.filter(([bar, from, to]) => to > from || bar === 'bad' || bar === 'none'),
    record,
  };
}

function tooltip({ module, params, result, cause, requester, startedMs, endedMs }: ModuleRecord): string {
  const took = startedMs === undefined || endedMs === undefined ? '' : `, ${duration(endedMs - startedMs)}`;
  const asked = `${readable(requester.subsystem)} ${readable(requester.devpath)} (${readable(requester.name)})`;
  return `${readable(module)} ${readable(params)}\n${result}${cause === undefined ? '' : ` (${cause})`}${took}\nasked for by ${asked}`;
}

function legend(): string[] {
  let x = 12;
  return BARS.flatMap(([kind, , words]) => {
    const at = x;
    x += 30 + words.length * LETTER;
    return [
      `<rect class="${kind}" x="${round(at)}" y="54" width="14" height="12"/>`,
      text(at + 19, 64, words, 'class="dim"'),
    ];
  });
}

function grid(end: number, x: (ms: number) => number, height: number): string[] {
  const step =
    [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000].find((ms) => end / ms <= 12) ?? 120_000;
  const out: string[] = [];
  for (let ms = 0; ms <= end; ms += step) {
    out.push(`<line class="grid" x1="${round(x(ms))}" y1="${TOP - 8}" x2="${round(x(ms))}" y2="${height - 20}"/>`);
    out.push(text(x(ms), TOP - 12, ms === 0 ? '0' : duration(ms), 'text-anchor="middle" class="dim"'));
  }
  return out;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${y}" ${attributes}>${escape(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text of ours or of `readable`: what is left to do is XML's own. */
function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
