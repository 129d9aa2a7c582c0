/** The text of `plugd why`. Builds text only. */
import { foreseenText } from '../diagnosis/cause.ts';
import { describe } from '../facts/devices/device-search.ts';
import { labelled, table } from './layout.ts';
import { askedText, clockText } from './ledger-text.ts';
import type { PresentState, Reasons, WayIn } from '../records/reasons.ts';
import { paint, readable, readablePath, type Style, type Terminal } from './terminal.ts';
import { counted, placeText } from '../base/words.ts';

/** Entries shown of lists that may be long; `-v` shows all. */
const SHOWN = 5;
/** Where the texts begin. */
const COLUMN = 13;

/** The explanation of a module for `plugd why`. */
export function reasonsText(reasons: Reasons, terminal: Terminal, verbose: boolean): string {
  const { module, state, path, description } = reasons;
  const lines = [
    paint(
      terminal,
      'bold',
      description === undefined ? readable(module) : `${readable(module)}: ${readable(description)}`,
    ),
  ];
  const row = (label: string, text: string) => lines.push(...labelled(`  ${label}`, text, terminal, COLUMN));
  const list = (label: string, entries: readonly string[]) => {
    const shown = verbose ? entries : entries.slice(0, SHOWN);
    shown.forEach((entry, i) => row(i === 0 ? label : '', entry));
    if (shown.length < entries.length) row('', `and ${entries.length - shown.length} more (-v)`);
  };
  const own = () => {
    if (reasons.dkms === undefined) return;
    row('dkms', readable(`${reasons.dkms.name}: ${reasons.dkms.because}`));
    if (reasons.dkms.remedy !== undefined) row('', readable(reasons.dkms.remedy));
  };
  if (state.kind === 'unknown-module') {
    row('state', `kernel ${reasons.kernel} has no module of this name`);
    own();
    if (reasons.suggestion !== undefined && reasons.dkms === undefined)
      row('', `did you mean ${readable(reasons.suggestion)}?`);
    return `${lines.join('\n')}\n`;
  }
  if (reasons.aliasOf !== undefined)
    row('asked', `${readable(reasons.asked)} is an alias of ${reasons.aliasOf.map(readable).join(', ')}`);
  row('state', stateText(state));
  if (path === undefined && state.kind !== 'builtin')
    row('file', `none in this tree${state.kind === 'absent' ? '' : ': it came from the initramfs, or by insmod'}`);
  if (path !== undefined) row('file', readablePath(path));
  own();
  if (state.kind === 'live' || state.kind === 'coming') row('loaded', loadedText(reasons));
  const devices = reasons.devices.map((device) => {
    const driver = device.driver === undefined ? 'no driver is bound' : `driver ${readable(device.driver)}`;
    return `${readable(describe(device))}, ${driver}, asks with ${readable(device.asks)}`;
  });
  list('asked by', devices.length === 0 ? ['no device here'] : devices);
  list('needed by', reasons.neededBy.length === 0 ? ['no module'] : [summary(reasons.neededBy, verbose)]);
  list('aliases', reasons.aliases.length === 0 ? ['none'] : reasons.aliases.map(readable));
  for (const [i, { text = '', place }] of reasons.rules.entries()) {
    row(i === 0 ? 'rules' : '', `${readable(text)}   ${place === undefined ? '' : readable(placeText(place))}`);
  }
  for (const [i, sentence] of reasons.idleOptions.entries()) row(i === 0 ? 'but' : '', readable(sentence));
  if (reasons.rules.length === 0 && state.kind !== 'builtin') row('rules', 'none is about it');
  if (reasons.refusal !== undefined) {
    lines.push(
      ...labelled(
        '  refused',
        paint(terminal, 'red', `${foreseenText(reasons.refusal.cause, 'it')} (${reasons.refusal.cause})`),
        terminal,
      ),
    );
    for (const fact of reasons.refusal.evidence) row('because', readable(fact));
    if (reasons.refusal.remedy !== undefined) row('remedy', readable(reasons.refusal.remedy));
  }
  if (reasons.ways.length > 0) lines.push('', ...waysTable(reasons.ways, terminal));
  return `${lines.join('\n')}\n`;
}

function stateText({ kind, users, holders, taint }: PresentState): string {
  if (kind === 'builtin') return 'built into the kernel: always there, and no rule keeps it out';
  if (kind === 'absent') return 'not loaded';
  const words = { live: 'loaded', coming: 'being loaded: its init runs', going: 'being removed' }[
    kind as 'live' | 'coming' | 'going'
  ];
  const by = holders.length === 0 ? '' : `: ${holders.map(readable).join(', ')}`;
  const used =
    users === undefined ? '' : users === 0 ? ', in use by nothing' : `, in use ${counted(users, 'time')}${by}`;
  return `${words}${used}${taint === undefined ? '' : `, taints the kernel: ${taint}`}`;
}

function loadedText({ ledger }: Reasons): string {
  if (ledger === undefined) return 'by whom is not known: the agent does not run here';
  const last = ledger.at(-1);
  return last === undefined ? 'before the agent started' : `${clockText(last.time)} ${askedText(last)}`;
}

function summary(modules: readonly string[], verbose: boolean): string {
  const most = verbose ? modules.length : 8;
  const more = modules.length > most ? ` and ${modules.length - most} more` : '';
  return `${counted(modules.length, 'module')}: ${modules.slice(0, most).map(readable).join(', ')}${more}`;
}

const STYLE: Readonly<Record<WayIn['answer'], Style>> = {
  allowed: 'green',
  blocked: 'red',
  command: 'yellow',
  'no-way': 'dim',
  unknown: 'dim',
};
const WORD: Readonly<Record<WayIn['answer'], string>> = {
  allowed: 'allowed',
  blocked: 'blocked',
  command: 'command',
  'no-way': '-',
  unknown: 'unknown',
};

function waysTable(ways: readonly WayIn[], terminal: Terminal): readonly string[] {
  const rows = ways.map(({ way, answer }) => [way, WORD[answer], '']);
  const [title = '', ...lines] = table(
    [{ title: 'WAY IN' }, { title: 'ANSWER' }, { title: 'BECAUSE' }],
    rows,
    Infinity,
  );
  const at = title.indexOf('BECAUSE');
  const out = [paint(terminal, 'bold', title)];
  ways.forEach(({ answer, because, place }, i) => {
    const word = WORD[answer];
    const [first = '', ...more] = labelled(because === '' ? '' : (lines[i] ?? ''), readable(because), terminal, at);
    const line = because === '' ? (lines[i] ?? '') : first;
    out.push(
      line.replace(`  ${word}`, () => `  ${paint(terminal, STYLE[answer], word)}`),
      ...more,
    );
    if (place === undefined) return;
    // A path that is too long for the column begins further left, so that it stays whole.
    const text = readable(placeText(place));
    const indent = Math.max(4, Math.min(at, terminal.width - text.length));
    out.push(paint(terminal, 'dim', ' '.repeat(indent) + text));
  });
  return out;
}
