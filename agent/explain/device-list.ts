import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { PlugdError } from '../base/error.ts';
import type { BoundDevice } from '../facts/devices/recording.ts';
import type { DeviceRow } from '../records/device-row.ts';
import type { RequestReport } from '../records/investigation.ts';
import { Investigator } from './investigation.ts';
import { judge } from './judgement.ts';
import { openSources, type Sources } from '../load/sources.ts';

export interface DeviceListOptions {
  readonly host: Host;
  /** The devices are of another machine. */
  readonly recorded: boolean;
  /** Reads modules' files to foresee what the kernel would refuse. */
  readonly deep: boolean;
}

/** A device and all that is known of it; `requests` is empty where there is no module tree. */
export interface ListedDevice {
  readonly row: DeviceRow;
  readonly requests: readonly RequestReport[];
}

/** A device list's sources: undefined where there is no module tree, with the sentence that says so. */
export interface DeviceList {
  readonly devices: readonly ListedDevice[];
  readonly sources: Sources | undefined;
  readonly problem: PlugdError | undefined;
}

/** Judges devices one by one, in their order. Without a module tree they are listed with what is bound to them now. */
export function listDevices(devices: Iterable<BoundDevice>, options: DeviceListOptions): DeviceList {
  const { host, recorded, deep } = options;
  let sources: Sources | undefined;
  let problem: PlugdError | undefined;
  try {
    sources = openSources(host);
  } catch (error) {
    if (!(error instanceof PlugdError) || error.code !== 'no-modules-directory') throw error;
    problem = error;
  }
  const investigator = sources === undefined ? undefined : new Investigator({ host, sources, deep, recorded });
  const listed: ListedDevice[] = [];
  for (const device of devices) {
    const requests = investigator?.device(device) ?? [];
    listed.push({ requests, row: rowOf(host, device, requests, recorded, problem) });
  }
  return { devices: listed, sources, problem };
}

function rowOf(
  host: Host,
  device: BoundDevice,
  requests: readonly RequestReport[],
  recorded: boolean,
  problem: PlugdError | undefined,
): DeviceRow {
  // What was bound on the recorded machine says nothing about this tree.
  const here = recorded ? { ...device, driver: undefined, driverModule: undefined } : device;
  const ending =
    problem === undefined || here.driver !== undefined || device.modaliases.length === 0
      ? judge(host, here, requests, true)
      : ({ verdict: 'failed', cause: 'no-modules-directory', reason: problem.message } as const);
  const modules = new Set<ModuleName>(requests.flatMap((request) => request.candidates.map(({ module }) => module)));
  return {
    devpath: device.devpath,
    subsystem: device.subsystem,
    name: device.name,
    modaliases: device.modaliases,
    ...(device.driver === undefined ? {} : { driver: device.driver }),
    ...(device.driverModule === undefined ? {} : { driverModule: device.driverModule }),
    modules: [...modules],
    verdict: ending.verdict,
    ...(ending.cause === undefined ? {} : { cause: ending.cause }),
    reason: ending.reason,
  };
}
