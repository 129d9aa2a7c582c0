/** The harness itself: programs, files and hotplug in a machine, and that QEMU never outlives the test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { buildModule } from '../../fixtures/kernel-module.ts';
import { hotplugSlots, usbController, zeroes } from './devices.ts';
import { machineImage, type Image } from './image.ts';
import { boot } from './machine.ts';

t.setTimeout(1_200_000);
const found = await machineImage();
const skip = found.kind === 'missing' ? found.sentence : false;

/** One module is enough where the machine only has to start: it does so in half the time. */
const FEW = { modules: ['dummy'] };

/** True while the process runs; one that has ended and waits to be collected does not run. */
function runs(pid: number | undefined): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

async function ends(pid: number | undefined): Promise<boolean> {
  for (let tries = 0; tries < 100 && runs(pid); tries++) await sleep(100);
  return !runs(pid);
}

t.test('programs, files, hotplug', { skip }, async (t) => {
  const image = found as Image;
  const built = await buildModule(
    image.tree,
    'greeting',
    `#include <linux/module.h>
static char *name = "nobody";
module_param(name, charp, 0444);
static int __init greeting_init(void) { pr_info("greetings to %s\\n", name); return 0; }
static void __exit greeting_exit(void) {}
module_init(greeting_init);
module_exit(greeting_exit);
MODULE_LICENSE("GPL");
`,
  );
  const machine = await boot(image, {
    devices: [...hotplugSlots(2), ...usbController(), ...zeroes('hot')],
    append: 'plugd.word=seen',
    files: {
      'etc/modprobe.d/own.conf': 'blacklist pcspkr\n',
      ...(built.kind === 'ready' ? { 'tmp-module/greeting.ko': { from: built.file } } : {}),
    },
  });
  t.teardown(async () => machine.stop());
  t.ok(runs(machine.pid));

  t.equal((await machine.output('uname', ['-r'])).trim(), image.tree.kernel);
  t.match(await machine.output('cat', ['/proc/cmdline']), /plugd\.word=seen/);
  t.equal(await machine.output('cat', ['/etc/modprobe.d/own.conf']), 'blacklist pcspkr\n');
  t.equal((await machine.output('nproc')).trim(), '2');

  const order = readFileSync(join(image.tree.root, 'lib/modules', image.tree.kernel, 'modules.order'), 'latin1');
  const files = await machine.output('sh', ['-c', 'find /lib/modules/*/kernel -name "*.ko*" | wc -l']);
  t.equal(Number(files), order.trim().split('\n').length, 'every module of the package is there');

  const missing = await machine.run('no-such-program');
  t.equal(missing.status, 127);
  t.match(missing.stderr, /no-such-program/);
  const signalled = await machine.shell('kill -15 $$');
  t.equal(signalled.status, -15);
  const late = await machine.run('sleep', ['60'], { timeout: 300 });
  t.match(late, { status: -9, timedOut: true });
  const long = 'all bytes of a long input\n'.repeat(4000);
  t.equal((await machine.run('cat', [], { input: long })).stdout, long);
  const where = await machine.shell('echo "$PWD $WORD"; echo talk >&2; exit 3', { cwd: '/sys', env: { WORD: 'x y' } });
  t.match(where, { status: 3, stdout: '/sys x y\n', stderr: 'talk\n' });
  const napped = await machine.run('sleep', ['1']);
  t.ok(napped.wallMs >= 1000, 'wall time is measured inside');

  const chunks: string[] = [];
  const live = machine.start('sh', ['-c', 'tty; stty size; sleep 600'], {
    terminal: true,
    onOutput: (chunk) => chunks.push(chunk.toString()),
  });
  while (!chunks.join('').includes('24 80')) await sleep(50);
  t.match(chunks.join(''), /^\/dev\/pts\/\d+\r\n24 80/, 'a live program has a terminal of 80 columns');
  const beside = await machine.output('echo', ['beside it']);
  t.equal(beside, 'beside it\n');
  await live.kill(9);
  t.equal((await live.ended).status, -9);

  await machine.output('modprobe', ['xhci_pci']);
  t.ok((await machine.modules()).includes('xhci_hcd'));
  await machine.qmp.deviceAdd('usb-kbd', 'keyboard', { bus: 'usb.0' });
  await machine.qmp.deviceAdd('virtio-blk-pci', 'disk', { bus: 'slot0', drive: 'hot' });
  await machine.output('sh', ['-c', 'until grep -qs v0627p0001 /sys/bus/usb/devices/*/modalias; do sleep 0.1; done']);
  const devices = await machine.output('sh', [
    '-c',
    'cat /sys/bus/pci/devices/*/modalias /sys/bus/usb/devices/*/modalias',
  ]);
  t.match(devices, /pci:v00001AF4d00001042/, 'the disk is on the bus');
  t.match(devices, /usb:v0627p0001.*ic03/, 'the keyboard is on the bus');
  await machine.qmp.deviceDel('keyboard');
  await t.rejects(machine.qmp.deviceAdd('no-such-device', 'x'), /not a valid device/);

  if (built.kind === 'ready') {
    await machine.output('insmod', ['/tmp-module/greeting.ko', 'name=you']);
    t.match(await machine.output('dmesg'), /greetings to you/);
  } else t.comment(built.sentence);

  await machine.stop();
  t.notOk(runs(machine.pid), 'QEMU has ended');
  await t.rejects(machine.run('true'), 'nothing runs in a machine that has ended');
});

t.test('a machine past its time is ended', { skip }, async (t) => {
  let pid: number | undefined;
  // On a busy host the time is over before the machine is up.
  const life = async () => {
    const machine = await boot((await machineImage(FEW)) as Image, { lifetime: 10_000 });
    pid = machine.pid;
    await machine.run('sleep', ['600']);
  };
  await t.rejects(life(), /10 s were over/);
  if (pid !== undefined) t.ok(await ends(pid));
});

t.test('a QEMU that cannot start says why', { skip }, async (t) => {
  await t.rejects(boot(found as Image, { devices: ['-device', 'no-such-device'] }), /not a valid device model/);
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  t.test(`QEMU does not outlive a test ended by ${signal}`, { skip }, async (t) => {
    const code = `
      const { machineImage } = await import(${JSON.stringify(join(import.meta.dirname, 'image.js'))});
      const { boot } = await import(${JSON.stringify(join(import.meta.dirname, 'machine.js'))});
      const machine = await boot(await machineImage(${JSON.stringify(FEW)}));
      console.log(machine.pid);
      await machine.run('sleep', ['600'], { timeout: 600_000 });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    t.ok(runs(pid));
    child.kill(signal);
    t.ok(await ends(pid));
  });
}
