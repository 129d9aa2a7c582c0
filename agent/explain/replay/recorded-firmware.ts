/** What a recording tells of firmware: the files that a device's module names and that its machine has. */
import type { Host } from '../../base/host.ts';
import { moduleFile, moduleName, type ModuleName } from '../../base/names.ts';
import type { BoundDevice } from '../../facts/devices/bound-device.ts';
import { openFirmware } from '../../facts/devices/firmware.ts';
import { modinfoValues } from '../../facts/modfiles/modinfo.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import { findSources, type Sources } from '../../load/sources.ts';

/** The devices, each of a loaded module with its firmware. Without a module tree they stay as they are. */
export function* withFirmware(host: Host, devices: Iterable<BoundDevice>): Generator<BoundDevice> {
  const sources = findSources(host);
  const search = openFirmware(host);
  const known = new Map<ModuleName, readonly string[] | undefined>();
  const there = (module: ModuleName): readonly string[] | undefined => {
    if (sources.kind === 'no-tree') return undefined;
    if (!known.has(module)) {
      const named = firmwareNames(host, sources, module);
      known.set(
        module,
        named?.filter((name) => search.find(name) !== undefined),
      );
    }
    return known.get(module);
  };
  for (const device of devices) {
    const firmware = device.driverModule === undefined ? undefined : there(moduleName(device.driverModule));
    yield firmware === undefined || firmware.length === 0 ? device : { ...device, firmware };
  }
}

/** The files that a module of the tree names, as modinfo has them; undefined when the tree has no such module, or cannot be read. */
export function firmwareNames(host: Host, { matcher }: Sources, module: ModuleName): readonly string[] | undefined {
  const found = matcher.dependencies(module);
  if (found === undefined) return undefined;
  const file = openModuleFile(host.root, moduleFile(host, found.path));
  if (file.kind !== 'module') return undefined;
  try {
    return [...new Set(modinfoValues(file.modinfo, 'firmware'))];
  } finally {
    file.close();
  }
}
