/**
 * The run as a timeline in SVG, as `systemd-analyze plot` draws units: first what the main thread was at, then a row for each
 * module in the order of their starts. The legend names the colours. Outlined and joined by a line is the critical path, the
 * chain of causes behind the module that ended last.
 */
import type { ColdplugRun } from '../../records/coldplug-run.ts';
import { criticalPath, isTimed, type Timed } from './critical-path.ts';
import { duration, readable } from '../terminal.ts';
import { xmlText } from '../ci/xml-text.ts';
import { BARS, markEvery, timelineEnd, timelineRows } from './timeline-rows.ts';

const ROW = 18;
const TOP = 96;
const PLOT = 1000;
/** Width of a character at most, at 11 pixels. */
const LETTER = 6.6;

/** The whole SVG document. */
export function chart(run: ColdplugRun): string {
  const path = criticalPath(run.modules);
  const rows = timelineRows(run);
  const end = timelineEnd(run, rows);
  const left = 20 + LETTER * Math.max(10, ...rows.map(({ label }) => readable(label).length));
  const right = 20 + LETTER * Math.max(20, ...rows.map(({ note }) => readable(note).length));
  const x = (ms: number) => left + (ms / end) * PLOT;
  const [width, height] = [Math.ceil(left + PLOT + right), top(rows.length) + 30];
  const tried = run.modules.filter(isTimed).length;
  const head = `plugd coldplug, Linux ${run.kernel}: ${tried} modules in ${duration(run.wallMs)}, ${run.jobs} at a time`;
  const names = path.map(({ module }) => module).join(' → ');
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
      `<g><title>${title.map((line) => xmlText(line)).join('\n')}</title>`,
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
  const step = markEvery(end);
  const out: string[] = [];
  for (let ms = 0; ms <= end; ms += step) {
    out.push(`<line class="grid" x1="${round(x(ms))}" y1="${TOP - 8}" x2="${round(x(ms))}" y2="${height - 20}"/>`);
    out.push(text(x(ms), TOP - 12, ms === 0 ? '0' : duration(ms), 'text-anchor="middle" class="dim"'));
  }
  return out;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${y}" ${attributes}>${xmlText(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
