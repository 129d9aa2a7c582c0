/** The text of `plugd test --replay`. Builds text only. */
import type { Fate, FateCounts, Fleet, Replay, ReplayedDevice } from '../records/replay.ts';
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

/** Where a device's words begin, and those of its reason and remedy. */
const WORDS = 8;
const REASON = 16;

/**
 * What is lost, replaced, or cannot be told, and a line of counts. Devices of one kind that meet the same fate for the same reason stand
 * together under the first; `verbose` shows each, and successors too.
 */
export function replayText(replay: Replay, terminal: Terminal, verbose: boolean): string {
  const lines: string[] = [];
  for (const [device, ...alike] of groups(replay.devices, verbose)) {
    if (device === undefined) continue;
    const [word, style] = SHOWN[device.fate] ?? ['kept', 'dim'];
    const more = alike.length === 0 ? '' : ` and ${alike.length} more`;
    const head = `${readable(device.subsystem)} ${readable(device.name)}${more}, which ${readable(device.driver ?? 'nothing')} drove: ${verdictText(device)}`;
    lines.push(...labelled(word, head, terminal, WORDS).map((line) => paint(terminal, style, line)));
    if (device.modaliases[0] !== undefined && alike.length === 0)
      lines.push(...labelled('', readable(device.modaliases[0]), terminal, WORDS));
    if (device.because !== undefined) lines.push(...reason('because', device.because, terminal));
    if (device.remedy !== undefined) lines.push(...reason('remedy', device.remedy, terminal));
  }
  lines.push(...firmwareLines(replay, terminal));
  const counts = `${countsText(replay, replay.kernel)}${replay.none === 0 ? '' : ` ${counted(replay.none, 'device')} had none.`}`;
  lines.push(...labelled('', counts, terminal, 0).map((line) => paint(terminal, 'bold', line)));
  return `${lines.join('\n')}\n`;
}

/** The devices that are shown, in their order: those that are alike in one list, unless each is to be seen. */
function groups(devices: readonly ReplayedDevice[], verbose: boolean): ReadonlyArray<readonly ReplayedDevice[]> {
  const found = new Map<string | ReplayedDevice, ReplayedDevice[]>();
  for (const device of devices) {
    const { fate, subsystem, driver, verdict, because, remedy } = device;
    if (SHOWN[fate] === undefined && !(verbose && fate === 'kept' && because !== undefined)) continue;
    const key = verbose ? device : JSON.stringify([fate, subsystem, driver, verdict, because, remedy]);
    const alike = found.get(key);
    if (alike === undefined) found.set(key, [device]);
    else alike.push(device);
  }
  return [...found.values()];
}

function reason(label: string, text: string, terminal: Terminal): readonly string[] {
  return labelled(' '.repeat(WORDS) + label, readable(text), terminal, REASON);
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
      ...labelled('UNREAD', readablePath(message), terminal, WORDS).map((line) => paint(terminal, 'red', line)),
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
  return reason('note', `${head}: ${named.join(', ')}`, terminal);
}
