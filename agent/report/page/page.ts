/**
 * One self-contained page of a machine: it needs no network, no script and no other file, and nothing in it that an outsider wrote
 * can become markup. Builds text only.
 */
import { VERSION } from '../../base/version.ts';
import type { Snapshot } from '../../explain/snapshot/snapshot.ts';
import { attentionSection } from './attention-section.ts';
import { checksSection } from './checks-section.ts';
import { deviceNodes, rowOfEach } from './device-nodes.ts';
import { devicesSection, type ShownExplanations } from './devices-section.ts';
import { html, raw, toText, type Markup } from './markup.ts';
import { moduleIds, modulesSection } from './modules-section.ts';
import { judgingKernel, overview } from './overview.ts';
import { pageFiles, policySource } from './page-files.ts';
import { timelineSection } from './timeline-section.ts';
import { trustSections } from './trust-section.ts';

/** The whole HTML document. */
export function page(snapshot: Snapshot): string {
  const { devices, checks, title, run } = snapshot;
  const kernel = judgingKernel(snapshot);
  const nodes = deviceNodes(devices);
  const rowOf = rowOfEach(nodes, devices);
  const shown: ShownExplanations = new Map();
  const attention = attentionSection(devices, rowOf, shown);
  const timeline = run === undefined ? html`` : timelineSection(run, moduleIds(snapshot));
  const trust = trustSections(snapshot);
  const sections = html`${overview(snapshot)}${attention}${checks.length > 0 && checksSection(checks)}${devicesSection(nodes, shown, devices.length)}${timeline}${modulesSection(snapshot, rowOf)}${trust}`;
  const { style, script } = pageFiles();
  const policy = `default-src 'none'; style-src ${policySource(style)}; script-src ${policySource(script)}; base-uri 'none'; form-action 'none'`;
  return toText(
    html`${raw('<!doctype html>')}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta http-equiv="Content-Security-Policy" content="${raw(policy)}" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="referrer" content="no-referrer" />
          <meta name="generator" content="plugd ${VERSION}" />
          <title>${title}${kernel !== undefined && html`, Linux ${kernel}`}: plugd report</title>
          ${raw(`<style>${style}</style>`)}
        </head>
        <body>
          <a class="skip" href="#main">Skip to the contents</a>
          <header><span class="brand">plugd report</span>${contents(toText(sections))}</header>
          <main id="main">${sections}</main>
          <footer>
            Made by plugd ${VERSION}. Nothing in this page loads anything from elsewhere.<span class="keys" hidden>
              Keys: <kbd>/</kbd> search, <kbd>&uarr;</kbd> <kbd>&darr;</kbd> go through the devices, <kbd>&rarr;</kbd>
              <kbd>&larr;</kbd> open and close.</span
            >
          </footer>
          ${raw(`<script>${script}</script>`)}
        </body>
      </html> `,
  );
}

const CONTENTS = [
  ['attention', 'Attention'],
  ['checks', 'Checks'],
  ['devices', 'Devices'],
  ['timeline', 'Timeline'],
  ['modules', 'Modules'],
  ['dkms', 'Out-of-tree'],
  ['keys', 'Keys'],
] as const;

/** Links to the sections that are there. */
function contents(sections: string): Markup {
  const there = CONTENTS.filter(([id]) => sections.includes(`<section id="${id}"`));
  return html`<nav aria-label="Sections">
    <ul>
      ${there.map(([id, words]) => html`<li><a href="#${id}">${words}</a></li>`)}
    </ul>
  </nav>`;
}
