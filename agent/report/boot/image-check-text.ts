/** The text of `plugd image --check`. Builds text only. */
import { counted } from '../../base/words.ts';
import {
  DEVICE_CLASSES,
  fatalLosses,
  isGoodImage,
  type DeviceClass,
  type ImageCheck,
  type ImageLoss,
} from '../../records/image-check.ts';
import { labelled } from '../layout.ts';
import { paint, readable, sizeText, type Terminal } from '../terminal.ts';

const LABEL = 10;

/** What would be lost, first what decides; then what is stale, and counts of the rest, which `verbose` names. */
export function imageCheckText(check: ImageCheck, terminal: Terminal, verbose: boolean): string {
  const { lost, stale, unneeded, firmware, problems, missing } = check;
  const fatal = new Set(fatalLosses(check));
  const lines: string[] = [];
  const tell = (label: string, text: string) => lines.push(...labelled(`${label} `, readable(text), terminal, LABEL));
  for (const problem of problems) tell('wrong', problem);
  for (const { name, because } of missing) tell('unusable', `${name}: ${because}`);
  for (const loss of lost) if (verbose || fatal.has(loss)) tell('lost', lossText(loss));
  const recorded = firmware.filter((gap) => gap.recorded);
  for (const { module, name } of verbose ? firmware : recorded) tell('firmware', `${name} of ${module}`);
  const copies = stale.filter(({ kind }) => verbose || kind === 'config' || stale.length <= MOST_COPIES);
  for (const { path, because } of copies) tell('stale', `${path}: ${because}`);
  if (verbose) for (const { path, bytes } of unneeded) tell('unneeded', `${path} (${sizeText(bytes)})`);
  const head = labelled('', readable(headline(check)), terminal, 0);
  lines.push(...head.map((line) => paint(terminal, 'bold', line)));
  const rest = restOf(check, lost.length - fatal.size, stale.length - copies.length, firmware.length - recorded.length);
  if (!verbose && rest.length > 0) lines.push(...labelled('', `${rest.join(', ')} (-v names them)`, terminal, 0));
  return `${lines.join('\n')}\n`;
}

/** So many copies of modules are named without being asked for. */
const MOST_COPIES = 12;

function restOf({ unneeded }: ImageCheck, other: number, stale: number, firmware: number): readonly string[] {
  const bytes = unneeded.reduce((sum, each) => sum + each.bytes, 0);
  return [
    ...(other === 0 ? [] : [`${counted(other, 'device')} of other kinds without a driver`]),
    ...(stale === 0 ? [] : [counted(stale, 'stale module')]),
    ...(firmware === 0 ? [] : [`${counted(firmware, 'firmware file')} of the tree that drivers may ask for`]),
    ...(unneeded.length === 0
      ? []
      : [`${counted(unneeded.length, 'module')} (${sizeText(bytes)}) for devices that no machine has`]),
  ];
}

/** `0000:00:1f.2 of r820 (ahci): ahci is not in the image [disk]`. */
export function lossText({ machine, device, driver, classes, because }: ImageLoss): string {
  const names = classes.filter((one) => one !== 'other');
  const why = because.replace(/\.$/, '');
  return `${device.slice(device.lastIndexOf('/') + 1)} of ${machine} (${driver}): ${why}${names.length === 0 ? '' : ` [${names.join(', ')}]`}`;
}

function headline(check: ImageCheck): string {
  const { image, kernel, machines, kept, modules } = check;
  const who = machines.length === 1 ? (machines[0] ?? '') : `${machines.length} machines`;
  const fatal = fatalLosses(check);
  const per = DEVICE_CLASSES.filter((one) => check.needed.includes(one)).flatMap((one) => perClass(fatal, one) ?? []);
  const verdict =
    per.length > 0
      ? `would lose ${per.join(', ')}`
      : isGoodImage(check)
        ? 'loses nothing that it needs'
        : 'cannot be vouched for';
  return `${image}: Linux ${kernel}, ${counted(modules, 'module')}; ${who} ${verdict}; ${counted(kept, 'device')} ${kept === 1 ? 'keeps its' : 'keep their'} driver`;
}

function perClass(losses: readonly ImageLoss[], one: DeviceClass): string | undefined {
  const count = losses.filter(({ classes }) => classes.includes(one)).length;
  return count === 0 ? undefined : `${one} (${counted(count, 'device')})`;
}
