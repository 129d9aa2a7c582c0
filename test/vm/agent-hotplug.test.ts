/** Hotplug on a real kernel: devices of every kind that QEMU can plug in, one by one, again, and fifty at once. */
import { join } from 'node:path';
import t from 'tap';
import { median } from '../bench/statistics.ts';
import { GuestAgent, proberFiles, type AgentLine } from './agent.ts';
import { hotplugSlots, usbController, zeroes } from './devices.ts';
import { machineImage, type Image } from './image.ts';
import { boot, type Machine } from './machine.ts';

const root = join(import.meta.dirname, '../../..');
const SLOTS = 16;
const DISKS = 26;
const NETS = 9;

/** What is plugged in, on which bus, with which properties, and the modules that must come (QEMU 7.2, Debian 12). */
const DEVICES: ReadonlyArray<{
  readonly driver: string;
  readonly bus: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly modules: readonly string[];
}> = [
  { driver: 'virtio-net-pci', bus: 'slot0', properties: { netdev: 'net0' }, modules: ['virtio_pci', 'virtio_net'] },
  { driver: 'virtio-blk-pci', bus: 'slot1', properties: { drive: 'disk0' }, modules: ['virtio_blk'] },
  { driver: 'nvme', bus: 'slot2', properties: { drive: 'disk1', serial: 'plugd' }, modules: ['nvme'] },
  { driver: 'e1000e', bus: 'slot3', properties: { netdev: 'net1' }, modules: ['e1000e'] },
  { driver: 'usb-storage', bus: 'usb.0', properties: { drive: 'disk2' }, modules: ['usb_storage', 'sd_mod'] },
  { driver: 'usb-kbd', bus: 'usb.0', modules: ['usbhid', 'hid_generic', 'evdev'] },
  {
    driver: 'usb-serial',
    bus: 'usb.0',
    properties: { chardev: 'nothing', 'always-plugged': true },
    modules: ['ftdi_sio'],
  },
  { driver: 'usb-net', bus: 'usb.0', properties: { netdev: 'net2' }, modules: ['cdc_ether'] },
  { driver: 'usb-audio', bus: 'usb.0', properties: { audiodev: 'silence' }, modules: ['snd_usb_audio'] },
];

function supplies(): string[] {
  const disks = Array.from({ length: 3 + DISKS }, (_, i) => zeroes(`disk${i}`, 1)).flat();
  const nets = Array.from({ length: NETS }, (_, i) => ['-netdev', `hubport,id=net${i},hubid=0`]).flat();
  return [...disks, ...nets, '-audiodev', 'none,id=silence', '-chardev', 'null,id=nothing'];
}

/** How many devices are bound to a driver: `bound('virtio', 'virtio_net')`. */
async function bound(machine: Machine, bus: string, driver: string): Promise<number> {
  const { stdout } = await machine.shell(`ls -l /sys/bus/${bus}/drivers/${driver}/ | grep -c '/devices/'`);
  return Number(stdout);
}

/** The first insertion of each device's modalias: what hotplug is felt by. */
function latencies(lines: readonly AgentLine[]): number[] {
  const first = new Map<string, number>();
  for (const { event, by, device, modalias, waitMs } of lines) {
    if (event !== 'inserted' || by !== 'device' || waitMs === undefined) continue;
    const key = `${device} ${modalias}`;
    first.set(key, Math.min(first.get(key) ?? Infinity, waitMs));
  }
  return [...first.values()];
}

t.setTimeout(600_000);
const found = await machineImage();

t.test('hotplug', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const devices = [...hotplugSlots(SLOTS), ...usbController(), '-device', 'virtio-scsi-pci,id=scsi', ...supplies()];
  await using machine = await boot(found as Image, { devices, files: await proberFiles(root) });
  const agent = await GuestAgent.start(machine);
  const { rss, cpuMs } = await agent.figures();
  await machine.run('sleep', ['5']);
  const idleMs = (await agent.figures()).cpuMs - cpuMs;
  t.comment(`after coldplug: ${(rss / 1024).toFixed(1)} MiB, ${idleMs} ms of processor time in 5 s`);
  t.ok(idleMs <= 20, 'it does nothing when there is nothing to do');
  t.ok(rss <= 56 * 1024, `idle it takes ${(rss / 1024).toFixed(1)} MiB, at most 56`);
  const begin = agent.lines.length;

  await t.test('each kind of device gets its modules', async (t) => {
    for (const { driver, bus, properties, modules } of DEVICES) {
      await machine.qmp.deviceAdd(driver, driver, { bus, ...properties });
      t.same(await agent.loaded(modules), [], driver);
    }
    const times = latencies(agent.lines.slice(begin));
    const worst = Math.max(...times);
    t.comment(
      `from the uevent to finit_module: median ${median(times).toFixed(1)} ms, worst ${worst.toFixed(1)} ms of ${times.length}`,
    );
    t.ok(times.length >= DEVICES.length, 'each of them brought a module');
  });

  await t.test('pulled out, its driver unloaded, and plugged in again', async (t) => {
    for (const driver of ['e1000e', 'usb-kbd']) {
      await machine.qmp.deviceDel(driver);
      const device = DEVICES.find((one) => one.driver === driver);
      const module = device?.modules[0] ?? '';
      t.equal((await machine.run('modprobe', ['-r', module])).status, 0, `${module} can be unloaded`);
      t.notOk((await machine.modules()).includes(module));
      await machine.qmp.deviceAdd(driver, driver, { bus: device?.bus, ...device?.properties });
      t.same(await agent.loaded([module]), [], `${module} is back`);
    }
    t.equal(await bound(machine, 'pci', 'e1000e'), 1);
    t.equal(await bound(machine, 'usb', 'usbhid'), 1);
  });

  await t.test('fifty at once, none missed', async (t) => {
    const before = await agent.status();
    const adds: Promise<void>[] = [];
    const add = (driver: string, id: string, properties: Readonly<Record<string, unknown>>) =>
      adds.push(machine.qmp.deviceAdd(driver, id, properties));
    for (let i = 0; i < 6; i++) add('virtio-net-pci', `many-net${i}`, { bus: `slot${4 + i}`, netdev: `net${3 + i}` });
    for (let i = 0; i < 6; i++) add('virtio-rng-pci', `many-rng${i}`, { bus: `slot${10 + i}` });
    for (let i = 0; i < DISKS; i++) {
      add('scsi-hd', `many-disk${i}`, { bus: 'scsi.0', 'scsi-id': 1 + i, drive: `disk${3 + i}` });
    }
    for (let i = 0; i < 8; i++) add(i % 2 === 0 ? 'usb-tablet' : 'usb-mouse', `many-usb${i}`, { bus: 'usb.0' });
    for (let i = 8; i < 12; i++) add('usb-wacom-tablet', `many-usb${i}`, { bus: 'usb.0' });
    t.equal(adds.length, 50);
    await Promise.all(adds);
    const wanted: Record<string, readonly [bus: string, driver: string, count: number]> = {
      'network cards': ['virtio', 'virtio_net', 7],
      'random sources': ['virtio', 'virtio_rng', 6],
      disks: ['scsi', 'sd', DISKS + 1],
      'keyboard, mice and tablets': ['usb', 'usbhid', 13],
    };
    for (const [name, [bus, driver, count]] of Object.entries(wanted)) {
      let there = 0;
      for (let tries = 120; tries > 0 && there < count; tries--) {
        there = await bound(machine, bus, driver).catch(() => 0);
        if (there < count) await machine.run('sleep', ['0.5']);
      }
      t.equal(there, count, name);
    }
    const settled = await machine.run('plugd', ['settle', '--timeout', '60']);
    t.equal(settled.status, 0, settled.stderr);
    const after = await agent.status();
    t.equal(after.state, 'settled');
    t.equal(after.uevents.overruns, 0);
    t.ok(after.devices >= before.devices + 50, `${after.devices - before.devices} more devices are known`);
    t.same(
      agent.lines.filter(({ event, level }) => event === 'failed' && level === 'warn'),
      [],
    );
  });

  t.equal(await agent.stop(), 0);
});
