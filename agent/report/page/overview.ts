/** The head of a page: which machine it is, the verdict on it, and the figures. Builds text only. */
import type { Snapshot } from '../../explain/snapshot/snapshot.ts';
import type { Fate } from '../../records/replay.ts';
import type { HealthState } from '../../explain/doctor/health.ts';
import { counted } from '../../base/words.ts';
import { duration } from '../terminal.ts';
import { html, type Markup } from './markup.ts';
import { STANDINGS, standingOf, type Standing } from './standing.ts';

/** The verdict in a sentence, and how it stands. */
export interface Headline {
  readonly standing: Standing;
  readonly text: string;
  readonly more: string;
}

/** What a reader should know first: a recorded machine's losses, then what the checks found. */
export function headline({ checks, devices, recorded, noTree, kernel }: Snapshot): Headline {
  const state = (word: HealthState) => checks.filter((check) => check.state === word).length;
  const [wrong, warnings] = [state('wrong'), state('warning')];
  const checked =
    wrong > 0 ? `${counted(wrong, 'check')} of the tree ${wrong === 1 ? 'finds' : 'find'} something wrong.` : '';
  if (noTree !== undefined && recorded !== undefined)
    return {
      standing: 'idle',
      text: 'The machine as it was recorded',
      more: 'There is no module tree here to judge it by.',
    };
  if (recorded !== undefined) {
    const count = (...fates: ReadonlyArray<Fate | undefined>) =>
      devices.filter(({ fate }) => fates.includes(fate)).length;
    const [kept, untold, lost] = [count('kept'), count('unknown'), count('lost', 'replaced', 'no-firmware')];
    const driven = kept + untold + lost;
    const rest = untold === 0 ? '' : ` For ${untold} it cannot be told.`;
    const of = `With ${kernel} ${kept} of ${counted(driven, 'device')} would have ${driven === 1 ? 'its' : 'their'} driver.`;
    if (lost === 0)
      return {
        standing: untold > 0 ? 'warn' : 'good',
        text: 'Every driver that can be judged would be there',
        more: `${of}${rest} ${checked}`,
      };
    return {
      standing: 'bad',
      text: `${counted(lost, 'device')} would lose what ${lost === 1 ? 'it has' : 'they have'}`,
      more: `${of}${rest} ${checked}`,
    };
  }
  const failing = devices.filter((device) => standingOf(device) === 'bad').length;
  const without = devices.filter((device) => standingOf(device) === 'warn').length;
  const rest = [
    failing > 0 ? `${counted(failing, 'device')} ${failing === 1 ? 'fails' : 'fail'}` : '',
    without > 0 ? `${counted(without, 'device')} ${without === 1 ? 'has' : 'have'} no driver` : '',
  ].filter((part) => part !== '');
  const more = rest.length === 0 ? 'Every device that needs a driver has one.' : `${rest.join(', ')}.`;
  if (wrong > 0)
    return { standing: 'bad', text: `${counted(wrong, 'thing')} ${wrong === 1 ? 'is' : 'are'} wrong`, more };
  if (failing > 0)
    return { standing: 'bad', text: `${counted(failing, 'device')} ${failing === 1 ? 'does' : 'do'} not work`, more };
  if (warnings > 0) return { standing: 'warn', text: `Nothing is wrong, ${counted(warnings, 'thing')} to know`, more };
  return { standing: 'good', text: 'Nothing is wrong', more };
}

/** The head of the page. */
export function overview(snapshot: Snapshot): Markup {
  const { title, architecture, root, made, recorded, devices, modules, run } = snapshot;
  const { standing, text, more } = headline(snapshot);
  const counts = STANDINGS.map(
    ([each, words]) => [each, words, devices.filter((device) => standingOf(device) === each).length] as const,
  );
  const loaded = modules.filter(({ state }) => state === 'live' || state === 'coming').length;
  return html`<section class="overview" aria-labelledby="h-machine">
    <h1 id="h-machine">${title}</h1>
    <p class="facts">
      ${fact('Linux', judgingKernel(snapshot))}${fact('for', architecture)}${root !== '/' && fact('in', root)}${recorded !== undefined && fact('recorded', recorded.date === undefined ? recorded.file : html`<time>${recorded.date.replace('T', ' ').replace('Z', ' UTC')}</time>`)}${recorded?.kernel !== undefined && fact('on Linux', recorded.kernel)}${fact('this page', html`<time datetime="${made}">${made.replace('T', ' ').replace('Z', ' UTC')}</time>`)}
    </p>
    <div class="headline ${standing}">
      <p class="sentence">${text}</p>
      <p>${more}</p>
    </div>
    <dl class="figures">
      <div>
        <dt>devices</dt>
        <dd>${devices.length}</dd>
      </div>
      ${counts
        .map(
          ([each, words, count]) =>
            count > 0 &&
            html`<div class="${each}">
              <dt>${words}</dt>
              <dd>${count}</dd>
            </div> `,
        )
        .filter((item) => item !== false)}
      <div>
        <dt>${recorded === undefined ? 'modules loaded' : 'modules to load'}</dt>
        <dd>${recorded === undefined ? loaded : modules.filter(({ state }) => state === 'planned').length}</dd>
      </div>
      ${
        run !== undefined &&
        html`<div>
          <dt>to load them</dt>
          <dd>${duration(run.wallMs)}</dd>
        </div> `
      }
    </dl>
    ${proportions(counts)}
  </section> `;
}

/** The kernel whose modules the page judges by; undefined for a recording without a tree, which has nothing to do with the kernel here. */
export function judgingKernel({ kernel, recorded, noTree }: Snapshot): string | undefined {
  return recorded !== undefined && noTree !== undefined ? undefined : kernel;
}

function fact(label: string, value: string | Markup | undefined): Markup {
  return value === undefined ? html`` : html`<span><span class="label">${label}</span> ${value}</span> `;
}

/** The shares of the standings in one line; the figures above it say the same in words. */
function proportions(counts: ReadonlyArray<readonly [Standing, string, number]>): Markup {
  const total = counts.reduce((sum, [, , count]) => sum + count, 0);
  if (total === 0) return html``;
  let from = 0;
  const bars = counts.map(([standing, words, count]) => {
    const [x, width] = [(from / total) * 100, (count / total) * 100];
    from += count;
    return html`<rect class="${standing}" x="${percent(x)}" width="${percent(width)}" height="6"
      ><title>${words}: ${count}</title></rect
    >`;
  });
  return html`<svg class="shares" width="100%" height="6" aria-hidden="true">${bars}</svg> `;
}

/** `12.5%`, as attributes of SVG take it. */
export function percent(value: number): string {
  return `${Math.round(value * 1000) / 1000}%`;
}
