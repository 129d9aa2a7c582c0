/** The rows of `plugd devices`: each device with its verdict. Changes nothing. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import type { DeviceRow } from '../records/device-row.ts';
import type { RequestReport } from '../records/investigation.ts';
import { Investigator } from './investigation.ts';
import { judge, withoutTree } from './judgement.ts';
import { findSources, type Sources } from '../load/sources.ts';
import type { NoTree } from '../load/tree.ts';

export interface DeviceListOptions {
  readonly host: Host;
  /** The devices belong to another machine. */
  readonly recorded: boolean;
  /** Also reads modules' files, to foresee what the kernel would refuse. */
  readonly deep: boolean;
}

/** A device and all that is known about it; `requests` is empty when there is no module tree. */
export interface ListedDevice {
  readonly row: DeviceRow;
  readonly requests: readonly RequestReport[];
}

/** The devices, and the sources of their verdicts. */
export interface DeviceList {
  readonly devices: readonly ListedDevice[];
  readonly sources: Sources | NoTree;
}

/** Judges devices one by one, in order. Without a module tree it lists them with what is bound to them now. */
export function listDevices(devices: Iterable<BoundDevice>, options: DeviceListOptions): DeviceList {
  const { host, recorded, deep } = options;
  const sources = findSources(host);
  const investigator = sources.kind === 'no-tree' ? undefined : new Investigator({ host, sources, deep, recorded });
  const listed: ListedDevice[] = [];
  for (const device of devices) {
    listed.push(listDevice(device, { host, recorded }, sources, investigator));
  }
  return { devices: listed, sources };
}

/** Judges one; `investigator` is undefined without a module tree. */
export function listDevice(
  device: BoundDevice,
  { host, recorded }: Omit<DeviceListOptions, 'deep'>,
  sources: Sources | NoTree,
  investigator: Investigator | undefined,
): ListedDevice {
  const requests = investigator?.device(device) ?? [];
  return { requests, row: rowOf(host, device, requests, recorded, sources) };
}

function rowOf(
  host: Host,
  device: BoundDevice,
  requests: readonly RequestReport[],
  recorded: boolean,
  sources: Sources | NoTree,
): DeviceRow {
  // Drivers bound on the recorded machine say nothing about this tree.
  const here = recorded ? { ...device, driver: undefined, driverModule: undefined } : device;
  const { verdict, cause, reason } =
    sources.kind === 'sources' || device.modaliases.length === 0
      ? judge(host, here, requests, true)
      : withoutTree(host, sources, here);
  const modules = new Set<ModuleName>(requests.flatMap((request) => request.candidates.map(({ module }) => module)));
  return {
    devpath: device.devpath,
    subsystem: device.subsystem,
    name: device.name,
    modaliases: device.modaliases,
    driver: device.driver,
    driverModule: device.driverModule,
    modules: [...modules],
    verdict,
    cause,
    reason,
  };
}
