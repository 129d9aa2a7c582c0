/** `plugd image --check`: says what machines would lose with a boot image. */
import { resolve } from 'node:path';
import { PlugdError } from '../../base/error.ts';
import { readImage } from '../../facts/initramfs/image-contents.ts';
import { DriverPlaces } from '../../images/driver-places.ts';
import { checkImage } from '../../images/image-check.ts';
import { readMachines, thisMachine, type Machines } from '../../images/machine-wants.ts';
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
    let ahead: Question | undefined;
    const { walked, contents } = readImage('', resolve(image), (release) => {
      ahead = lookAhead(parsed, release, replays);
    });
    if (walked.kind === 'absent') throw new PlugdError('unreadable', 'there is no such file', { file: image });
    if (walked.kind === 'unreadable') throw new PlugdError('unreadable', walked.why, { file: image });
    const [release, more] = contents.trees.keys();
    const question = more === undefined && ahead !== undefined ? ahead : questionOf(parsed, release, more, replays);
    const { places, machines, unusable } = question;
    const check = await checkImage({ places, image, walked, contents, machines, needed, missing: unusable });
    if (parsed.has(OPTION.json)) printJson(check, 1);
    else if (!parsed.has(OPTION.quiet)) print(imageCheckText(check, terminalAt(1), parsed.has(OPTION.verbose)));
    return isGoodImage(check) ? EXIT.done : EXIT.negative;
  },
};

/** What the image is held against, and for whom. */
interface Question extends Machines {
  readonly places: DriverPlaces;
}

/** The tree is that of the kernel that the image has modules for, unless told. */
function questionOf(
  parsed: Arguments,
  release: string | undefined,
  more: string | undefined,
  replays: readonly string[],
): Question {
  const live = replays.length === 0;
  const isTold = parsed.has(OPTION.kernel) || release === undefined || more !== undefined;
  const value = (option: Option) => (option === OPTION.kernel ? release : parsed.value(option));
  const host = hostOf(isTold ? parsed : { ...parsed, value }, live ? true : 'recorded');
  const places = new DriverPlaces(host);
  return { places, ...(live ? { machines: [thisMachine(host)], unusable: [] } : readMachines(host, replays)) };
}

/**
 * The question as it will be if the image has no further tree: the kernel is then unpacked on another thread while the image is read.
 * Undefined where that must wait: standard input is read once.
 */
function lookAhead(parsed: Arguments, release: string, replays: readonly string[]): Question | undefined {
  if (replays.includes('-')) return undefined;
  try {
    const question = questionOf(parsed, release, undefined, replays);
    question.places.expect(question.machines);
    return question;
  } catch (error) {
    // It is thrown again when the image has been read, if it still holds.
    if (error instanceof PlugdError) return undefined;
    throw error;
  }
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
