/** The text of `plugd test --replay`. Builds text only. */
import type { Fate, FateCounts, Fleet, Replay } from '../records/replay.ts';
import { counted } from '../base/words.ts';
import { labelled } from './layout.ts';
import { paint, readable, readablePath, type Style, type Terminal } from './terminal.ts';
import { verdictText } from '../diagnosis/verdict.ts';

/** The word and the colour of what is shown. */
const SHOWN: Readonly<Partial<Record<Fate, readonly [word: string, style: Style]>>> = {
  lost: ['LOST', 'red'],
  replaced: ['OTHER', 'yellow'],
  'no-firmware': ['NO FIRM', 'red'],
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
  lines.push(...firmwareLines(replay, terminal));
  const counts = `${countsText(replay, replay.kernel)}${replay.none === 0 ? '' : ` ${counted(replay.none, 'device')} had none.`}`;
  lines.push(...labelled('', counts, terminal, 0).map((line) => paint(terminal, 'bold', line)));
  return `${lines.join('\n')}\n`;
}

/** One machine of several: its name, and what replayText() has of it; a line alone when everything is kept. */
export function machineText(replay: Replay, terminal: Terminal, verbose: boolean): string {
  const model = replay.machine === undefined ? '' : ` (${readable(replay.machine)})`;
  const name = paint(terminal, 'bold', `${readablePath(replay.file)}${model}`);
  return `${name}\n${replayText(replay, terminal, verbose)}\n`;
}

/** The summary of several: what could not be read, what how many machines lose, and the counts. */
export function fleetText(fleet: Fleet, terminal: Terminal): string {
  const lines: string[] = [];
  const of = counted(fleet.machines.length, 'machine');
  for (const { message } of fleet.unread)
    lines.push(
      ...labelled('', `UNREAD  ${readablePath(message)}`, terminal, 8).map((line) => paint(terminal, 'red', line)),
    );
  for (const { what, machines, drivers } of fleet.losses) {
    const head = `${machines.length} of ${of} ${machines.length === 1 ? 'loses' : 'lose'} ${readable(what)}`;
    const names = machines.map(readablePath).join(', ');
    lines.push(...labelled('', `${head} (${drivers.map(readable).join(', ')}): ${names}`, terminal, 8));
  }
  const unread = fleet.unread.length === 0 ? '' : ` ${counted(fleet.unread.length, 'recording')} could not be judged.`;
  const counts = `${of}: ${countsText(fleet, fleet.kernel)}${unread}`;
  lines.push(...labelled('', counts, terminal, 0).map((line) => paint(terminal, 'bold', line)));
  return `${lines.join('\n')}\n`;
}

function countsText({ kept, lost, replaced, withoutFirmware, unknown }: FateCounts, kernel: string): string {
  const driven = kept + lost + replaced + withoutFirmware + unknown;
  const other = replaced === 0 ? '' : `, ${replaced} would have another one`;
  const firmware = withoutFirmware === 0 ? '' : `, ${withoutFirmware} would find no firmware`;
  const untold = unknown === 0 ? '' : `, ${unknown} cannot be told`;
  return `${counted(driven, 'device')} had a driver; with ${readable(kernel)} ${kept} would have it, ${lost} would not${other}${firmware}${untold}.`;
}

/** Modules whose firmware is not here; whether the machine had it is not recorded. */
function firmwareLines({ firmware }: Replay, terminal: Terminal): readonly string[] {
  if (firmware.length === 0) return [];
  const named = firmware.map(
    ({ module, files: [first = '', ...more] }) => `${module} (${first}${more.length === 0 ? '' : ', …'})`,
  );
  const head = `${counted(firmware.length, 'module')} would find none of the firmware that ${firmware.length === 1 ? 'it names' : 'they name'}, and the recording says nothing of it`;
  return labelled('', `note    ${head}: ${readable(named.join(', '))}`, terminal, 8);
}
