/** What a machine cannot start without, by class of device. */
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import type { DeviceClass } from '../records/image-check.ts';

type Row = readonly [pattern: RegExp, what: DeviceClass];

/** By MODALIAS; the first that matches counts. Sources: pci.ids and usb.ids (classes), virtio_ids.h, linux/serio.h. */
const BY_MODALIAS: readonly Row[] = [
  [/^pci:.*bc01/, 'disk'],
  [/^pci:.*bc08sc05/, 'disk'],
  [/^pci:.*bc02/, 'network'],
  [/^pci:.*bc03/, 'console'],
  [/^usb:.*ic08/, 'disk'],
  [/^usb:.*ic03isc..ip01/, 'keyboard'],
  [/^usb:.*ic03isc..ip02/, 'other'],
  [/^virtio:d0000000[28]v/, 'disk'],
  [/^virtio:d00000001v/, 'network'],
  [/^virtio:d000000(03|10)v/, 'console'],
  [/^virtio:d00000012v/, 'keyboard'],
  [/^(scsi:t-0x(00|0e|14)|mmc:block|nvme:|nd:t4)/, 'disk'],
  [/^scsi:t-/, 'other'],
  [/^serio:ty06/, 'keyboard'],
  [/^serio:/, 'other'],
];

/** By the folder of its driver's module, for devices whose names do not tell. */
const BY_FOLDER: readonly Row[] = [
  [/\/drivers\/(ata|nvme|scsi|block|mmc|ufs|message|memstick|mtd|nvdimm|s390\/(block|scsi)|usb\/storage)\//, 'disk'],
  [/\/drivers\/(net|s390\/net|infiniband)\//, 'network'],
  [/\/drivers\/(gpu|video|tty|s390\/char)\//, 'console'],
  [/\/drivers\/input\/keyboard\//, 'keyboard'],
];

/** The class of a device whose driver is in the module at `path`: of an NVMe disk `disk`, of a camera `other`. */
export function classOf({ modaliases }: Pick<BoundDevice, 'modaliases'>, path = ''): DeviceClass {
  for (const [pattern, what] of BY_MODALIAS) if (modaliases.some((modalias) => pattern.test(modalias))) return what;
  return BY_FOLDER.find(([pattern]) => pattern.test(path))?.[1] ?? 'other';
}

/** The class of what a kernel asks for by name: a file system or a cipher is a disk's, a family of protocols a network's. */
export function requestClass(name: string): DeviceClass {
  if (/^(fs|crypto|md|dm)-|^nls_/.test(name)) return 'disk';
  return name.startsWith('net-pf-') ? 'network' : 'other';
}

/** For each path of a device the classes of it and of all that is below it: the keyboard needs the USB controller. */
export function classesBelow(
  devices: ReadonlyArray<{ readonly devpath: string; readonly class: DeviceClass }>,
): ReadonlyMap<string, ReadonlySet<DeviceClass>> {
  const classes = new Map<string, Set<DeviceClass>>();
  for (const { devpath, class: own } of devices) {
    for (let at: string = devpath; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const known = classes.get(at);
      if (known === undefined) classes.set(at, new Set([own]));
      else known.add(own);
      if (own === 'other') break;
    }
  }
  return classes;
}
