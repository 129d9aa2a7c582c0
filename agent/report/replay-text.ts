/** The text of `plugd test --replay`. Builds text only. */
import type { Replay } from '../records/replay.ts';
import { counted } from '../base/words.ts';
import { labelled } from './layout.ts';
import { paint, readable, type Terminal } from './terminal.ts';
import { verdictText } from '../diagnosis/verdict.ts';

/** What is lost, device by device, and a line of counts. `verbose` also shows what is unknown. */
export function replayText(replay: Replay, terminal: Terminal, verbose: boolean): string {
  const lines: string[] = [];
  for (const device of replay.devices) {
    if (device.fate !== 'lost' && !(verbose && device.fate === 'unknown')) continue;
    const word = device.fate === 'lost' ? 'LOST' : 'unknown';
    const head = `${word.padEnd(8)}${readable(device.subsystem)} ${readable(device.name)}, which ${readable(device.driver ?? 'nothing')} drove: ${verdictText(device)}`;
    lines.push(
      ...labelled('', head, terminal, 0).map((line) => paint(terminal, device.fate === 'lost' ? 'red' : 'dim', line)),
    );
    if (device.modaliases[0] !== undefined)
      lines.push(...labelled('        ', readable(device.modaliases[0]), terminal, 8));
    if (device.because !== undefined) lines.push(...labelled('', `because ${readable(device.because)}`, terminal, 8));
    if (device.remedy !== undefined) lines.push(...labelled('', `remedy  ${readable(device.remedy)}`, terminal, 8));
  }
  const driven = replay.kept + replay.lost + replay.unknown;
  const unknown = replay.unknown === 0 ? '' : `, ${replay.unknown} cannot be told${verbose ? '' : ' (-v says why)'}`;
  const counts = `${counted(driven, 'device')} had a driver; with ${replay.kernel} ${replay.kept} would have one, ${replay.lost} would not${unknown}.${replay.none === 0 ? '' : ` ${counted(replay.none, 'device')} had none.`}`;
  lines.push(...labelled('', counts, terminal, 0).map((line) => paint(terminal, 'bold', line)));
  return `${lines.join('\n')}\n`;
}
