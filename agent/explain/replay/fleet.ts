/** Several recordings against one tree, in one run with one summary. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { recordingName } from '../../facts/devices/recording-file.ts';
import type { FateCounts, Fleet, LostKind, Replay, ReplayedDevice, UnreadRecording } from '../../records/replay.ts';
import { deviceKind } from './device-kind.ts';
import { Replayer, type Selection } from './replayed-devices.ts';

/** Codes of a recording's own faults: the others are judged all the same. */
const OF_ONE_FILE: readonly string[] = ['unreadable', 'usage'];

/**
 * Checks recordings one after the other; one that cannot be read, or is of another architecture, is named and keeps none of the others.
 * `each` is called when one is judged. Errors: `no-modules-directory`.
 */
export function replayFleet(
  host: Host,
  files: readonly string[],
  selects: Selection | undefined,
  each: (replay: Replay) => void = () => {},
): Fleet {
  const replayer = new Replayer(host);
  const machines: Replay[] = [];
  const unread: UnreadRecording[] = [];
  for (const file of files) {
    try {
      const replay = replayer.file(file, selects);
      machines.push(replay);
      each(replay);
    } catch (error) {
      if (!(error instanceof PlugdError) || !OF_ONE_FILE.includes(error.code)) throw error;
      unread.push({ file: recordingName(file), code: error.code, message: error.message });
    }
  }
  const sum = (of: (counts: FateCounts) => number) => machines.reduce((total, machine) => total + of(machine), 0);
  return {
    kernel: host.kernel,
    moduleDir: host.moduleDir,
    kept: sum(({ kept }) => kept),
    lost: sum(({ lost }) => lost),
    replaced: sum(({ replaced }) => replaced),
    withoutFirmware: sum(({ withoutFirmware }) => withoutFirmware),
    unknown: sum(({ unknown }) => unknown),
    none: sum(({ none }) => none),
    machines,
    unread,
    losses: lossesOf(machines),
  };
}

const isLost = ({ fate }: ReplayedDevice) => fate === 'lost' || fate === 'replaced' || fate === 'no-firmware';

/** What is lost, on which machines; the kind that most machines lose comes first. */
export function lossesOf(machines: ReadonlyArray<Pick<Replay, 'file' | 'devices'>>): readonly LostKind[] {
  const kinds = new Map<string, { readonly machines: Set<string>; readonly drivers: Set<string> }>();
  for (const { file, devices } of machines) {
    for (const device of devices.filter(isLost)) {
      const what = deviceKind(device);
      const kind = kinds.get(what) ?? { machines: new Set(), drivers: new Set() };
      kinds.set(what, kind);
      kind.machines.add(file);
      kind.drivers.add(device.driver ?? '');
    }
  }
  return [...kinds]
    .map(([what, kind]) => ({ what, machines: [...kind.machines], drivers: [...kind.drivers].toSorted() }))
    .toSorted((a, b) => b.machines.length - a.machines.length);
}
