/** What needs attention, in full: the devices that do not work or have no driver, those of one kind and reason together. Builds text only. */
import type { SnapshotDevice } from '../../explain/snapshot/snapshot.ts';
import { counted } from '../../base/words.ts';
import { html, toText, type Markup } from './markup.ts';
import { mark, type ShownExplanations } from './devices-section.ts';
import { explanation } from './explanation.ts';
import { STANDINGS, standingOf } from './standing.ts';

/** Devices of one card that are named; the tree has them all. */
const MOST_NAMED = 12;

interface Card {
  readonly device: SnapshotDevice;
  readonly text: string;
  readonly rows: Array<{ readonly at: number; readonly name: string }>;
}

/** The section, and nothing where all is well. What it explains is added to `shown`; `rowOf` gives the row of each device. */
export function attentionSection(
  devices: readonly SnapshotDevice[],
  rowOf: ReadonlyMap<number, number>,
  shown: ShownExplanations,
): Markup {
  const cards = cardsOf(devices, rowOf);
  if (cards.length === 0) return html``;
  const count = cards.reduce((sum, { rows }) => sum + rows.length, 0);
  return html`<section id="attention" aria-labelledby="h-attention">
    <h2 id="h-attention">Needs attention <span class="count">${count}</span></h2>
    <ul class="cards">
      ${cards.map((card, i) => {
        shown.set(card.text, { id: `a${i}`, name: 'what needs attention' });
        return cardOf(card, `a${i}`);
      })}
    </ul>
  </section> `;
}

function cardsOf(devices: readonly SnapshotDevice[], rowOf: ReadonlyMap<number, number>): readonly Card[] {
  const cards = new Map<string, Card>();
  const order = STANDINGS.map(([standing]) => standing);
  devices.forEach((device, at) => {
    if (!needsAttention(device)) return;
    const text = toText(explanation(device));
    const card = cards.get(text) ?? { device, text, rows: [] };
    cards.set(text, card);
    card.rows.push({ at: rowOf.get(at) ?? at, name: device.name });
  });
  const rank = ({ device }: Card) => order.indexOf(standingOf(device)) * 2 + (device.modaliases.length > 0 ? 0 : 1);
  return [...cards.values()].toSorted((a, b) => rank(a) - rank(b) || b.rows.length - a.rows.length);
}

/** What had no driver when it was recorded loses none. */
function needsAttention(device: SnapshotDevice): boolean {
  const standing = standingOf(device);
  return standing === 'bad' || (standing === 'warn' && device.fate !== 'none');
}

function cardOf({ device, rows }: Card, id: string): Markup {
  const { hardware, kind, subsystem } = device;
  const names = rows.slice(0, MOST_NAMED).map(({ at, name }) => html`<a href="#d${at}">${name}</a> `);
  const more = rows.length - names.length;
  return html`<li class="card ${standingOf(device)}" id="${id}">
    <h3>${hardware ?? kind} ${mark(device)}</h3>
    <p class="which">${subsystem} ${names}${more > 0 && `and ${counted(more, 'more', 'more')}`}</p>
    <dl>${explanation(device)}</dl>
  </li> `;
}
