/** What an agent must stand on a real kernel: the kernel's own requests, inits that sleep or ask, storms, forgeries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { median } from '../../bench/statistics.ts';
import { buildModule } from '../../fixtures/kernel-module.ts';
import { WHOLE } from '../../share.ts';
import { GuestAgent, probe, proberFiles, type Probed } from './agent.ts';
import { hotplugSlots } from '../machine/devices.ts';
import { machineImage, type GuestFiles, type Image } from '../machine/image.ts';
import { boot } from '../machine/machine.ts';
import { storm, stormText } from './storm.ts';

const root = join(import.meta.dirname, '../../../..');
const ENODEV = 19;
const EPERM = 1;
/** The emulated machine works off some 2,000 a second, on a busy host 500; `npm run soak:agent` sends 200,000. */
const STORM = WHOLE ? 20_000 : 5_000;
/** Milliseconds that an init sleeps at least while other modules are loaded. */
const NAP = WHOLE ? 30_000 : 5_000;

/** An init that sleeps for so many seconds, which can be changed meanwhile, and one that asks for other modules before it is done. */
const SLEEPER = `#include <linux/module.h>
#include <linux/delay.h>
static int seconds = 3600;
module_param(seconds, int, 0644);
static int __init begin(void) { int slept; for (slept = 0; slept < READ_ONCE(seconds); slept++) ssleep(1); return 0; }
static void __exit end(void) {}
module_init(begin); module_exit(end);
MODULE_LICENSE("GPL"); MODULE_ALIAS("pci:v00001234d000011E8*");`;
const ASKER = `#include <linux/module.h>
#include <linux/kmod.h>
int asker_symbol; EXPORT_SYMBOL_GPL(asker_symbol);
static int __init begin(void) {
	pr_warn("asker: minix %d, nothing %d\\n", request_module("fs-minix"), request_module("fs-plugd-nothing"));
	return 0;
}
static void __exit end(void) {}
module_init(begin); module_exit(end);
MODULE_LICENSE("GPL"); MODULE_ALIAS("fs-plugd-asks");`;

t.setTimeout(1_200_000);
const found = await machineImage();
const skip = found.kind === 'missing' ? found.sentence : false;

/** Modules of our own in the machine, installed as a package would: files, then the tree's indexes. */
async function ownModules(image: Image): Promise<GuestFiles | string> {
  const sleeper = await buildModule(image.tree, 'sleeper', SLEEPER);
  const asker = await buildModule(image.tree, 'asker', ASKER);
  if (sleeper.kind === 'missing') return sleeper.sentence;
  if (asker.kind === 'missing') return asker.sentence;
  return {
    'opt/sleeper.ko': readFileSync(sleeper.file),
    'opt/asker.ko': readFileSync(asker.file),
    'opt/install-aliases': INSTALL_ALIASES,
    'opt/install-dependencies': INSTALL_DEPENDENCIES,
  };
}

/** depmod takes the emulated machine half a minute; these lines are what it would add to the text files, one after the other. */
const INSTALL_ALIASES = `set -e
cd /lib/modules/$(uname -r)
mkdir -p updates
cp /opt/sleeper.ko /opt/asker.ko updates/
cp modules.alias modules.alias.new
echo 'alias pci:v00001234d000011E8* sleeper
alias fs-plugd-asks asker' >> modules.alias.new
mv modules.alias.bin /tmp
mv modules.alias.new modules.alias
`;
const INSTALL_DEPENDENCIES = `set -e
cd /lib/modules/$(uname -r)
cp modules.dep modules.dep.new
echo 'updates/sleeper.ko:
updates/asker.ko:' >> modules.dep.new
mv modules.dep.bin /tmp
mv modules.dep.new modules.dep
`;

const ms = (asked: readonly Probed[]) => median(asked.map((one) => one.ms));

t.test('trouble', { skip }, async (t) => {
  const image = found as Image;
  const own = await ownModules(image);
  const files = { ...(await proberFiles(root)), ...(typeof own === 'string' ? {} : own) };
  await using machine = await boot(image, {
    devices: [...hotplugSlots(4), '-netdev', 'hubport,id=net0,hubid=0'],
    files,
  });
  const agent = await GuestAgent.start(machine, ['--serve-kernel-requests', '--jobs', '1']);
  const setting = async () => (await machine.output('cat', ['/proc/sys/kernel/modprobe'])).trim();

  await t.test("the kernel's requests are served, not slower than by modprobe", async (t) => {
    const ours = await setting();
    t.match(ours, /plugd-request$/);
    t.same((await probe(machine, 'socket', '29'))[0]?.number, 0, 'an address family: net-pf-29');
    await machine.output('sh', ['-c', 'mknod /dev/plugd-test c 108 0']);
    await probe(machine, 'open', '/dev/plugd-test');
    t.same(await agent.loaded(['can', 'ppp_generic']), [], 'a character device: char-major-108');
    t.match(await agent.line('inserted', ({ module }) => module === 'can'), { by: 'kernel', name: 'net-pf-29' });
    // In turn, since the host may be slow for a while.
    const times: Record<string, number[]> = {
      'a module': [],
      'no module': [],
      'a module, modprobe': [],
      'no module, modprobe': [],
    };
    for (let round = 0; round < 5; round++) {
      for (const [suffix, path] of [
        ['', ours],
        [', modprobe', '/sbin/modprobe'],
      ] as const) {
        await machine.output('sh', ['-c', `echo ${path} > /proc/sys/kernel/modprobe`]);
        times[`a module${suffix}`]?.push(ms(await probe(machine, 'fs', 'minix', '2')));
        const none = await probe(machine, 'fs', 'plugd-nothing', '2');
        t.same(
          none.map(({ number }) => number),
          [ENODEV, ENODEV],
          'no such module: mount(2) answers ENODEV',
        );
        times[`no module${suffix}`]?.push(ms(none));
      }
    }
    await machine.output('sh', ['-c', `echo ${ours} > /proc/sys/kernel/modprobe`]);
    for (const name of ['a module', 'no module']) {
      const [helper, modprobe] = [median(times[name] ?? []), median(times[`${name}, modprobe`] ?? [])];
      t.comment(`mount(2) that asks for ${name}: ${helper.toFixed(1)} ms, with modprobe ${modprobe.toFixed(1)} ms`);
    }
  });

  await t.test('a second agent is refused, a SIGHUP makes a new generation', async (t) => {
    const second = await machine.run('plugd', ['agent']);
    t.equal(second.status, 1);
    t.match(second.stderr, new RegExp(`another agent is running \\(pid ${agent.pid}\\)`));
    await agent.program.kill(1);
    t.match(await agent.line('generation'), { generation: 2 });
    t.equal((await agent.status()).pid, agent.pid);
  });

  const noModules = { skip: typeof own === 'string' ? own : false };
  await t.test('a driver installed for a device that waits; a half-written tree is not used', noModules, async (t) => {
    // `edu` has no driver in Debian.
    await machine.qmp.deviceAdd('edu', 'edu0', { bus: 'slot0' });
    await machine.output('sh', ['/opt/install-aliases']);
    t.match(await agent.line('generation-unfinished'), { msg: /2 modules .* are not in modules.dep/ });
    t.match(await agent.status(), { generation: { number: 2, behind: /not in modules.dep/ }, tasks: [] });
    await machine.output('sh', ['/opt/install-dependencies']);
    t.match(await agent.line('generation', ({ generation }) => generation === 3), { devices: Number });
    t.notMatch(await agent.status(), { generation: { behind: String } });
  });

  await t.test('an init that sleeps, and one that asks', noModules, async (t) => {
    // Installed a moment ago; it sleeps until the test wakes it. There is one job.
    const naming = await machine.run('plugd', ['settle', '--timeout', '3']);
    t.equal(naming.status, 1);
    t.match(naming.stderr, /still waiting for sleeper \(in finit_module for \d+\.\d s\)/);
    t.match((await agent.status()).tasks, [{ module: 'sleeper', state: 'inserting', ms: Number }]);
    await machine.qmp.deviceAdd('e1000e', 'net', { bus: 'slot1', netdev: 'net0' });
    t.same(await agent.loaded(['e1000e']), [], 'others are loaded meanwhile');
    const asked = await probe(machine, 'fs', 'plugd-asks', '1');
    t.equal(asked[0]?.number, ENODEV, 'its module registers no file system');
    t.same(await agent.loaded(['asker', 'minix']), [], 'an init got what it asked for');
    const log = await machine.output('dmesg');
    t.match(log, /asker: minix 0, nothing 256/, 'and saw the exit status, as from modprobe');
    for (;;) {
      const [task] = (await agent.status()).tasks;
      if (task?.module !== 'sleeper') throw new Error('the sleeper has ended by itself');
      if (task.ms >= NAP) break;
      await sleep(1000);
    }
    t.pass(`all that while the first slept, for ${NAP / 1000} s`);
    await machine.output('sh', ['-c', 'echo 0 > /sys/module/sleeper/parameters/seconds']);
    await agent.line('inserted', ({ module }) => module === 'sleeper');
    t.equal((await machine.run('plugd', ['settle', '--timeout', '60'])).status, 0);
  });

  await t.test('forged messages', async (t) => {
    t.equal((await probe(machine, 'spoof', '1000'))[0]?.number, 0, 'root may send them');
    const [nobody] = await probe(machine, 'spoof', '1', '65534');
    t.equal(nobody?.number, EPERM, 'an ordinary process may not even do that');
    t.match(await agent.status(), { uevents: { spoofed: 1000, malformed: 0 } });
  });

  await t.test(`a storm of ${STORM} uevents: none is lost`, async (t) => {
    const run = await storm(machine, agent, STORM);
    t.comment(stormText(run));
    t.ok(run.received >= STORM, `${run.received} received`);
    t.equal(run.overruns, 0);
    t.ok(run.peak <= 128 * 1024, 'at most 128 MiB');
    await machine.qmp.deviceAdd('virtio-rng-pci', 'rng0', { bus: 'slot2' });
    t.same(await agent.loaded(['virtio_rng']), [], 'hotplug is still served');
  });

  t.equal(await agent.stop(), 0);
  t.equal(await setting(), '/sbin/modprobe', 'the setting is as it was');
  await machine.qmp.deviceDel('rng0');
  await machine.output('rmmod', ['virtio_rng']);
  // kmod reads no text: without these its modprobe finds nothing.
  await machine.shell('rmmod minix; mv /tmp/modules.*.bin /lib/modules/*/');
  // Nobody hears this one.
  await machine.qmp.deviceAdd('pvpanic-pci', 'panic', { bus: 'slot3' });
  const before = await machine.modules();
  const second = await GuestAgent.start(machine, ['--receive-buffer', '8192', '--serve-kernel-requests']);

  await t.test('a restart loses and doubles nothing', async (t) => {
    t.same(await second.loaded(['pvpanic_pci']), []);
    const inserted = second.lines.filter(({ event }) => event === 'inserted').map(({ module }) => module ?? '');
    t.same(
      inserted.filter((module) => before.includes(module)),
      [],
    );
    t.equal(new Set(inserted).size, inserted.length);
  });

  await t.test('a storm into a small buffer: the agent notices what is lost, and catches up', async (t) => {
    // Its uevent comes in the middle of the storm, where hardly any gets through.
    const run = await storm(machine, second, STORM, async () => {
      await sleep(100);
      await machine.qmp.deviceAdd('virtio-rng-pci', 'rng1', { bus: 'slot2' });
    });
    t.comment(stormText(run));
    t.same(await second.loaded(['virtio_rng']), [], 'the device is served');
    t.ok(run.overruns > 0 && run.lost > 0 && run.rescans > 0);
    t.match(await second.line('resync'), { level: 'warn', lost: Number });
  });

  await t.test('killed outright, it leaves the kernel a modprobe', async (t) => {
    t.equal(await second.stop(9), -9);
    t.match(await setting(), /plugd-request$/);
    t.not((await probe(machine, 'fs', 'minix', '1'))[0]?.number, ENODEV, 'the helper becomes modprobe');
    const third = await GuestAgent.start(machine, ['--serve-kernel-requests']);
    t.match(third.lines[0], { event: 'start', kernelRequests: '/sbin/modprobe' });
    t.equal(await third.stop(), 0);
    t.equal(await setting(), '/sbin/modprobe', 'the next agent puts back what was there first');
  });
});
