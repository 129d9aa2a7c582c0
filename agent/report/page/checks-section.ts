/** The doctor's checks in a page: what is not well in full, the rest in short. Builds text only. */
import type { CheckResult, HealthState } from '../../explain/doctor/health.ts';
import { html, type Markup } from './markup.ts';
import { badge } from './devices-section.ts';
import type { Standing } from './standing.ts';

const STANDING: Readonly<Record<HealthState, Standing>> = {
  wrong: 'bad',
  warning: 'warn',
  ok: 'good',
  unknown: 'idle',
};
const ORDER: readonly HealthState[] = ['wrong', 'warning', 'unknown', 'ok'];

/** The section of one check or more: first what is wrong. */
export function checksSection(checks: readonly CheckResult[]): Markup {
  const sorted = checks.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return html`<section id="checks" aria-labelledby="h-checks">
    <h2 id="h-checks">Checks <span class="count">${checks.length}</span></h2>
    <ul class="checks">
      ${sorted.map(checkRow)}
    </ul>
  </section> `;
}

function checkRow({ state, title, summary, evidence = [], remedy }: CheckResult): Markup {
  const facts = html`${
    evidence.length > 0 &&
    html`<ul class="evidence">
      ${evidence.map((one) => html`<li>${one}</li>`)}
    </ul>`
  }${remedy !== undefined && html`<p class="remedy"><span class="label">remedy</span> ${remedy}</p>`}`;
  const head = html`${badge(STANDING[state], state)} <span class="title">${title}</span>
    <span class="summary">${summary}</span>`;
  if (evidence.length === 0 && remedy === undefined) return html`<li class="check">${head}</li> `;
  // What is well opens when somebody asks.
  if (state === 'ok')
    return html`<li class="check">
      <details>
        <summary>${head}</summary>
        ${facts}
      </details>
    </li> `;
  return html`<li class="check">${head}${facts}</li> `;
}
