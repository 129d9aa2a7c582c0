/** Hotplug on a real kernel: devices of every kind that QEMU can plug in, one by one, again, and fifty at once. */
import t from 'tap';
import { median } from '../../bench/statistics.ts';
import { WHOLE } from '../../share.ts';
import { IDLE_KIB } from './chaos.ts';
import { GuestAgent, type AgentLine } from './agent.ts';
import { cyclesText, growth, hotplugCycles } from './cycles.ts';
import { hotplugSlots, usbController, zeroes } from '../machine/devices.ts';
import { machineImage, type Image } from '../machine/image.ts';
import { boot, type Machine } from '../machine/machine.ts';

const SLOTS = 16;
const DISKS = 26;
const NETS = 9;
/** Seconds of plugging in and out; `npm run soak:agent` goes on for ten minutes. */
const CYCLES = WHOLE ? 30 : 12;

/**
 * What is plugged in, on which bus, with which properties, the modules that must come (QEMU 7.2, Debian 12), and those of them
 * that nothing else uses, so that they can be unloaded.
 */
const DEVICES: ReadonlyArray<{
  readonly driver: string;
  readonly bus: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly modules: readonly string[];
  readonly own: readonly string[];
}> = [
  {
    driver: 'virtio-net-pci',
    bus: 'slot0',
    properties: { netdev: 'net0' },
    modules: ['virtio_pci', 'virtio_net'],
    own: ['virtio_net'],
  },
  {
    driver: 'virtio-blk-pci',
    bus: 'slot1',
    properties: { drive: 'disk0' },
    modules: ['virtio_blk'],
    own: ['virtio_blk'],
  },
  { driver: 'nvme', bus: 'slot2', properties: { drive: 'disk1', serial: 'plugd' }, modules: ['nvme'], own: ['nvme'] },
  { driver: 'e1000e', bus: 'slot3', properties: { netdev: 'net1' }, modules: ['e1000e'], own: ['e1000e'] },
  {
    driver: 'usb-storage',
    bus: 'usb.0',
    properties: { drive: 'disk2' },
    modules: ['usb_storage', 'sd_mod'],
    own: ['uas', 'usb_storage', 'sd_mod'],
  },
  { driver: 'usb-kbd', bus: 'usb.0', modules: ['usbhid', 'hid_generic', 'evdev'], own: ['hid_generic', 'usbhid'] },
  {
    driver: 'usb-serial',
    bus: 'usb.0',
    properties: { chardev: 'nothing', 'always-plugged': true },
    modules: ['ftdi_sio'],
    own: ['ftdi_sio'],
  },
  { driver: 'usb-net', bus: 'usb.0', properties: { netdev: 'net2' }, modules: ['cdc_ether'], own: ['cdc_ether'] },
  {
    driver: 'usb-audio',
    bus: 'usb.0',
    properties: { audiodev: 'silence' },
    modules: ['snd_usb_audio'],
    own: ['snd_usb_audio'],
  },
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

const mib = (kib: number) => (kib / 1024).toFixed(1);

t.setTimeout(1_200_000);
const found = await machineImage();

t.test('hotplug', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const devices = [...hotplugSlots(SLOTS), ...usbController(), '-device', 'virtio-scsi-pci,id=scsi', ...supplies()];
  await using machine = await boot(found as Image, { devices });
  const agent = await GuestAgent.start(machine);
  // V8 collects its garbage some ten seconds after the last work, in several steps on a slow host. Then nothing more happens.
  let idle = Infinity;
  let rss = Infinity;
  for (let tries = 6; tries > 0 && (idle >= 10 || rss > IDLE_KIB); tries--) {
    const before = await agent.figures();
    await machine.run('sleep', ['10']);
    const after = await agent.figures();
    idle = after.wakeups - before.wakeups;
    rss = after.rss;
    t.comment(`${mib(rss)} MiB; woken ${idle} times in 10 s, for ${(after.cpuMs - before.cpuMs).toFixed(1)} ms`);
  }
  t.ok(idle < 10, 'it does nothing when there is nothing to do: not even once a second');
  t.ok(rss <= IDLE_KIB, `idle it takes ${mib(rss)} MiB, at most 58`);
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
    for (const { driver, bus, properties, modules, own } of DEVICES) {
      await machine.qmp.deviceDel(driver);
      const ended = await machine.run('modprobe', ['-r', ...own]);
      t.equal(ended.status, 0, `${own.join(' ')} can be unloaded ${ended.stderr}`);
      const there = await machine.modules();
      t.same(
        own.filter((module) => there.includes(module)),
        [],
      );
      await machine.qmp.deviceAdd(driver, driver, { bus, ...properties });
      t.same(await agent.loaded([...modules, ...own.filter((module) => module !== 'uas')]), [], `${driver} is back`);
    }
    t.equal(await bound(machine, 'pci', 'e1000e'), 1);
    t.equal(await bound(machine, 'usb', 'usbhid'), 1);
  });

  const rngs = Array.from({ length: 6 }, (_, i) => `many-rng${i}`);
  const pointers = Array.from({ length: 12 }, (_, i) => `many-usb${i}`);

  await t.test('fifty at once, none missed', async (t) => {
    const before = await agent.status();
    const adds: Promise<void>[] = [];
    const add = (driver: string, id: string, properties: Readonly<Record<string, unknown>>) =>
      adds.push(machine.qmp.deviceAdd(driver, id, properties));
    for (let i = 0; i < 6; i++) add('virtio-net-pci', `many-net${i}`, { bus: `slot${4 + i}`, netdev: `net${3 + i}` });
    for (const [i, id] of rngs.entries()) add('virtio-rng-pci', id, { bus: `slot${10 + i}` });
    for (let i = 0; i < DISKS; i++) {
      add('scsi-hd', `many-disk${i}`, { bus: 'scsi.0', 'scsi-id': 1 + i, drive: `disk${3 + i}` });
    }
    const kinds = ['usb-tablet', 'usb-mouse', 'usb-wacom-tablet'];
    for (const [i, id] of pointers.entries()) add(kinds[i % 3] ?? '', id, { bus: 'usb.0' });
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

  await t.test('in and out, again and again: it takes no more than before', async (t) => {
    const others = [...rngs, ...pointers, 'usb-kbd'];
    for (const id of others) await machine.qmp.deviceDel(id);
    const run = await hotplugCycles(machine, agent, CYCLES);
    t.comment(cyclesText(run));
    t.ok(run.latencies.length >= 4 * run.cycles && run.cycles > 1, `${run.plugged} devices`);
    t.equal(growth(run).descriptors, 0);
    t.ok(growth(run).rss <= 4096, `${growth(run).rss} KiB more`);
  });

  t.equal(await agent.stop(), 0);
});
