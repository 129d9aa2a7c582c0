/** The modules of a page: state, who leads to each, which rules are about it. Builds text only. */
import { placeText } from '../../base/words.ts';
import type { Snapshot, SnapshotModule } from '../../explain/snapshot/snapshot.ts';
import type { ColdplugRun, ModuleRecord } from '../../records/coldplug-run.ts';
import { askedText } from '../ledger-text.ts';
import { duration, readable } from '../terminal.ts';
import { html, type Markup } from './markup.ts';
import { badge } from './devices-section.ts';
import type { Standing } from './standing.ts';

/** Devices of a module that are named. */
const MOST = 4;

const STATES: Readonly<Record<SnapshotModule['state'], readonly [Standing, string]>> = {
  live: ['good', 'loaded'],
  coming: ['good', 'its init runs'],
  going: ['warn', 'being removed'],
  builtin: ['idle', 'built in'],
  absent: ['idle', 'not loaded'],
  planned: ['good', 'to be loaded'],
};

/** A row: a module of the snapshot, of the run, or of both. */
interface Row {
  readonly module: string;
  readonly known?: SnapshotModule | undefined;
  readonly record?: ModuleRecord | undefined;
}

/** The rows of the table, in the order of their names. */
function rowsOf(modules: readonly SnapshotModule[], run: ColdplugRun | undefined): readonly Row[] {
  const records = new Map<string, ModuleRecord>(run?.modules.map((record) => [record.module, record]));
  const rows = modules.map((known): Row => ({ module: known.module, known, record: records.get(known.module) }));
  const there = new Set<string>(modules.map(({ module }) => module));
  const more = [...records.values()].filter(({ module }) => !there.has(module));
  return [...rows, ...more.map((record): Row => ({ module: record.module, record }))].toSorted((a, b) =>
    a.module < b.module ? -1 : 1,
  );
}

/** The modules that have a row. */
export function moduleIds({ modules, run }: Snapshot): ReadonlySet<string> {
  return new Set(rowsOf(modules, run).map(({ module }) => module));
}

/** The section; `rowOf` gives the row of each device. */
export function modulesSection(snapshot: Snapshot, rowOf: ReadonlyMap<number, number>): Markup {
  const rows = rowsOf(snapshot.modules, snapshot.run);
  const timed = rows.some(({ record }) => record?.startedMs !== undefined);
  return html`<section id="modules" aria-labelledby="h-modules">
    <h2 id="h-modules">Modules <span class="count">${rows.length}</span></h2>
    ${
      rows.length === 0
        ? html`<p class="none">${snapshot.noTree ?? 'No module is loaded, and no device leads to one.'}</p>`
        : html`<table role="table">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">Module</th>
                <th role="columnheader" scope="col">State</th>
                ${timed && html`<th role="columnheader" scope="col" class="num">Init</th>`}
                <th role="columnheader" scope="col">Who asks for it</th>
                <th role="columnheader" scope="col">Rules</th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${rows.map((row) => rowOfModule(row, snapshot, rowOf, timed))}
            </tbody>
          </table>`
    }
  </section> `;
}

function rowOfModule(
  { module, known, record }: Row,
  { devices }: Snapshot,
  rowOf: ReadonlyMap<number, number>,
  timed: boolean,
): Markup {
  // What a run did says more than what would be done.
  const planned = known === undefined || (known.state === 'planned' && record !== undefined);
  const [standing, word] = planned ? resultOf(record) : STATES[known.state];
  const users = known?.users === undefined ? '' : known.users === 0 ? ', unused' : `, used by ${known.users}`;
  const rows = [...new Map(known?.devices.map((at) => [rowOf.get(at) ?? at, at])).entries()];
  const links = rows
    .slice(0, MOST)
    .map(([row, at], i) => html`${i > 0 && ', '}<a href="#d${row}">${devices[at]?.name}</a>`);
  const more = rows.length - links.length;
  const needed = known?.neededBy ?? (record?.for === undefined ? [] : [record.for]);
  const init =
    record?.startedMs === undefined || record.endedMs === undefined
      ? undefined
      : duration(record.endedMs - record.startedMs);
  const waited =
    record === undefined || record.waitedFor.length === 0
      ? undefined
      : html`<div class="at">after ${record.waitedFor.join(', ')}</div>`;
  const rules = known?.rules ?? [];
  return html`<tr role="row" id="m-${module}">
    <th role="rowheader" scope="row">${module}</th>
    <td role="cell">${badge(standing, word)}<span class="at">${users}</span></td>
    ${timed && html`<td role="cell" class="num">${init}${waited}</td>`}
    <td role="cell">
      ${links}${more > 0 && ` and ${more} more`}${rows.length === 0 && known?.ledger !== undefined && askedText(known.ledger)}${needed.length > 0 && html`<div class="at">for ${needed.join(', ')}</div>`}
    </td>
    <td role="cell">
      ${rules.map(({ kind, place }) => html`<div>${kind} <span class="at">${readable(placeText(place))}</span></div>`)}
    </td>
  </tr> `;
}

function resultOf(record: ModuleRecord | undefined): readonly [Standing, string] {
  if (record === undefined) return ['idle', ''];
  const bad = record.result === 'failed' && record.cause !== 'no-device';
  return [bad ? 'bad' : record.result === 'inserted' ? 'good' : 'idle', record.cause ?? record.result];
}
