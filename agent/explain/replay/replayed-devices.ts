/** `plugd test --replay`: a recorded machine against this tree. Changes nothing. */
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import type { BoundDevice } from '../../facts/devices/bound-device.ts';
import { readRecording, recordingName } from '../../facts/devices/recording-file.ts';
import type { Fate, Replay, ReplayedDevice } from '../../records/replay.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import { listDevices, type ListedDevice } from '../device-list.ts';
import { noTreeError } from '../../load/tree.ts';
import { needSameArchitecture, treeArchitecture } from './architecture.ts';
import { DriverHomes, type Home } from './driver-home.ts';
import { fateOf, type Fated } from './fate.ts';
import { succeeds } from './kernel-drivers.ts';
import { todaysModalias } from './todays-modalias.ts';

/**
 * Checks a recording (a file, or `-` for standard input) against the host's tree and rules: would each device that had a driver
 * have it? Errors: `unreadable`; `usage` for a line that is not a device, an empty recording, or one of another architecture;
 * `no-modules-directory`.
 */
export function replay(host: Host, file: string): Replay {
  const recording = readRecording(file);
  needSameArchitecture(recording, treeArchitecture(host), recordingName(file));
  return replayDevices(host, recording.devices, { name: recordingName(file), ranOn: recording.header.kernel });
}

/**
 * The same for devices at hand: `name` is their name in the answer, `ranOn` the release of the kernel on which they were bound. Errors:
 * `no-modules-directory`.
 */
export function replayDevices(
  host: Host,
  bound: Iterable<BoundDevice>,
  { name, ranOn }: { readonly name: string; readonly ranOn: string | undefined },
): Replay {
  const recorded = [...bound];
  const { devices, sources } = listDevices(recorded.map(asToday), { host, recorded: true, deep: true });
  if (sources.kind === 'no-tree') throw noTreeError(sources);
  const homes = new DriverHomes(host, sources, ranOn);
  const modules = wouldBeThere(devices);
  const judged = devices.map((listed, i): Judged => {
    const device = recorded[i] ?? { ...listed.row, properties: new Map(), driver: undefined, driverModule: undefined };
    return judgedOf({ ...listed, row: { ...listed.row, modaliases: device.modaliases } }, device, homes, modules);
  });
  const kept = new Set(judged.filter(({ fated }) => fated.fate === 'kept').map(({ device }) => family(device)));
  const replayed = judged.map(({ listed, device, facts, fated }): ReplayedDevice => {
    // A part of a device that a sibling's driver claims has no MODALIAS of its own for it.
    const sibling = fated.fate !== 'kept' && facts.home?.kind === 'module' && kept.has(family(device));
    return { ...listed.row, ...(sibling ? fateOf({ ...facts, sibling }) : fated) };
  });
  const count = (fate: Fate) => replayed.filter((device) => device.fate === fate).length;
  return {
    file: name,
    kernel: host.kernel,
    moduleDir: host.moduleDir,
    kept: count('kept'),
    lost: count('lost'),
    replaced: count('replaced'),
    unknown: count('unknown'),
    none: count('none'),
    modules: [...modules].toSorted(),
    devices: replayed,
  };
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
  homes: DriverHomes,
  modules: ReadonlySet<ModuleName>,
): Judged {
  const { driver, subsystem } = device;
  const candidates = listed.requests.flatMap((request) => request.candidates);
  const home: Home | undefined = driver === undefined ? undefined : homes.find({ ...device, driver }, candidates);
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
