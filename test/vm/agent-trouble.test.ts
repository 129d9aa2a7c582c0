/** What an agent must stand on a real kernel: the kernel's own requests, inits that sleep or ask, storms, forgeries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { median } from '../bench/statistics.ts';
import { buildModule } from '../fixtures/kernel-module.ts';
import { GuestAgent, probe, proberFiles, type Probed } from './agent.ts';
import { hotplugSlots } from './devices.ts';
import { machineImage, type GuestFiles, type Image } from './image.ts';
import { boot } from './machine.ts';

const root = join(import.meta.dirname, '../../..');
const ENODEV = 19;
/** The emulated machine works off some 2,000 a second; `npm run soak:agent` sends 200,000. */
const STORM = 50_000;

/** An init that sleeps, and one that asks for another module, and for what needs itself, before it is done. */
const SLEEPER = `#include <linux/module.h>
#include <linux/delay.h>
static int __init begin(void) { ssleep(30); return 0; }
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

t.setTimeout(900_000);
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
    'opt/install': INSTALL,
  };
}

/** depmod takes the emulated machine half a minute; these lines are what it would add to the text files. */
const INSTALL = `set -e
cd /lib/modules/$(uname -r)
mkdir -p updates
cp /opt/sleeper.ko /opt/asker.ko updates/
cp modules.alias modules.alias.new
echo 'alias pci:v00001234d000011E8* sleeper
alias fs-plugd-asks asker' >> modules.alias.new
cp modules.dep modules.dep.new
echo 'updates/sleeper.ko:
updates/asker.ko:' >> modules.dep.new
rm -f modules.alias.bin modules.dep.bin
mv modules.dep.new modules.dep
mv modules.alias.new modules.alias
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

  await t.test('an init that sleeps, and one that asks', { skip: typeof own === 'string' ? own : false }, async (t) => {
    await machine.output('sh', ['/opt/install']);
    await agent.line('generation', ({ generation }) => generation === 2);
    t.pass('the installed modules made a new generation, without anybody calling anything');
    // `edu` has no driver in Debian; ours sleeps for 30 s. There is one job.
    await machine.qmp.deviceAdd('edu', 'edu0', { bus: 'slot0' });
    const naming = await machine.run('plugd', ['settle', '--timeout', '1']);
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
    t.match(await agent.status(), { tasks: [{ module: 'sleeper' }] }, 'all that within the sleep of the first');
    await agent.line('inserted', ({ module }) => module === 'sleeper');
    t.equal((await machine.run('plugd', ['settle', '--timeout', '30'])).status, 0);
  });

  await t.test('forged messages', async (t) => {
    t.equal((await probe(machine, 'spoof', '1000'))[0]?.number, 0);
    const nobody = await machine.run('setpriv', ['--reuid', '65534', 'prober', 'spoof', '1']).catch(() => undefined);
    t.comment(`an ordinary process may not even send: ${nobody?.stdout.trim()}`);
    t.match(await agent.status(), { uevents: { spoofed: 1000, malformed: 0 } });
  });

  const targets = (await machine.output('sh', ['-c', 'ls -d /sys/class/mem/*/uevent /sys/class/tty/tty[0-9]*/uevent']))
    .trimEnd()
    .split('\n');

  await t.test(`a storm of ${STORM} uevents: none is lost`, async (t) => {
    const before = (await agent.status()).uevents;
    const [sent] = await probe(machine, 'storm', String(STORM), ...targets);
    const settled = await machine.run('plugd', ['settle', '--timeout', '280', '-q'], { timeout: 300_000 });
    t.equal(settled.status, 0, settled.stderr);
    const after = (await agent.status()).uevents;
    t.ok(after.received - before.received >= STORM, `${after.received - before.received} received`);
    t.equal(after.overruns, 0);
    const { peak } = await agent.figures();
    t.comment(`sent in ${((sent?.ms ?? 0) / 1000).toFixed(1)} s; at most ${(peak / 1024).toFixed(1)} MiB`);
    t.ok(peak <= 128 * 1024, `at most ${(peak / 1024).toFixed(1)} MiB`);
    await machine.qmp.deviceAdd('virtio-rng-pci', 'rng0', { bus: 'slot2' });
    t.same(await agent.loaded(['virtio_rng']), [], 'hotplug is still served');
  });

  t.equal(await agent.stop(), 0);
  t.equal(await setting(), '/sbin/modprobe', 'the setting is as it was');

  await t.test('a storm into a small buffer: what is lost is noticed and made good', async (t) => {
    await machine.shell('modprobe -r virtio_rng');
    const second = await GuestAgent.start(machine, ['--receive-buffer', '8192']);
    const storm = machine.start('prober', ['storm', '20000', ...targets], { timeout: 300_000 });
    await sleep(500);
    // Its uevent comes in the middle of the storm, where hardly any gets through.
    await machine.qmp.deviceDel('rng0').catch(() => {});
    await machine.qmp.deviceAdd('virtio-rng-pci', 'rng1', { bus: 'slot3' });
    t.equal((await storm.ended).status, 0);
    t.same(await second.loaded(['virtio_rng']), []);
    t.equal((await machine.run('plugd', ['settle', '--timeout', '60', '-q'])).status, 0);
    const { uevents } = await second.status();
    t.comment(
      `${uevents.received} received, ${uevents.overrunLost} lost in ${uevents.overruns} overruns, ${uevents.resyncs} rescans`,
    );
    t.ok(uevents.overruns > 0 && uevents.overrunLost > 0 && uevents.resyncs > 0);
    t.match(await second.line('resync'), { level: 'warn', lost: Number });
    t.equal(await second.stop(), 0);
  });
});
