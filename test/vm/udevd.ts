/** What plugd is compared with: Debian's systemd-udevd, told of every device of the machine, until its queue is empty. */
import type { GuestResult } from './machine/guest-port.ts';
import type { Machine } from './machine/machine.ts';

const LINE = [
  '/usr/lib/systemd/systemd-udevd --daemon',
  'udevadm trigger --type=subsystems --action=add',
  'udevadm trigger --type=devices --action=add',
  'udevadm settle',
].join(' && ');

/** Coldplug as Debian's boot does it (systemd-udev-trigger.service, then settle); its wall time is that of all four commands. */
export async function coldplugByUdevd(machine: Machine): Promise<GuestResult> {
  return machine.shell(LINE, { timeout: 300_000 });
}
