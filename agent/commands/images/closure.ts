/** `plugd closure`: prints, archives or copies the files that machines need. */
import { resolve } from 'node:path';
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { storagePath, type StoragePath } from '../../facts/devices/storage-path.ts';
import { closureOf } from '../../images/closure.ts';
import { machineOf, readMachines, thisMachine, type Machines } from '../../images/machine-wants.ts';
import { hasGaps, type Closure } from '../../records/closure.ts';
import { closureText } from '../../report/boot/closure-text.ts';
import { EXIT, HOST_OPTIONS, hostOf, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print, printData, printJson, terminalAt } from '../output.ts';

const REPLAY: Option = {
  long: 'replay',
  value: 'FILE',
  multiple: true,
  help: "for a recorded machine (a file, a folder of them, '-'); may be repeated",
};
const ROOT_DEVICE: Option = {
  long: 'root-device',
  value: 'PATH',
  help: 'only for the way of the file system at PATH down to its disks',
};
const NAMES: Option = { long: 'names', help: 'print the modules by name, one a line' };
const PATHS: Option = { long: 'paths', help: 'print the files by path, one a line' };
const NULL: Option = { long: 'null', short: '0', help: 'end each path with a NUL instead of a newline' };
const CPIO: Option = { long: 'cpio', value: 'FILE', help: 'write an archive that any initramfs can be extended with' };
const COPY: Option = { long: 'copy-to', value: 'DIR', help: 'copy the files below DIR' };
const FIRMWARE: Option = { long: 'all-firmware', help: 'also firmware that only softdeps and the like declare' };

/** `plugd closure`. */
export const command: Command = {
  name: 'closure',
  usage: '[OPTION…] [NAME…]',
  options: [
    REPLAY,
    ROOT_DEVICE,
    NAMES,
    PATHS,
    NULL,
    CPIO,
    COPY,
    FIRMWARE,
    OPTION.json,
    OPTION.verbose,
    OPTION.quiet,
    ...HOST_OPTIONS,
  ],
  notes: `
Without --replay and NAME it is for this machine's devices. NAME is a module, an
alias or a MODALIAS. --root-device takes PATH from this machine's mount table,
or a block device in /dev: file system, LVM, LUKS, RAID, disk and controllers.
Exit status: 0 done; 1 a machine would lack a driver, or a recording or NAME
cannot be used. Firmware that is not there is only told.`,
  async run(args) {
    const parsed = parse(command, args);
    const names = machineWords(parsed.words);
    const replays = parsed.values(REPLAY);
    const device = parsed.value(ROOT_DEVICE);
    const live = device !== undefined || (replays.length === 0 && names.length === 0);
    if (parsed.has(NULL) && !parsed.has(PATHS)) throw new PlugdError('usage', '--null goes with --paths');
    if (device?.startsWith('/') === false)
      throw new PlugdError('usage', `--root-device ${device}: not an absolute path`);
    const host = hostOf(parsed, live ? true : 'recorded');
    const storage = device === undefined ? undefined : storagePath(host, device);
    const { machines, unusable } = machinesOf(host, live, storage, replays);
    const closure = closureOf({
      host,
      machines,
      live,
      names,
      ...(storage === undefined ? {} : { storage: storage.wants }),
      allFirmware: parsed.has(FIRMWARE),
      missing: unusable,
    });
    await write(host, closure, parsed);
    show(closure, parsed);
    return hasGaps(closure) ? EXIT.negative : EXIT.done;
  },
};

function machinesOf(host: Host, live: boolean, storage: StoragePath | undefined, replays: readonly string[]): Machines {
  const recorded = replays.length === 0 ? { machines: [], unusable: [] } : readMachines(host, replays);
  if (!live) return recorded;
  const here = storage === undefined ? thisMachine(host) : machineOf(host, storage.disks);
  const untold = (storage?.untold ?? []).map((because) => ({ kind: 'storage', name: 'storage', because }) as const);
  return { machines: [here, ...recorded.machines], unusable: [...untold, ...recorded.unusable] };
}

/** The archive and the copies. */
async function write(host: Host, closure: Closure, parsed: Arguments): Promise<void> {
  const [archive, folder] = [parsed.value(CPIO), parsed.value(COPY)];
  if (archive === undefined && folder === undefined) return;
  const { closureEntries, copyEntries } = await import('../../images/closure-files.ts');
  const entries = await closureEntries(host, closure);
  if (archive !== undefined) (await import('../../images/cpio-archive.ts')).writeArchive(archive, entries);
  if (folder !== undefined) copyEntries(resolve(folder), entries);
}

function show(closure: Closure, parsed: Arguments): void {
  if (parsed.has(OPTION.json)) printJson(closure, 1);
  else if (parsed.has(NAMES)) {
    printData(closure.files.flatMap(({ module }) => (module === undefined ? [] : [`${module}\n`])).join(''));
  } else if (parsed.has(PATHS)) {
    const end = parsed.has(NULL) ? '\0' : '\n';
    printData(closure.files.map(({ path }) => `${path}${end}`).join(''));
  } else if (!parsed.has(OPTION.quiet)) print(closureText(closure, terminalAt(1), parsed.has(OPTION.verbose)));
}
