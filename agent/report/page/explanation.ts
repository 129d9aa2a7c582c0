/** Why a device has its driver or has none, as a list of facts: what `plugd test` tells, in a page. Builds text only. */
import type { Place } from '../../base/names.ts';
import type { SnapshotDevice } from '../../explain/snapshot/snapshot.ts';
import { isServed, verdictText } from '../../diagnosis/verdict.ts';
import { counted, placeText } from '../../base/words.ts';
import type { CandidateReport, RequestReport, StepReport } from '../../records/investigation.ts';
import { readable } from '../terminal.ts';
import { html, type Markup, type Piece } from './markup.ts';

/** MODALIASes and names shown of a row of many devices. */
const MOST_NAMES = 60;

/** A row of the list; none for an empty text. */
export function fact(label: string, ...texts: readonly Piece[]): Markup {
  return html`<div>
    <dt>${label}</dt>
    ${texts.map((text) => html`<dd>${text}</dd>`)}
  </div>`;
}

/** What differs between the devices of a row: their paths. */
export function identity(devices: readonly SnapshotDevice[]): Markup {
  const [first] = devices;
  if (first === undefined) return html``;
  const what = first.hardware === undefined ? html`` : fact('is', first.hardware);
  if (devices.length === 1) return html`${what}${fact('path', html`<code>${first.devpath}</code>`)}`;
  const names = devices.slice(0, MOST_NAMES).map(({ name }) => html`<code>${name}</code> `);
  const more = devices.length - names.length;
  return html`${what}${fact('path', html`<code>${first.devpath}</code>`)}${fact(`${devices.length} alike`, html`${names}${more > 0 && `and ${more} more`}`)}`;
}

/** What they have in common: what they ask for, what that leads to, the verdict. */
export function explanation(device: SnapshotDevice): Markup {
  const { modaliases, requests, verdict, reason, because, evidence, remedy, fate } = device;
  const label = isServed(verdict) && (fate === undefined || fate === 'kept') ? 'note' : 'because';
  const shown = fate === undefined || fate === 'kept' || fate === 'none' ? '' : `${fate}: `;
  return html`${driverFact(device)}${modaliases.length > 0 && fact('asks with', ...modaliases.slice(0, 4).map(modalias))}${requests.map(requestFacts)}${fact('verdict', html`${shown}<b>${verdictText(device)}</b>: ${reason}`)}${because !== undefined && fact('because', because)}${evidence.length > 0 && fact(label, ...evidence)}${
    remedy !== undefined &&
    html`<div class="remedy">
      <dt>remedy</dt>
      <dd>${remedy}</dd>
    </div>`
  }`;
}

function driverFact({ driver, driverModule, fate }: SnapshotDevice): Markup {
  const label = fate === undefined ? 'driver' : 'driver then';
  if (driver === undefined) return fact(label, fate === undefined ? 'none is bound' : 'none was bound');
  const where =
    driverModule === undefined ? (fate === undefined ? ', inside the kernel' : '') : `, in module ${driverModule}`;
  return fact(label, html`<b>${driver}</b>${where}`);
}

function modalias(text: string): Markup {
  return html`<code>${text}</code>`;
}

function requestFacts({ name, rule, malformed, candidates }: RequestReport): Markup {
  const asked = rule === undefined ? undefined : fact('a rule asks', html`<code>${name}</code> ${at(rule)}`);
  if (malformed !== undefined) return html`${asked}${fact('matches', `nothing can: ${malformed}`)}`;
  return html`${asked}${candidates.map((candidate) => candidateFacts(candidate, candidates.length > 1))}`;
}

function candidateFacts(candidate: CandidateReport, several: boolean): Markup {
  const { module, pattern, source, place, rules, steps, notes, verdict, reason } = candidate;
  const by = pattern === module ? undefined : html` by <code>${pattern}</code>`;
  const own = several ? html`<b>${module}</b>: ` : undefined;
  const applied = rules.filter(({ text }) => text !== undefined);
  return html`${fact('matches', html`<b>${module}</b>${by} <span class="at">${source}${place !== undefined && `, ${readable(placeText(place))}`}</span>`)}${applied.map(({ text = '', place: where, remark }) => fact('rule', html`${own}<code>${text}</code> ${where !== undefined && at(where)} ${remark}`))}${steps.length > 1 && fact('plan', planOf(steps))}${steps.flatMap(({ refusal, module: of, required }) => (refusal === undefined || required ? [] : [fact('note', `${of} would be refused (${refusal.cause}), which stops nothing`)]))}${notes.map(({ message, place: where }) => fact('note', html`${message} ${at(where)}`))}${several && fact('so', html`<b>${module}</b> ${verdictText({ verdict, cause: candidate.cause })}: ${reason}`)}`;
}

/** `mdio → libphy → e1000e`, what is loaded already in grey. */
function planOf(steps: readonly StepReport[]): Markup {
  const loaded = steps.filter(({ state }) => state === 'live' || state === 'builtin').length;
  const words = steps.map(
    ({ module, state, why }, i) =>
      html`${i > 0 && ' → '}<span
          class="${state === 'live' || state === 'builtin' ? 'there' : 'step'}"
          title="${WHY[why]}"
          >${module}</span
        >`,
  );
  return html`${words}${loaded > 0 && loaded < steps.length && html` <span class="at">${counted(loaded, 'of them is', 'of them are')} loaded already</span>`}`;
}

const WHY: Readonly<Record<StepReport['why'], string>> = {
  target: 'asked for',
  depends: 'needed',
  'softdep-pre': 'softdep before',
  'softdep-post': 'softdep after',
};

function at(place: Place): Markup {
  return html`<span class="at">${readable(placeText(place))}</span>`;
}
