/** What plugd is compared with: Debian's systemd-udevd, told of every device of the machine, until its queue is empty. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cached } from '../fixtures/cache.ts';
import { kitchenSink } from './machine/devices.ts';
import type { GuestResult } from './machine/guest-port.ts';
import type { Image } from './machine/image.ts';
import { boot, type Machine } from './machine/machine.ts';

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

/** The modules when no more come: nothing is loaded for five seconds. */
export async function quietModules(machine: Machine): Promise<readonly string[]> {
  for (;;) {
    const before = await machine.modules();
    await machine.run('sleep', ['5']);
    const after = await machine.modules();
    if (after.length === before.length) return after;
  }
}

/** What udevd loads on the machine with many devices, found out once for an image: whoever compares with it boots one machine less. */
export async function udevdModules(image: Image): Promise<readonly string[]> {
  const key = createHash('sha256').update(JSON.stringify([basename(dirname(image.base)), kitchenSink(), LINE]));
  const folder = await cached(`vm/udevd-${key.digest('hex').slice(0, 12)}`, async (half) => {
    await using machine = await boot(image, { devices: kitchenSink() });
    const ended = await coldplugByUdevd(machine);
    if (ended.status !== 0) throw new Error(`udevd: ${ended.stderr}`);
    writeFileSync(join(half, 'modules.json'), JSON.stringify(await quietModules(machine)));
  });
  return JSON.parse(readFileSync(join(folder, 'modules.json'), 'utf8')) as readonly string[];
}
