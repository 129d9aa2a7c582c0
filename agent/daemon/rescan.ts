/** Reads sysfs again and compares it with what is known, after uevents were lost and for a new generation. */
import { existsSync } from 'node:fs';
import type { Host } from '../base/host.ts';
import type { Devpath, ModuleName } from '../base/names.ts';
import { boundDriver, readDevicesAsync, type Device } from '../facts/devices/device.ts';
import type { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Loader } from '../load/loader.ts';
import { byRank, inTurns, sinceStart } from '../load/turns.ts';

/** What a rescan found different. */
export interface RescanResult {
  /** Devices that sysfs shows. */
  readonly devices: number;
  /** Of these, those that were not known. */
  readonly appeared: number;
  readonly disappeared: number;
  readonly modulesCame: number;
  readonly modulesGone: number;
  readonly ms: number;
}

/** Asks for all devices, and drops those that are gone; calls `moduleCame` for each module that was loaded unheard. */
export async function rescan(
  host: Host,
  loader: Loader,
  loaded: LoadedModules,
  moduleCame: (module: ModuleName) => void,
): Promise<RescanResult> {
  const began = sinceStart();
  // Modules first: a device whose driver was unloaded unheard must be asked for again.
  const { came, gone } = loaded.refresh();
  for (const module of came) moduleCame(module);
  for (const module of gone) loader.moduleGone(module);
  const before = new Set<Devpath>(loader.known.keys());
  let devices = 0;
  let appeared = 0;
  await eachDevice(host, (device) => {
    // Rules see modules as devices; nobody else does.
    if (device.subsystem !== 'module') {
      devices++;
      if (!before.delete(device.devpath)) appeared++;
    }
    loader.device(device);
  });
  // Some things that uevents announce (queues, slaves, modules) are on no bus, but they have a directory.
  let disappeared = 0;
  await inTurns(before, (devpath) => {
    if (existsSync(host.sysfs + devpath)) return;
    disappeared++;
    loader.deviceGone(devpath);
  });
  return {
    devices,
    appeared,
    disappeared,
    modulesCame: came.length,
    modulesGone: gone.length,
    ms: sinceStart() - began,
  };
}

/**
 * Tries devices again that have a modalias and no driver, and returns how many there are. Leaves those with a driver alone: an
 * administrator may have unloaded a second one that also matches.
 */
export async function retryDevices(host: Host, loader: Loader): Promise<number> {
  let tried = 0;
  await eachDevice(host, (device) => {
    if (device.modaliases.length === 0 || boundDriver(host.sysfs, device.devpath) !== undefined) return;
    tried++;
    loader.device(device);
  });
  return tried;
}

/** Reads sysfs on other threads, and works on its devices by rank. */
async function eachDevice(host: Host, work: (device: Device) => void): Promise<void> {
  await byRank(readDevicesAsync(host.sysfs), (device) => {
    work(device);
    return false;
  });
}
