/** Which modules to insert first when several are ready. Pure; never changes which modules load. */
import type { Device } from '../facts/devices/device.ts';
import type { Step } from '../plan/plan.ts';
import type { Requester } from '../records/coldplug-run.ts';

/**
 * What goes first among the modules that are ready, by what asks for it: drivers of controllers, because further devices
 * appear behind them later, in the background. USB leads: its hubs take their time over each port. Then storage (PCI class
 * 01), SD hosts (08 05), audio with codecs behind it (04 03), everything virtio; and drivers of
 * USB and HID devices, which make SCSI, HID and input devices of them. Source: pci_ids.h.
 */
const CONTROLLERS: ReadonlyArray<readonly [begin: string, within: readonly string[], rank: number]> = [
  ['pci:', ['bc0Csc03'], 4],
  ['pci:v00001AF4', [''], 3],
  ['pci:', ['bc01', 'bc08sc05', 'bc04sc03'], 2],
  ['usb:', [''], 2],
  ['hid:', [''], 2],
];
const HIGHEST = 4;
/** Ciphers and digests: the kernel tests each as it is registered, up to seconds of computing that should not come last. */
const SELF_TESTED = '/crypto/';

/** Controllers before the rest, each as it came: the first insertions begin while most devices have not had their turn. */
export function inOrderOfRank(devices: Iterable<Device>): readonly Device[] {
  const ranks: Device[][] = Array.from({ length: HIGHEST + 1 }, () => []);
  for (const device of devices) ranks[HIGHEST - rankOfDevice(device.modaliases[0] ?? '')]?.push(device);
  return ranks.flat();
}

/** The rank of the drivers of a device; 0 for what is no controller. */
function rankOfDevice(modalias: string): number {
  for (const [begin, within, rank] of CONTROLLERS)
    if (modalias.startsWith(begin) && within.some((part) => modalias.includes(part))) return rank;
  return 0;
}

/** The scheduler's rank of a step, by what asks for it; higher goes first. */
export function rankOf(requester: Requester, step: Step): number {
  const rank = rankOfDevice(requester.name);
  return rank > 0 ? rank : step.path.includes(SELF_TESTED) ? 1 : 0;
}
