/** `plugd test --replay`: a recorded machine against this tree. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import type { BoundDevice } from '../../facts/devices/bound-device.ts';
import { readRecording, recordingName } from '../../facts/devices/recording-file.ts';
import type { Fate, Replay, ReplayedDevice } from '../../records/replay.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import { openFirmware, type FirmwareSearch } from '../../facts/devices/firmware.ts';
import { listDevice, type ListedDevice } from '../device-list.ts';
import { Investigator } from '../investigation.ts';
import { findSources, type Sources } from '../../load/sources.ts';
import { noTreeError } from '../../load/tree.ts';
import { needSameArchitecture, treeArchitecture } from './architecture.ts';
import { DriverHomes, type Home } from './driver-home.ts';
import { fateOf, type Fated } from './fate.ts';
import { firmwareFate } from './firmware-fate.ts';
import { firmwareNames } from './recorded-firmware.ts';
import { succeeds } from './kernel-drivers.ts';
import { todaysModalias } from './todays-modalias.ts';

/** Which devices of a recording count. */
export type Selection = (device: BoundDevice) => boolean;

/** The devices of a recording, and what it says of its machine. */
export interface RecordedMachine {
  readonly devices: Iterable<BoundDevice>;
  /** What it is called in the answer. */
  readonly name: string;
  /** Its model; undefined when nobody says. */
  readonly model?: string | undefined;
  /** The release of the kernel on which the devices were bound; undefined when nobody says. */
  readonly ranOn: string | undefined;
}

/** A replay, and the requests of each device of the machine. */
export interface ExplainedReplay {
  readonly replay: Replay;
  readonly requests: ReadonlyArray<ListedDevice['requests']>;
}

/** Holds machines against one tree and its rules: would each device that had a driver have it? It keeps what it has read. */
export class Replayer {
  readonly #host: Host;
  readonly #sources: Sources;
  readonly #investigator: Investigator;
  readonly #homes: DriverHomes;
  readonly #firmware: FirmwareSearch;
  readonly #named = new Map<ModuleName, readonly string[]>();
  readonly #architecture: string | undefined;

  /** Errors: `no-modules-directory`. */
  constructor(host: Host) {
    const sources = findSources(host);
    if (sources.kind === 'no-tree') throw noTreeError(sources);
    this.#host = host;
    this.#sources = sources;
    this.#investigator = new Investigator({ host, sources, deep: true, recorded: true });
    this.#homes = new DriverHomes(host, sources);
    this.#firmware = openFirmware(host);
    this.#architecture = treeArchitecture(host);
  }

  /**
   * A recording: a file, or `-` for standard input. `selects`: the devices that count, all when left out; what is loaded for the others is
   * there all the same. Errors: `unreadable`; `usage` for a line that is not a device, an empty recording, one of another architecture, or
   * one in which nothing is selected.
   */
  file(file: string, selects?: Selection): Replay {
    const recording = readRecording(file);
    const name = recordingName(file);
    needSameArchitecture(recording, this.#architecture, name);
    if (selects !== undefined && !recording.devices.some(selects))
      throw new PlugdError('usage', 'no such device is in it', {
        file: name,
        remedy: `plugd devices --replay ${name}`,
      });
    const { kernel, machine } = recording.header;
    return this.devices({ devices: recording.devices, name, model: machine, ranOn: kernel }, selects);
  }

  /** Devices at hand. */
  devices(machine: RecordedMachine, selects?: Selection): Replay {
    return this.explained(machine, selects).replay;
  }

  /** The same with what each device asks for and what it would lead to, in the order of the machine's devices. */
  explained({ devices: bound, name, model, ranOn }: RecordedMachine, selects?: Selection): ExplainedReplay {
    const host = this.#host;
    const recorded = [...bound];
    const devices = recorded.map((device) =>
      listDevice(asToday(device), { host, recorded: true }, this.#sources, this.#investigator),
    );
    const modules = wouldBeThere(devices);
    const judged = devices.map((listed, i): Judged => {
      const device = recorded[i] ?? {
        ...listed.row,
        properties: new Map(),
        driver: undefined,
        driverModule: undefined,
      };
      const row = { ...listed.row, modaliases: device.modaliases };
      return judgedOf({ ...listed, row }, device, { homes: this.#homes, ranOn, modules });
    });
    const kept = new Set(judged.filter(({ fated }) => fated.fate === 'kept').map(({ device }) => family(device)));
    const untold = new Map<ModuleName, readonly string[]>();
    const replayed = judged.flatMap(({ listed, device, facts, fated }): readonly ReplayedDevice[] => {
      if (selects?.(device) === false) return [];
      // A part of a device that a sibling's driver claims has no MODALIAS of its own for it.
      const sibling = fated.fate !== 'kept' && facts.home?.kind === 'module' && kept.has(family(device));
      const end = sibling ? fateOf({ ...facts, sibling }) : fated;
      return [
        { ...listed.row, ...(end.fate === 'kept' ? (this.#ofFirmware(device, facts.home, untold) ?? end) : end) },
      ];
    });
    const count = (fate: Fate) => replayed.filter((device) => device.fate === fate).length;
    const answer: Replay = {
      file: name,
      ...(model === undefined ? {} : { machine: model }),
      kernel: host.kernel,
      moduleDir: host.moduleDir,
      kept: count('kept'),
      lost: count('lost'),
      replaced: count('replaced'),
      withoutFirmware: count('no-firmware'),
      unknown: count('unknown'),
      none: count('none'),
      modules: [...modules].toSorted(),
      firmware: [...untold].map(([module, files]) => ({ module, files })),
      devices: replayed,
    };
    return { replay: answer, requests: devices.map(({ requests }) => requests) };
  }

  /** The fate of a kept device with regard to its firmware. What its recording does not tell of goes to `untold`. */
  #ofFirmware(
    { firmware: recorded }: BoundDevice,
    home: Home | undefined,
    untold: Map<ModuleName, readonly string[]>,
  ): Fated | undefined {
    if (home?.kind !== 'module') return undefined;
    const { module } = home;
    let named = this.#named.get(module);
    if (named === undefined) this.#named.set(module, (named = firmwareNames(this.#host, this.#sources, module) ?? []));
    if (named.length === 0) return undefined;
    const there = new Set(named.filter((file) => this.#firmware.find(file) !== undefined));
    if (recorded === undefined && there.size === 0) untold.set(module, named);
    return firmwareFate({ module, named, there, recorded });
  }
}

/** One recording against the host's tree and rules. Errors: those of Replayer and its file(). */
export function replay(host: Host, file: string): Replay {
  return new Replayer(host).file(file);
}

/** The same for devices at hand. Errors: `no-modules-directory`. */
export function replayDevices(host: Host, machine: RecordedMachine): Replay {
  return new Replayer(host).devices(machine);
}

interface Judged {
  readonly listed: ListedDevice;
  readonly device: BoundDevice;
  readonly facts: Parameters<typeof fateOf>[0];
  readonly fated: Fated;
}

function judgedOf(
  listed: ListedDevice,
  device: BoundDevice,
  { homes, ranOn, modules }: { homes: DriverHomes; ranOn: string | undefined; modules: ReadonlySet<ModuleName> },
): Judged {
  const { driver, subsystem } = device;
  const candidates = listed.requests.flatMap((request) => request.candidates);
  const home: Home | undefined =
    driver === undefined ? undefined : homes.find({ ...device, driver }, candidates, ranOn);
  const module = home?.kind === 'module' ? home.module : undefined;
  const facts = {
    driver,
    subsystem,
    home,
    candidates,
    listsIds: module !== undefined && homes.listsIds(module, device),
    isThere: module !== undefined && modules.has(module),
    sibling: false,
    successors: candidates.map((each) => each.module).filter((each) => succeeds(each, driver ?? '')),
  };
  return { listed, device, facts, fated: fateOf(facts) };
}

/** The device with its MODALIASes as today's kernels write them, too. */
function asToday(device: BoundDevice): BoundDevice {
  const more = device.modaliases.flatMap((modalias) => todaysModalias(modalias) ?? []);
  return more.length === 0 ? device : { ...device, modaliases: [...device.modaliases, ...more] };
}

/** Interfaces of one USB device with the same driver; elsewhere nothing is shared. */
function family({ subsystem, devpath, driver }: BoundDevice): string {
  return subsystem === 'usb' ? `${devpath.slice(0, devpath.lastIndexOf('/'))} ${driver ?? ''}` : devpath;
}

/** Every module that would be inserted for some device. */
function wouldBeThere(devices: readonly ListedDevice[]): ReadonlySet<ModuleName> {
  const modules = new Set<ModuleName>();
  for (const { requests } of devices) {
    for (const { verdict, steps } of requests.flatMap(({ candidates }) => candidates)) {
      if (isServed(verdict)) for (const { module, refusal } of steps) if (refusal === undefined) modules.add(module);
    }
  }
  return modules;
}
