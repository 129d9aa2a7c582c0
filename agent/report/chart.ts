/**
 * The run as a timeline in SVG, one row a module in the order of their starts, as `systemd-analyze plot` draws units:
 * light = waiting for modules it needs, lighter = waiting for a free slot, full = inside finit_module; red = refused;
 * outlined and joined by a line = the critical path, the chain of causes behind the module that ended last.
 */
import type { ColdplugRun, ModuleRecord } from '../records/coldplug-run.ts';
import { duration, readable } from './terminal.ts';

const ROW = 18;
const LEFT = 190;
const TOP = 74;
const PLOT = 1000;
const RIGHT = 330;

type Timed = ModuleRecord & { readonly startedMs: number; readonly endedMs: number };

/** The whole SVG document. */
export function chart(run: ColdplugRun): string {
  const timed = run.modules
    .filter((record): record is Timed => record.startedMs !== undefined && record.endedMs !== undefined)
    .toSorted((a, b) => a.startedMs - b.startedMs);
  const end = Math.max(1, run.wallMs, ...timed.map((record) => record.endedMs));
  const x = (ms: number) => LEFT + (ms / end) * PLOT;
  const path = criticalPath(timed);
  const row = new Map(timed.map((record, i) => [record.module, TOP + i * ROW]));
  const height = TOP + timed.length * ROW + 30;
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + PLOT + RIGHT}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<style>.wait{fill:#c9d6e3}.slot{fill:#e6ecf2}.run{fill:#3b7dbf}.bad{fill:#c0392b}.crit{stroke:#d35400;stroke-width:2}.join{stroke:#d35400;stroke-width:1.5;fill:none}.grid{stroke:#ddd}.dim{fill:#667}</style>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(
      12,
      22,
      `plugd coldplug, Linux ${run.kernel}: ${timed.length} modules in ${duration(run.wallMs)}, ${run.jobs} at a time`,
      'font-size="15"',
    ),
    text(12, 40, `critical path: ${path.map((record) => record.module).join(' → ') || 'none'}`, 'fill="#d35400"'),
    ...grid(end, x, height),
  ];
  for (const record of timed) {
    const y = row.get(record.module) ?? TOP;
    const ready = record.readyMs ?? record.startedMs;
    const critical = path.includes(record) ? ' crit' : '';
    out.push('<g>', `<title>${escape(title(record))}</title>`);
    out.push(text(LEFT - 6, y + 12, record.module, 'text-anchor="end"'));
    out.push(bar('wait', x(record.addedMs), x(ready), y), bar('slot', x(ready), x(record.startedMs), y));
    out.push(bar((record.result === 'failed' ? 'bad' : 'run') + critical, x(record.startedMs), x(record.endedMs), y));
    const note = `${duration(record.endedMs - record.startedMs)}${record.waitedFor.length === 0 ? '' : `  after ${record.waitedFor.join(', ')}`}`;
    out.push(
      text(x(record.endedMs) + 5, y + 12, note.length > 60 ? `${note.slice(0, 59)}…` : note, 'class="dim"'),
      '</g>',
    );
  }
  for (let i = 1; i < path.length; i++) {
    const [before, after] = [path[i - 1], path[i]];
    if (before === undefined || after === undefined) continue;
    const [y1, y2] = [(row.get(before.module) ?? 0) + ROW / 2, (row.get(after.module) ?? 0) + ROW / 2];
    out.push(`<path class="join" d="M${round(x(before.endedMs))} ${y1} V${y2} H${round(x(after.startedMs))}"/>`);
  }
  return `${out.join('\n')}\n</svg>\n`;
}

/**
 * The chain of causes behind the module that ended last, first cause first: what it waited for longest, or, when it waited
 * for nothing, the module whose driver made its device appear.
 */
export function criticalPath(timed: readonly ModuleRecord[]): readonly Timed[] {
  const known = timed.filter(
    (record): record is Timed => record.startedMs !== undefined && record.endedMs !== undefined,
  );
  const byName = new Map(known.map((record) => [record.module, record]));
  const path: Timed[] = [];
  let at: Timed | undefined = latest(known);
  while (at !== undefined && !path.includes(at)) {
    path.unshift(at);
    const current: Timed = at;
    const needed = current.waitedFor.map((name) => byName.get(name)).filter((record) => record !== undefined);
    at = latest(needed) ?? latest(known.filter((record) => gaveBirth(record, current)));
  }
  return path;
}

function gaveBirth(parent: Timed, child: Timed): boolean {
  return (
    parent.why === 'target' &&
    parent.startedMs < child.addedMs &&
    child.requester.devpath !== parent.requester.devpath &&
    child.requester.devpath.startsWith(`${parent.requester.devpath}/`)
  );
}

function latest(records: readonly Timed[]): Timed | undefined {
  let last: Timed | undefined;
  for (const record of records) if (last === undefined || record.endedMs > last.endedMs) last = record;
  return last;
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

function title(record: Timed): string {
  const asked = `${record.requester.subsystem} ${readable(record.requester.devpath)} (${readable(record.requester.name)})`;
  return `${record.module} ${readable(record.params)}\n${record.result}: ${duration(record.endedMs - record.startedMs)}\nasked for by ${asked}`;
}

function bar(style: string, from: number, to: number, y: number): string {
  return to <= from
    ? ''
    : `<rect class="${style}" x="${round(from)}" y="${y + 3}" width="${Math.max(1, round(to - from))}" height="${ROW - 6}"/>`;
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
