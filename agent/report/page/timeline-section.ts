/** The timeline of a run in a page: rows of bars on one axis, and the critical path in words. Builds text only. */
import type { ColdplugRun } from '../../records/coldplug-run.ts';
import { counted } from '../../base/words.ts';
import { duration } from '../terminal.ts';
import { criticalPath, isTimed } from '../timeline/critical-path.ts';
import { BARS, markEvery, timelineEnd, timelineRows, type TimelineRow } from '../timeline/timeline-rows.ts';
import { html, type Markup } from './markup.ts';
import { percent } from './overview.ts';

/** The section; `ids` are the modules that have a row in the table below. */
export function timelineSection(run: ColdplugRun, ids: ReadonlySet<string>): Markup {
  const rows = timelineRows(run);
  const end = timelineEnd(run, rows);
  const path = criticalPath(run.modules);
  const critical = new Set<string>(path.map(({ module }) => module));
  const tried = run.modules.filter(isTimed).length;
  const jobs = run.jobs > 0 ? `, ${run.jobs} at a time` : '';
  return html`<section id="timeline" aria-labelledby="h-timeline">
    <h2 id="h-timeline">Timeline <span class="count">${duration(run.wallMs)}</span></h2>
    <p>
      ${counted(tried, 'module')} in ${duration(run.wallMs)}${jobs}.
      ${path.length > 0 && html`What ended last waited for this, step by step (the critical path):`}
    </p>
    ${
      path.length > 0 &&
      html`<ol class="path">
        ${path.map(({ module, startedMs, endedMs }) => html`<li><a href="#m-${module}">${module}</a> <span class="at">${duration(endedMs - startedMs)}</span></li>`)}
      </ol>`
    }
    <ul class="legend" aria-hidden="true">
      ${BARS.filter(([kind]) => rows.some(({ bars }) => bars.some(([bar]) => bar === kind))).map(
        ([kind, , words]) =>
          html`<li>
            <svg width="14" height="10"><rect class="b-${kind}" width="14" height="10" rx="2" /></svg>${words}
          </li>`,
      )}
    </ul>
    <form class="zoom" hidden>
      <label
        ><span class="label">Zoom</span><input type="range" name="zoom" min="0" max="6" step="0.25" value="0" /></label
      ><label class="tick"><input type="checkbox" name="critical" /> only the critical path</label
      ><output class="chain" aria-live="polite"></output>
    </form>
    <div class="scroll" tabindex="0" role="region" aria-label="Timeline">
      <div class="plot">
        <div class="axis" aria-hidden="true">
          <span></span
          ><svg width="100%" height="18">
            ${marks(end).map((ms, i) => html`<text x="${percent((ms / end) * 100)}" y="13" ${i % 2 === 1 && html` class="odd"`}>${markText(ms)}</text>`)}
          </svg>
        </div>
        <svg class="grid" aria-hidden="true" width="100%" height="100%">
          ${marks(end).map((ms) => html`<line x1="${percent((ms / end) * 100)}" x2="${percent((ms / end) * 100)}" y1="0" y2="100%" />`)}
        </svg>
        <ol class="rows">
          ${rows.map((row) => barRow(row, end, critical, ids))}
        </ol>
      </div>
    </div>
  </section> `;
}

function marks(end: number): readonly number[] {
  const step = markEvery(end);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}

/** `250 ms`, `2 s` */
function markText(ms: number): string {
  return ms === 0 ? '0' : ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

function barRow(row: TimelineRow, end: number, critical: ReadonlySet<string>, ids: ReadonlySet<string>): Markup {
  const { label, record, bars, took, title } = row;
  const name =
    record === undefined || !ids.has(label)
      ? html`<span class="tl">${label}</span>`
      : html`<a class="tl" href="#m-${label}">${label}</a>`;
  const waited = record === undefined || record.waitedFor.length === 0 ? undefined : record.waitedFor.join(' ');
  const at = (ms: number) => (ms / end) * 100;
  const first = Math.min(100, ...bars.map(([, from]) => at(from)));
  const last = Math.max(0, ...bars.map(([, , to]) => at(to)));
  // Behind the bar, in front of it, or, where both lack room, in it.
  const [x, anchor] = last < 78 ? [last, 'after'] : first > 22 ? [first, 'before'] : [last, 'inside'];
  const more = waited === undefined ? [] : [`after ${record?.waitedFor.join(', ')}`];
  const words = record === undefined ? took : [...title.slice(1), ...more].join('; ');
  const own = record === undefined ? undefined : html` data-module="${label}"`;
  const after = waited === undefined ? undefined : html` data-after="${waited}"`;
  return html`<li${own}${after}${critical.has(label) && html` class="critical"`}>${name}<svg width="100%" height="20" aria-hidden="true"><title>${words}</title>${bars.map(([kind, from, to]) => html`<rect class="b-${kind}" x="${percent(at(from))}" width="${percent(Math.max(0.12, at(to) - at(from)))}" y="4" height="12" rx="2" />`)}<text class="${anchor}" x="${percent(x)}" y="14" dx="${anchor === 'after' ? 6 : -6}">${took}</text></svg><span class="sr">${words}</span></li>
`;
}
