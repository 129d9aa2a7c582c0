/** The device tree of a page: a row for each device, or each few that are alike, which opens to its explanation. Builds text only. */
import type { SnapshotDevice } from '../../explain/snapshot/snapshot.ts';
import { verdictText } from '../../diagnosis/verdict.ts';
import { html, toText, type Markup } from './markup.ts';
import type { DeviceNode } from './device-nodes.ts';
import { explanation, identity } from './explanation.ts';
import { STANDINGS, standingOf, type Standing } from './standing.ts';

/** An explanation that is longer than this and stands on the page already is only referred to, characters. */
const LONG = 160;

/** Explanations that the page has, by their text: the row that shows each. */
export type ShownExplanations = Map<string, { readonly id: string; readonly name: string }>;

/** The section; `roots` are the rows, `shown` the explanations above it. */
export function devicesSection(roots: readonly DeviceNode[], shown: ShownExplanations, total: number): Markup {
  const buses = [...new Set(roots.flatMap(busesOf))].toSorted();
  return html`<section id="devices" aria-labelledby="h-devices">
    <h2 id="h-devices">Devices <span class="count">${total}</span></h2>
    <form class="filter" role="search" hidden>
      <label class="search"
        ><span class="label">Search</span
        ><input
          type="search"
          name="q"
          autocomplete="off"
          spellcheck="false"
          placeholder="name, driver, MODALIAS&hellip;"
      /></label>
      <label
        ><span class="label">Show</span
        ><select name="standing">
          <option value="">all devices</option>
          ${STANDINGS.map(([standing, words]) => html`<option value="${standing}">${words}</option>`)}
        </select></label
      >
      <label
        ><span class="label">Bus</span
        ><select name="bus">
          <option value="">all buses</option>
          ${buses.map((bus) => html`<option>${bus}</option>`)}
        </select></label
      >
      <span class="buttons"
        ><button type="button" data-do="open">Open all</button
        ><button type="button" data-do="close">Close all</button></span
      >
      <output class="found" aria-live="polite"></output>
    </form>
    ${
      total === 0
        ? html`<p class="none">No device asks for a driver or has one.</p>`
        : html`<ul class="tree">
            ${roots.map((node) => nodeRow(node, shown))}
          </ul>`
    }
  </section> `;
}

function busesOf({ devices, children }: DeviceNode): readonly string[] {
  return [...devices.map(({ subsystem }) => subsystem), ...children.flatMap(busesOf)].filter((bus) => bus !== '');
}

function nodeRow({ at, devices, children }: DeviceNode, shown: ShownExplanations): Markup {
  const [device] = devices;
  if (device === undefined) return html``;
  const id = `d${at}`;
  const name = rangeOf(devices);
  const below =
    children.length > 0 &&
    html`<ul>
      ${children.map((child) => nodeRow(child, shown))}
    </ul>`;
  return html`<li
    id="${id}"
    ${device.subsystem !== '' && html` data-bus="${device.subsystem}"`}
    class="${standingOf(device)}"
  >
    <details>
      <summary>${summaryOf(device, name, devices.length)}</summary>
      <dl>${identity(devices)}${once(device, id, name, shown)}</dl>
    </details>
    ${below}
  </li> `;
}

/** `cpu0 … cpu255` */
export function rangeOf(devices: readonly SnapshotDevice[]): string {
  const [first, last] = [devices[0]?.name ?? '', devices.at(-1)?.name ?? ''];
  return devices.length > 1 ? `${first} … ${last}` : first;
}

function summaryOf(device: SnapshotDevice, name: string, count: number): Markup {
  const { subsystem, driver, hardware, kind } = device;
  const words = hardware ?? (kind === `${subsystem} devices` || kind === 'other devices' ? undefined : kind);
  return html`<span class="names"
      ><span class="name">${name}</span>${count > 1 && html` <span class="times">&times;${count}</span>`}</span
    >
    <span class="bus">${subsystem}</span> <span class="what">${words}</span>
    <span class="driver">${driver}</span> ${mark(device)}`;
}

/** The verdict, or a recorded device's fate, with the shape and colour of its standing. */
export function mark(device: SnapshotDevice): Markup {
  const { fate } = device;
  const word = fate === undefined || fate === 'none' ? verdictText(device) : fate;
  return badge(standingOf(device), word);
}

/** A word with a shape and a colour that mean the same. */
export function badge(standing: Standing, word: string): Markup {
  return html`<span class="mark ${standing}">${word}</span>`;
}

/** The explanation, or a link to the row above that has the same. */
function once(device: SnapshotDevice, id: string, name: string, shown: ShownExplanations): Markup {
  const markup = explanation(device);
  const text = toText(markup);
  const known = shown.get(text);
  if (known !== undefined)
    return html`<div>
      <dt>the rest</dt>
      <dd>as for <a href="#${known.id}">${known.name}</a></dd>
    </div>`;
  if (text.length > LONG) shown.set(text, { id, name });
  return markup;
}
