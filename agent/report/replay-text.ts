/** The text of `plugd test --replay`. Builds text only. */
import type { Fate, Replay } from '../records/replay.ts';
import { counted } from '../base/words.ts';
import { labelled } from './layout.ts';
import { paint, readable, type Style, type Terminal } from './terminal.ts';
import { verdictText } from '../diagnosis/verdict.ts';

/** The word and the colour of what is shown. */
const SHOWN: Readonly<Partial<Record<Fate, readonly [word: string, style: Style]>>> = {
  lost: ['LOST', 'red'],
  replaced: ['OTHER', 'yellow'],
  unknown: ['UNTOLD', 'yellow'],
};

/** What is lost, replaced, or cannot be told, device by device, and a line of counts. `verbose` also shows successors. */
export function replayText(replay: Replay, terminal: Terminal, verbose: boolean): string {
  const lines: string[] = [];
  for (const device of replay.devices) {
    const successor = verbose && device.fate === 'kept' && device.because !== undefined;
    const [word, style] = SHOWN[device.fate] ?? ['kept', 'dim'];
    if (SHOWN[device.fate] === undefined && !successor) continue;
    const head = `${word.padEnd(8)}${readable(device.subsystem)} ${readable(device.name)}, which ${readable(device.driver ?? 'nothing')} drove: ${verdictText(device)}`;
    lines.push(...labelled('', head, terminal, 0).map((line) => paint(terminal, style, line)));
    if (device.modaliases[0] !== undefined)
      lines.push(...labelled('        ', readable(device.modaliases[0]), terminal, 8));
    if (device.because !== undefined) lines.push(...labelled('', `because ${readable(device.because)}`, terminal, 8));
    if (device.remedy !== undefined) lines.push(...labelled('', `remedy  ${readable(device.remedy)}`, terminal, 8));
  }
  const driven = replay.kept + replay.lost + replay.replaced + replay.unknown;
  const other = replay.replaced === 0 ? '' : `, ${replay.replaced} would have another one`;
  const unknown = replay.unknown === 0 ? '' : `, ${replay.unknown} cannot be told`;
  const counts = `${counted(driven, 'device')} had a driver; with ${replay.kernel} ${replay.kept} would have it, ${replay.lost} would not${other}${unknown}.${replay.none === 0 ? '' : ` ${counted(replay.none, 'device')} had none.`}`;
  lines.push(...labelled('', counts, terminal, 0).map((line) => paint(terminal, 'bold', line)));
  return `${lines.join('\n')}\n`;
}
