/** `plugd test --replay`: a recorded machine against this tree. Changes nothing. */
import type { Host } from '../base/host.ts';
import { moduleName, type ModuleName } from '../base/names.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import { readRecording, recordingName } from '../facts/devices/recording-file.ts';
import type { RequestReport } from '../records/investigation.ts';
import type { Fate, Replay, ReplayedDevice } from '../records/replay.ts';
import { foremost, isServed } from '../diagnosis/verdict.ts';
import { needSameArchitecture, treeArchitecture } from './replay/architecture.ts';
import { listDevices, type ListedDevice } from './device-list.ts';
import type { Sources } from '../load/sources.ts';
import { noTreeError } from '../load/tree.ts';

/**
 * Checks a recording (a file, or descriptor 0) against the host's tree and rules: would each device that had a driver have one?
 * Errors: `unreadable`; `usage` for a line that is not a device, an empty recording, or one of another architecture;
 * `no-modules-directory`.
 */
export function replay(host: Host, file: string | 0): Replay {
  const word = file === 0 ? '-' : file;
  const recording = readRecording(word);
  needSameArchitecture(recording, treeArchitecture(host), recordingName(word));
  return replayDevices(host, recording.devices, recordingName(word));
}

/** The same for devices at hand; `name` is their name in the answer. */
export function replayDevices(host: Host, bound: Iterable<BoundDevice>, name: string): Replay {
  const { devices, sources } = listDevices(bound, { host, recorded: true, deep: true });
  if (sources.kind === 'no-tree') throw noTreeError(sources);
  const modules = wouldBeThere(devices);
  const replayed = devices.map((device): ReplayedDevice => ({ ...device.row, ...fateOf(device, modules, sources) }));
  const count = (fate: Fate) => replayed.filter((device) => device.fate === fate).length;
  return {
    file: name,
    kernel: host.kernel,
    moduleDir: host.moduleDir,
    kept: count('kept'),
    lost: count('lost'),
    unknown: count('unknown'),
    none: count('none'),
    modules: [...modules].toSorted(),
    devices: replayed,
  };
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

function fateOf(
  { row, requests }: ListedDevice,
  modules: ReadonlySet<ModuleName>,
  { matcher }: Sources,
): Pick<ReplayedDevice, 'fate' | 'because' | 'remedy'> {
  const { driver } = row;
  if (driver === undefined) return { fate: 'none' };
  if (isServed(row.verdict)) return { fate: 'kept' };
  const candidates = requests.flatMap((request: RequestReport) => request.candidates);
  if (candidates.some(({ verdict }) => isServed(verdict))) return { fate: 'kept' };
  const first = foremost(candidates);
  if (first !== undefined) {
    return { fate: 'lost', because: [first.reason, ...first.evidence].join('; '), remedy: first.remedy };
  }
  // Something other than its MODALIAS bound it: a driver that another device loads, or one inside the kernel.
  const module = moduleName(row.driverModule ?? driver);
  if (modules.has(module) || matcher.isBuiltin(module)) return { fate: 'kept' };
  if (matcher.dependencies(module) !== undefined) {
    const because = `no MODALIAS leads to ${module}, which this tree has: another driver, or a list, must ask for it`;
    return { fate: 'unknown', because };
  }
  if (row.driverModule !== undefined) {
    return {
      fate: 'lost',
      because: `this tree has no module ${module}, nor is it built in`,
      remedy: 'add the package that has it to the image',
    };
  }
  return { fate: 'unknown', because: `no module here is named ${module}; the driver may be in the kernel itself` };
}
