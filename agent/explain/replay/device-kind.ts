/** What a device is to its user, by its MODALIASes: `Wi-Fi`. Pure; the words of a summary, no verdict depends on them. */
import type { BoundDevice } from '../../facts/devices/bound-device.ts';

type Row = readonly [pattern: RegExp, what: string];

/** The first that matches counts. Sources: pci.ids and usb.ids (classes), mod_devicetable.h, virtio_ids.h, acpi ids of the UEFI registry. */
const ROWS: readonly Row[] = [
  [/^pci:.*bc02sc80/, 'Wi-Fi'],
  [/^pci:.*bc02/, 'Ethernet'],
  [/^pci:.*bc01/, 'storage'],
  [/^pci:.*bc03/, 'graphics'],
  [/^pci:.*bc04sc00/, 'video'],
  [/^pci:.*bc04/, 'sound'],
  [/^pci:.*bc08sc05/, 'memory cards'],
  [/^pci:.*bc0Csc03/, 'USB'],
  [/^pci:.*bc0Csc05/, 'SMBus'],
  [/^pci:.*bc0Csc00/, 'FireWire'],
  [/^pci:.*bc06/, 'bridges'],
  [/^pci:.*bc10/, 'cryptography'],
  [/^usb:.*icE0isc01ip01/, 'Bluetooth'],
  [/^usb:.*ic01/, 'sound'],
  [/^usb:.*ic02/, 'USB network and modems'],
  [/^usb:.*ic03/, 'keyboards and mice'],
  [/^usb:.*ic07/, 'printers'],
  [/^usb:.*ic08/, 'storage'],
  [/^usb:.*ic0E/, 'cameras'],
  [/^virtio:d00000001/, 'Ethernet'],
  [/^virtio:d0000000[28]/, 'storage'],
  [/^virtio:d00000010/, 'graphics'],
  [/^(hid|serio|input):/, 'keyboards and mice'],
  [/^(hdaudio|ac97|sdw|snd):/, 'sound'],
  [/^(scsi|mmc|nvme):/, 'storage'],
  [/^sdio:c07/, 'Wi-Fi'],
];

/** `pci:v00008086d…bc02sc80i00` → `Wi-Fi`; a device that no row knows is one of its bus: `platform devices`. */
export function deviceKind({ modaliases, subsystem }: Pick<BoundDevice, 'modaliases' | 'subsystem'>): string {
  for (const [pattern, what] of ROWS) if (modaliases.some((modalias) => pattern.test(modalias))) return what;
  return subsystem === '' ? 'other devices' : `${subsystem} devices`;
}
