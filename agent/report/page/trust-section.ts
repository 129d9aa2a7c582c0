/** Out-of-tree modules and keys in a page. Builds text only. */
import type { ModuleReadiness, Readiness } from '../../dkms/tree/readiness.ts';
import type { Snapshot } from '../../explain/snapshot/snapshot.ts';
import type { KeyRow } from '../../explain/signatures/key-row.ts';
import { html, person, type Markup } from './markup.ts';
import { badge } from './devices-section.ts';
import type { Standing } from './standing.ts';

const READINESS: Readonly<Record<Readiness, readonly [Standing, string]>> = {
  installed: ['good', 'installed'],
  older: ['warn', 'an older version is installed'],
  built: ['warn', 'built, not installed'],
  failed: ['bad', 'its build failed'],
  'no-headers': ['bad', "the kernel's headers are missing"],
  'not-built': ['warn', 'not built'],
  broken: ['bad', 'its sources are missing'],
};

/** The two sections, each where there is something to tell. */
export function trustSections({ outOfTree, keys, kernel }: Snapshot): Markup {
  return html`${
    outOfTree.length > 0 &&
    html`<section id="dkms" aria-labelledby="h-dkms">
      <h2 id="h-dkms">Out-of-tree modules <span class="count">${outOfTree.length}</span></h2>
      <ul class="checks">
        ${outOfTree.map((one) => moduleRow(one, kernel))}
      </ul>
    </section> `
  }${
    keys.length > 0 &&
    html`<section id="keys" aria-labelledby="h-keys">
      <h2 id="h-keys">Keys <span class="count">${keys.length}</span></h2>
      <ul class="checks">
        ${keys.map(keyItem)}
      </ul>
    </section> `
  }`;
}

function moduleRow({ module, readiness, log, elsewhere }: ModuleReadiness, kernel: string): Markup {
  const [standing, words] = READINESS[readiness];
  const also = elsewhere.length === 0 ? '' : `; also for ${elsewhere.join(', ')}`;
  return html`<li class="check">
    ${badge(standing, readiness)} <span class="title">${person(module.name)} ${person(module.version)}</span>
    <span class="summary">${words} for ${kernel}${also}</span
    >${log !== undefined && html`<p class="remedy"><span class="label">log</span> <code>${person(log)}</code></p>`}
  </li> `;
}

function keyItem({ subject, id, trust, kind, to, rings, places, waits, revokedBy }: KeyRow): Markup {
  const state = trust.state === 'trusted' ? badge('good', 'trusted') : badge('idle', trust.state);
  const facts = [
    kind,
    to === undefined ? undefined : `until ${to.slice(0, 10)}`,
    rings.length + places.length === 0 ? undefined : `in ${[...rings, ...places].join(', ')}`,
    waits === undefined
      ? undefined
      : waits === 'enroll'
        ? 'to be enrolled at the next boot'
        : 'to be deleted at the next boot',
    revokedBy === undefined ? undefined : `revoked by ${revokedBy.join(', ')}`,
  ].filter((text) => text !== undefined);
  const why = trust.state === 'trusted' ? undefined : html`<p class="at">${person(trust.why ?? '')}</p>`;
  return html`<li class="check">
    ${state} <span class="title">${person(subject)}</span>
    <span class="summary">${person(facts.join(', '))} <code>${id.slice(0, 16)}</code></span
    >${why}
  </li> `;
}
