/** `plugd image --check`: says what machines would lose with a boot image. */
import { resolve } from 'node:path';
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { readImage, type ImageContents } from '../../facts/initramfs/image-contents.ts';
import { checkImage } from '../../images/image-check.ts';
import { readMachines, thisMachine } from '../../images/machine-wants.ts';
import { DEVICE_CLASSES, isGoodImage, type DeviceClass } from '../../records/image-check.ts';
import { imageCheckText } from '../../report/boot/image-check-text.ts';
import {
  EXIT,
  HOST_OPTIONS,
  hostOf,
  noArguments,
  OPTION,
  parse,
  type Arguments,
  type Command,
  type Option,
} from '../command.ts';
import { print, printJson, terminalAt } from '../output.ts';

const CHECK: Option = {
  long: 'check',
  value: 'IMAGE',
  help: 'an initramfs, a unified kernel image, or a folder with the files',
};
const REPLAY: Option = {
  long: 'replay',
  value: 'FILE',
  multiple: true,
  help: "for a recorded machine (a file, a folder of them, '-'); may be repeated",
};
const NEED: Option = {
  long: 'need',
  value: 'CLASSES',
  help: 'what decides, parted by commas: disk, network, console, keyboard, other',
};
/** What a machine needs to start, to be reached, and to be repaired. */
const USUAL: readonly DeviceClass[] = ['disk', 'network', 'console', 'keyboard'];

/** `plugd image`. */
export const command: Command = {
  name: 'image',
  usage: '--check IMAGE [OPTION…]',
  options: [CHECK, REPLAY, NEED, OPTION.json, OPTION.verbose, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
Without --replay it is for this machine's devices. The image is held against the
module tree of its kernel.
Exit status: 0 nothing of the classes is lost (without --need: disk, network,
console, keyboard); 1 something is, or the image or a recording is damaged.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const image = parsed.value(CHECK);
    if (image === undefined) throw new PlugdError('usage', '--check names no image', { remedy: 'plugd image --help' });
    const needed = classesOf(parsed.value(NEED));
    const replays = parsed.values(REPLAY);
    const live = replays.length === 0;
    const { walked, contents } = readImage('', resolve(image));
    if (walked.kind === 'absent') throw new PlugdError('unreadable', 'there is no such file', { file: image });
    if (walked.kind === 'unreadable') throw new PlugdError('unreadable', walked.why, { file: image });
    const host = hostFor(parsed, contents, !live);
    const { machines, unusable } = live ? { machines: [thisMachine(host)], unusable: [] } : readMachines(host, replays);
    const check = checkImage({ host, image, walked, contents, machines, needed, missing: unusable });
    if (parsed.has(OPTION.json)) printJson(check, 1);
    else if (!parsed.has(OPTION.quiet)) print(imageCheckText(check, terminalAt(1), parsed.has(OPTION.verbose)));
    return isGoodImage(check) ? EXIT.done : EXIT.negative;
  },
};

/** The tree that the image is held against: of the kernel that it has modules for, unless told. */
function hostFor(parsed: Arguments, { trees }: ImageContents, recorded: boolean): Host {
  const [release, more] = trees.keys();
  const isTold = parsed.has(OPTION.kernel) || release === undefined || more !== undefined;
  const value = (option: Option) => (option === OPTION.kernel ? release : parsed.value(option));
  return hostOf(isTold ? parsed : { ...parsed, value }, recorded ? 'recorded' : true);
}

function classesOf(text: string | undefined): readonly DeviceClass[] {
  if (text === undefined) return USUAL;
  return text.split(',').map((word) => {
    const found = DEVICE_CLASSES.find((one) => one === word.trim());
    if (found !== undefined) return found;
    throw new PlugdError('usage', `--need ${word}: no class of devices`, {
      remedy: `there are ${DEVICE_CLASSES.join(', ')}`,
    });
  });
}
