/** What machines ask for: names, and the modules of their drivers. Reads this machine's sysfs, or recordings. */
import { basename } from 'node:path';
import { PlugdError } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { moduleName, type ModuleName } from '../base/names.ts';
import { listInRoot } from '../base/root.ts';
import { readBoundDevices, type BoundDevice } from '../facts/devices/bound-device.ts';
import { readRoot, type RecordedRoot } from '../facts/devices/recorded-root.ts';
import { readRecording, recordingFiles, recordingName } from '../facts/devices/recording-file.ts';
import type { StorageWant } from '../facts/devices/storage-path.ts';
import { readLinkName } from '../facts/attribute.ts';
import { needSameArchitecture, treeArchitecture } from '../explain/replay/architecture.ts';
import { DriverHomes } from '../explain/replay/driver-home.ts';
import { todaysModalias } from '../explain/replay/todays-modalias.ts';
import type { Sources } from '../load/sources.ts';
import type { ClosureGap, ClosureReason } from '../records/closure.ts';

/** The devices of one machine. */
export interface Machine {
  readonly name: string;
  readonly devices: readonly BoundDevice[];
  /** The release of the kernel on which its drivers were bound. */
  readonly ranOn: string | undefined;
  /** What its kernel asked for by itself: `fs-ext4`. */
  readonly asked?: readonly string[] | undefined;
  /** What the way from its root file system down to the disks needs. */
  readonly root?: RecordedRoot | undefined;
}

/** Machines, and recordings that cannot be used, each with the reason. */
export interface Machines {
  readonly machines: readonly Machine[];
  readonly unusable: readonly ClosureGap[];
}

/**
 * Reads recordings (files, folders of them, `-`): `readMachines(host, ['fleet/'])`. One that cannot be read, is none, or is of another
 * architecture than the tree's is named, and the others count.
 */
export function readMachines(host: Host, words: readonly string[]): Machines {
  const machines: Machine[] = [];
  const unusable: ClosureGap[] = [];
  const tree = treeArchitecture(host);
  const attempt = (name: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof PlugdError)) throw error;
      unusable.push({ kind: 'machine', name, because: error.what });
    }
  };
  for (const word of words) {
    attempt(word, () => {
      for (const file of recordingFiles(word)) {
        attempt(file, () => {
          const recording = readRecording(file);
          needSameArchitecture(recording, tree, recordingName(file));
          const name = file === '-' ? recordingName(file) : basename(file).replace(/\.jsonl?$/, '');
          const { kernel, asked, root } = recording.header;
          machines.push({ name, devices: recording.devices, ranOn: kernel, asked, root });
        });
      }
    });
  }
  return { machines, unusable };
}

const THIS_MACHINE = 'this machine';

/** The machine that a sysfs shows. */
export function thisMachine(host: Host): Machine {
  const devices = [...readBoundDevices(host.sysfs)];
  return { name: THIS_MACHINE, devices, ranOn: host.kernel, root: readRoot(host) };
}

/** Of this machine only the devices on the way to some disks: each disk, and all above it. */
export function machineOf(host: Host, disks: readonly string[]): Machine {
  const isOnTheWay = (devpath: string) => disks.some((disk) => disk === devpath || disk.startsWith(`${devpath}/`));
  const devices = [...readBoundDevices(host.sysfs)].filter(({ devpath }) => isOnTheWay(devpath));
  return { name: THIS_MACHINE, devices, ranOn: host.kernel };
}

/** File systems that every kernel has, and no list of the build names. */
const WITHOUT_MODULE: ReadonlySet<string> = new Set(['fs-tmpfs', 'fs-ramfs', 'fs-rootfs', 'fs-devtmpfs']);

/** What is said of a name that leads to nothing. */
export const NOTHING_HAS_IT = 'no module has that name or alias, nor is it built in';

/** By which of its names a want of storage is asked for: the first that `isKnown`; undefined where no module has it. */
export function storageName({ name }: StorageWant, isKnown: (name: string) => boolean): string | undefined {
  // A file system that is built in may have no alias: its module's name tells.
  return [name, name.replace(/^fs-/, '')].find(isKnown);
}

/** Whether a machine lacks it where no module has its name. */
export function isMissed({ name, optional }: StorageWant): boolean {
  return optional !== true && !WITHOUT_MODULE.has(name);
}

/** A module that a machine wants. */
export interface Want {
  readonly module: ModuleName;
  readonly why: ClosureReason;
  /** It drives a device, or would: its own firmware is wanted, too. Undefined names: all that it declares. */
  readonly drives: boolean;
  readonly firmware: readonly string[] | undefined;
}

/** How a name is answered: the modules that would be inserted for it, and what rules keep out. */
export type AskName = (name: string) => {
  readonly modules: ReadonlyArray<{ readonly module: ModuleName; readonly source: string }>;
};

/**
 * What a machine's devices want, in their order: for each device the modules that its MODALIASes lead to, and the module that its driver
 * is in. A module that is bound to a device, or that is wanted by a device that has no driver, drives it.
 */
export class MachineWants {
  readonly #ask: AskName;
  readonly missing: ClosureGap[] = [];
  readonly #gone = new Set<string>();
  /** What it has read of the tree and its kernel serves all machines. */
  readonly #homes: DriverHomes;

  constructor(host: Host, sources: Sources, ask: AskName) {
    this.#ask = ask;
    this.#homes = new DriverHomes(host, sources);
  }

  of({ name: machine, devices, ranOn }: Machine): readonly Want[] {
    return devices.flatMap((device) => {
      const { driver, modaliases, firmware } = device;
      const names = [...modaliases, ...modaliases.flatMap((modalias) => todaysModalias(modalias) ?? [])];
      const found = names.flatMap((name) => this.#ask(name).modules.map((each) => ({ ...each, name })));
      const home =
        driver === undefined ? undefined : this.#homes.find({ ...device, driver }, found as Candidates, ranOn);
      const own = home?.kind === 'module' ? home.module : undefined;
      const reasonOf = (name: string): ClosureReason => ({ kind: 'device', machine, device: device.devpath, name });
      if (home?.kind === 'absent' && driver !== undefined && found.length === 0)
        this.#absent(driver, home.because, reasonOf(driver));
      const wants = found.map(({ module, name }): Want => {
        const drives = driver === undefined || own === undefined || module === own;
        return { module, why: reasonOf(name), drives, firmware: module === own ? firmware : undefined };
      });
      if (own === undefined || found.some(({ module }) => module === own)) return wants;
      return [...wants, { module: own, why: reasonOf(driver ?? ''), drives: true, firmware }];
    });
  }

  #absent(driver: string, because: string, why: ClosureReason): void {
    if (this.#gone.has(driver)) return;
    this.#gone.add(driver);
    this.missing.push({ kind: 'driver', name: driver, because, why });
  }
}

type Candidates = Parameters<DriverHomes['find']>[1];

/**
 * The modules that drive what a device waits for (`supplier:…` links of sysfs: clocks, regulators, PHYs), which no MODALIAS tells. Empty
 * for a recording.
 */
export function suppliersOf(host: Host, device: BoundDevice): readonly ModuleName[] {
  const folder = host.sysfs + device.devpath;
  const entries = listInRoot('', folder);
  if (typeof entries === 'number') return [];
  return entries
    .filter(({ name }) => name.startsWith('supplier:'))
    .flatMap(({ name }) => {
      const module = readLinkName(`${folder}/${name}/supplier/driver/module`);
      return module === undefined ? [] : [moduleName(module)];
    });
}
