/** Coldplug on a real kernel, beside Debian's systemd-udevd in the same machine, from a fresh boot each. */
import t from 'tap';
import { kitchenSink } from './machine/devices.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot, type Machine } from './machine/machine.ts';
import { coldplugByUdevd } from './udevd.ts';

/** What `plugd coldplug --json` must hold for these tests. */
interface Result {
  readonly devices: number;
  readonly dryRun: boolean;
  readonly modules: readonly {
    readonly module: string;
    readonly result: string;
    readonly requester: { readonly devpath: string; readonly name: string; readonly by?: string };
  }[];
  readonly kernelRequests?: { readonly received: number; readonly found: number; readonly failed: number };
  readonly unsettled?: readonly string[];
}

/** Seconds after the end in which a module that still comes would be noticed. */
const QUIET = 5;

/** Modules that plugd may load and udevd not, with the reason. None is known. */
const PLUGD_ONLY: Readonly<Record<string, string>> = {};

/** Devices that two drivers claim; which of them gets one depends on which is there first. */
const RACES = / (8139cp|8139too|cdc_ether|cdc_subset)$/;

async function quiet(machine: Machine): Promise<readonly string[]> {
  await machine.run('sleep', [String(QUIET)]);
  return machine.modules();
}

/**
 * Every device that has a driver, sorted: `/devices/pci0000:00/0000:00:16.0/usb#/#-# usb`. Below a device on the PCI bus numbers are left
 * out: they are given in the order in which drivers start.
 */
async function boundDrivers(machine: Machine): Promise<readonly string[]> {
  const line =
    'find /sys/devices -name driver -type l | while read -r at; do echo "${at%/driver} $(basename "$(readlink "$at")")"; done';
  const text = (await machine.output('sh', ['-c', line])).trimEnd();
  const bound = text.split('\n').map((one) => {
    const [, bus = '', below = ''] =
      /^\/sys(\/devices\/pci\S*[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d)?(.*)$/.exec(one) ?? [];
    const [path = '', driver = ''] = below.split(' ');
    return `${bus}${bus === '' ? path : path.replace(/\d+/g, '#')} ${driver}`;
  });
  return bound.toSorted();
}

/** What is in the first list more often than in the second. */
function surplus(all: readonly string[], some: readonly string[]): string[] {
  const rest = [...some];
  return all.filter((one) => {
    const at = rest.indexOf(one);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function except(all: readonly string[], some: readonly string[]): string[] {
  return all.filter((one) => !some.includes(one));
}

t.setTimeout(1_200_000);
const found = await machineImage();

t.test('plugd and systemd-udevd', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const image = found as Image;
  let udevd: readonly string[] = [];
  let udevdDrivers: readonly string[] = [];

  await t.test('systemd-udevd, the measure', async (t) => {
    await using machine = await boot(image, { devices: kitchenSink() });
    t.same(await machine.modules(), [], 'a fresh machine has no module loaded');
    const ended = await coldplugByUdevd(machine);
    t.equal(ended.status, 0, ended.stderr);
    const atEnd = await machine.modules();
    udevd = await quiet(machine);
    udevdDrivers = await boundDrivers(machine);
    t.ok(udevd.length >= 84, `the machine has devices for many modules: ${udevd.length}`);
    t.comment(
      `udevd ${(ended.wallMs / 1000).toFixed(2)} s, ${udevd.length} modules; after settle came: ${except(udevd, atEnd).join(' ') || 'none'}`,
    );
  });

  await t.test('plugd coldplug', async (t) => {
    await using machine = await boot(image, { devices: kitchenSink() });
    const before = await boundDrivers(machine);
    const setting = async () => machine.output('cat', ['/proc/sys/kernel/modprobe']);
    const modprobe = await setting();

    const plan = await machine.run('plugd', ['coldplug', '-n', '--json']);
    t.equal(plan.status, 0, plan.stderr);
    const planned = JSON.parse(plan.stdout) as Result;
    t.equal(planned.dryRun, true);
    t.same(await machine.modules(), [], 'a dry run loads nothing');
    t.same(await boundDrivers(machine), before, 'a dry run binds nothing');

    const ended = await machine.run('plugd', ['coldplug', '--json', '--timeout=3000'], { timeout: 3_000_000 });
    t.equal(ended.status, 0, ended.stderr);
    const atEnd = await machine.modules();
    const result = JSON.parse(ended.stdout) as Result;
    t.equal(result.unsettled, undefined, 'it settled');
    const plugd = await quiet(machine);
    t.comment(
      `plugd ${(ended.wallMs / 1000).toFixed(2)} s, ${plugd.length} modules, ${Math.round(ended.maxRssKiB / 1024)} MiB`,
    );

    t.same(except(udevd, plugd), [], 'every module that udevd loads, plugd loads');
    const own = except(plugd, udevd);
    for (const module of own) t.comment(`plugd only: ${module}: ${PLUGD_ONLY[module] ?? 'no reason is known'}`);
    t.same(except(own, Object.keys(PLUGD_ONLY)), [], 'each module that only plugd loads has its reason');
    t.same(except(plugd, atEnd), [], 'when it ends nothing more is to come');

    const inserted = result.modules.filter((record) => record.result === 'inserted').map((record) => record.module);
    t.same(except(inserted, atEnd), [], 'what it says it inserted is loaded');
    const byKernel = result.modules.filter((record) => record.requester.by === 'kernel');
    t.comment(
      `${result.kernelRequests?.received} requests of the kernel itself, for ${byKernel.map((one) => `${one.module} (${one.requester.name})`).join(', ')}`,
    );
    t.ok(byKernel.length > 0 && (result.kernelRequests?.found ?? 0) >= byKernel.length, 'the kernel is served');
    t.equal(await setting(), modprobe, 'and asks modprobe again afterwards');
    const byModprobe = except(atEnd, inserted);
    t.comment(`the kernel asked modprobe, before it was served: ${byModprobe.join(' ') || 'for none'}`);
    const handled = result.modules
      .filter((record) => record.result !== 'already-loaded')
      .map((record) => record.module);
    t.same(except(handled, except(handled, byModprobe)), [], 'no module is loaded of which it says otherwise');
    t.same(new Set(inserted).size, inserted.length, 'each module once');
    const wanted = planned.modules.map((record) => record.module);
    t.same(
      except(
        wanted,
        result.modules.map((record) => record.module),
      ),
      [],
      'it does what the dry run said, and more as devices appear',
    );

    const drivers = await boundDrivers(machine);
    const lacking = surplus(udevdDrivers, drivers);
    t.same(
      lacking.filter((one) => !RACES.test(one)),
      [],
      'every device has the driver that it has under udevd',
    );

    const again = await machine.run('plugd', ['coldplug', '--json']);
    t.equal(again.status, 0, again.stderr);
    const second = JSON.parse(again.stdout) as Result;
    t.same(
      second.modules.filter((record) => record.result === 'inserted').map((record) => record.module),
      [],
      'a second run has nothing to insert',
    );
    t.same(await machine.modules(), plugd, 'and changes nothing');
    t.notMatch(await machine.output('dmesg'), /BUG:|Oops|Call Trace|segfault/, 'the kernel has no complaint');
  });

  await t.test('as many at a time as there are, and modprobe for the kernel', async (t) => {
    await using machine = await boot(image, { devices: kitchenSink() });
    const args = ['coldplug', '--json', '--jobs', '100', '--leave-kernel-requests'];
    const ended = await machine.run('plugd', args, { timeout: 300_000 });
    t.equal(ended.status, 0, ended.stderr);
    const atEnd = await machine.modules();
    t.equal((JSON.parse(ended.stdout) as Result).kernelRequests, undefined);
    // The hub has devices to find long after everything else is done.
    t.same(except(await quiet(machine), atEnd), [], 'when it ends nothing more is to come');
    t.same(except(udevd, atEnd), [], 'the same modules');
  });
});
