/**
 * The devices that folders of sysfs link to, as text. The addon reads them (native/core/linked_devices.c); where it is not built, Node
 * does, which takes ten times as long and blocks this thread.
 */
import { readlinkSync } from 'node:fs';
import { addonIfBuilt } from '../../base/addon.ts';
import { readNames, readText } from '../attribute.ts';

/**
 * For each link of each folder its target, the text of the device's `uevent` and that of its `modalias`, as `readLinkedDevices` of the
 * addon gives them: `linkedDevices(['/sys/bus/pci/devices'], true)`. latin1. Errors: none; what cannot be read is not there.
 */
export function linkedDevices(folders: readonly string[], modalias: boolean): string {
  return addonIfBuilt()?.readLinkedDevices(folders, modalias) ?? linkedDevicesByNode(folders, modalias);
}

/** The same, read on another thread where the addon is built. */
export async function linkedDevicesAsync(folders: readonly string[], modalias: boolean): Promise<string> {
  const addon = addonIfBuilt();
  if (addon === undefined) return linkedDevicesByNode(folders, modalias);
  return new Promise((resolve) => addon.readLinkedDevicesAsync(folders, modalias, resolve));
}

/** The same through node:fs. */
export function linkedDevicesByNode(folders: readonly string[], modalias: boolean): string {
  return folders
    .map(
      (folder) =>
        `${shown(folder)
          .map((name) => fieldsOf(folder, name, modalias))
          .join('')}\0`,
    )
    .join('');
}

function fieldsOf(folder: string, name: string, modalias: boolean): string {
  const target = readTarget(`${folder}/${name}`);
  const uevent = target === undefined ? undefined : readField(`${folder}/${name}/uevent`);
  if (uevent === undefined) return '';
  const wanted = modalias && !/^MODALIAS=/m.test(uevent);
  return `${target}\0${uevent}\0${(wanted ? readField(`${folder}/${name}/modalias`) : undefined) ?? ''}\0`;
}

/** A file's text up to a NUL, because a NUL ends each field. */
function readField(path: string): string | undefined {
  return readText(path)?.split('\0')[0];
}

function readTarget(link: string): string | undefined {
  try {
    return readlinkSync(link, 'latin1');
  } catch {
    return undefined;
  }
}

function shown(folder: string): readonly string[] {
  return readNames(folder)
    .filter((name) => !name.startsWith('.'))
    .toSorted();
}
