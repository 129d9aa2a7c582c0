/** The units under a real systemd, as the first process of a machine: what they allow is enough, what they forbid is forbidden. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { LedgerEntry } from '../../agent/records/ledger.ts';
import { runProgram } from '../fixtures/commands.ts';
import { debianFiles } from '../fixtures/debian.ts';
import { buildModule } from '../fixtures/kernel-module.ts';
import { hotplugSlots, networkCard, usbController, zeroes } from './machine/devices.ts';
import { machineImage, type GuestFiles, type Image } from './machine/image.ts';
import { boot, type Machine } from './machine/machine.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, 'systemd', path), 'utf8');

t.setTimeout(1_500_000);
const found = await machineImage();
const packages = found.kind === 'missing' ? found : await debianFiles(['systemd'], 'amd64', { libraries: true });
const skip = packages.kind === 'missing' ? packages.sentence : false;

/** A module whose init sleeps, and says whether it could sleep to the end. */
const SLEEPER = `#include <linux/module.h>
#include <linux/delay.h>
static int __init sleeper_init(void)
{
	unsigned long left = msleep_interruptible(15000);
	pr_info("sleeper: %s\\n", left ? "disturbed" : "undisturbed");
	return left ? -EINTR : 0;
}
module_init(sleeper_init);
MODULE_ALIAS("fs-sleeper");
MODULE_LICENSE("GPL");
`;

/** systemd with its libraries, the units as README says, and a target of what a boot has to do with devices. */
async function files(image: Image, folder: string): Promise<GuestFiles> {
  if (packages.kind === 'missing') throw new Error(packages.sentence);
  const first = join(folder, 'first');
  const compiled = await runProgram('gcc', ['-O2', '-static', '-o', first, join(root, 'test/vm/first.c')]);
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  const sleeper = await buildModule(image.tree, 'sleeper', SLEEPER);
  if (sleeper.kind === 'missing') throw new Error(sleeper.sentence);
  const etc = 'etc/systemd/system';
  return {
    first: { from: first, mode: 0o755 },
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    [`${etc}/test.target`]: `[Unit]
DefaultDependencies=no
Wants=systemd-journald.service systemd-udevd.service systemd-udev-trigger.service plugd.service
`,
    [`${etc}/plugd.service`]: read('plugd.service'),
    [`${etc}/plugd-settle.service`]: read('plugd-settle.service'),
    [`${etc}/sysinit.target.wants/plugd.service`]: { link: '../plugd.service' },
    ...Object.fromEntries(
      ['systemd-udevd.service.d/plugd.conf', 'plugd.service.d/instead-of-udevd.conf'].map((name) => [
        `${etc}/${name}`,
        read(`instead-of-udevd/${name}`),
      ]),
    ),
    [`${etc}/plugd.service.d/options.conf`]: '[Service]\nEnvironment="PLUGD_OPTIONS=--serve-kernel-requests"\n',
    'etc/modprobe.d/install.conf':
      'install pcspkr mknod /dev/made c 1 3 && chown 1:1 /dev/made && echo 0 > /sys/module/printk/parameters/ignore_loglevel && touch /run/made\n' +
      'install joydev mount -t tmpfs none /mnt; echo "$?" > /run/mounted; date -s @0; date +%Y > /run/dated\n',
    [`usr/lib/modules/${image.tree.kernel}/extra/sleeper.ko`]: { from: sleeper.file },
    mnt: '',
    // In the machine /lib is a link to /usr/lib; the dot keeps the two names apart here.
    ...Object.fromEntries(
      ['usr/lib', 'usr/bin', 'usr/share/dbus-1', 'etc', 'lib', 'bin', 'sbin']
        .filter((name) => existsSync(join(packages.root, name)))
        .map((name) => [name.replace(/^(lib|bin|sbin)$/, 'usr/$1/.'), { from: join(packages.root, name) }]),
    ),
  };
}

async function show(machine: Machine, ...names: string[]): Promise<Record<string, string>> {
  const args = ['show', 'plugd.service', ...names.map((name) => `--property=${name}`)];
  const text = await machine.output('systemctl', args);
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}

/** Waits until `test` of the shell holds; else an error with what the journal says. */
async function until(machine: Machine, line: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await machine.shell(line)).status === 0) return;
    await sleep(500);
  }
  const { stdout } = await machine.shell('systemctl status plugd; journalctl -b --no-pager | tail -60; dmesg | tail');
  throw new Error(`${line}\n${stdout}`);
}

/** At least this generation is in use. */
const generation = (least: number) =>
  `test $(plugd status --json | grep -o '"number": [0-9]*' | cut -d' ' -f2) -ge ${least}`;
const ACTIVE = 'systemctl is-active -q plugd.service';

t.test('the units', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-first-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const image = found as Image;
  await using machine = await boot(image, {
    devices: [...hotplugSlots(2), ...usbController(), ...networkCard('virtio-net-pci', 'net0'), ...zeroes('hot')],
    append: 'rdinit=/first systemd.unit=test.target systemd.show_status=no',
    files: await files(image, folder),
    lifetime: 1_400_000,
  });
  await until(machine, ACTIVE);
  t.equal(await machine.output('cat', ['/proc/1/comm']), 'systemd\n');
  const state = await show(machine, 'StatusText', 'MainPID', 'NRestarts', 'Type');
  t.match(state, { StatusText: /^serving; \d+ modules for \d+ devices at boot$/, NRestarts: '0', Type: 'notify' });
  const pid = state['MainPID'] ?? '';

  const status = await machine.output('cat', [`/proc/${pid}/status`]);
  t.match(status, /^Seccomp:\s+2$/m);
  t.match(status, /^NoNewPrivs:\s+1$/m);
  // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, NET_ADMIN 12, SYS_MODULE 16, MKNOD 27.
  const bound = (1 << 0) | (1 << 1) | (1 << 3) | (1 << 12) | (1 << 16) | (1 << 27);
  t.match(status, new RegExp(`^CapBnd:\\s+${bound.toString(16).padStart(16, '0')}$`, 'm'));

  t.ok((await machine.modules()).includes('virtio_net'));
  t.equal(await machine.output('readlink', ['/run/udev/rules.d/80-drivers.rules']), '/dev/null\n');
  t.equal((await machine.shell('systemctl is-active systemd-udevd')).stdout, 'active\n', 'udevd runs');
  const ledger = async () =>
    (await machine.output('plugd', ['log', '--json']))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LedgerEntry);
  t.ok((await ledger()).some(({ module }) => module === 'virtio_net'));

  // Hotplug; the keyboard brings usbhid, whose input devices bring nothing more.
  await machine.qmp.deviceAdd('nvme', 'n0', { bus: 'slot0', drive: 'hot', serial: 'x' });
  await machine.output('plugd', ['settle', '--module', 'nvme']);
  await machine.qmp.deviceAdd('usb-kbd', 'k0', { bus: 'usb.0' });
  await machine.output('plugd', ['settle', '--module', 'usbhid']);
  await until(machine, 'udevadm settle && test -e /dev/nvme0n1');
  t.same(
    (await ledger()).filter(({ by }) => by === 'outside').map(({ module }) => module),
    [],
    'nobody else has loaded anything, udevd least of all',
  );

  // The kernel asks, and the helper is allowed to answer.
  t.match(await machine.output('cat', ['/proc/sys/kernel/modprobe']), /plugd-request\n$/);
  await machine.shell('mount -t xfs none /mnt');
  t.ok((await machine.modules()).includes('xfs'));
  t.match(
    (await ledger()).find(({ module }) => module === 'xfs'),
    { by: 'kernel', name: 'fs-xfs' },
  );

  // Install commands: the usual ones are allowed, others fail and say so.
  const load = (name: string) => machine.shell(`$(cat /proc/sys/kernel/modprobe) -q -- ${name}`);
  t.equal((await load('pcspkr')).status, 0);
  t.equal(await machine.output('stat', ['-c', '%u %F', '/dev/made']), '1 character special file\n');
  t.equal((await machine.shell('test -e /run/made')).status, 0);
  await load('joydev');
  t.not(await machine.output('cat', ['/run/mounted']), '0\n', 'no mounts');
  t.not(await machine.output('cat', ['/run/dated']), '1970\n', 'no clock');

  t.equal((await machine.run('systemctl', ['reload', 'plugd'])).status, 0);
  await until(machine, generation(2));
  t.equal((await machine.run('systemctl', ['start', 'plugd-settle'])).status, 0);

  // A stopped agent feels no watchdog: it is killed and started again, and no init that was under way is disturbed.
  await machine.output('depmod', []);
  await until(machine, generation(3));
  const asking = machine.shell('mount -t sleeper none /mnt');
  await until(machine, 'grep -q "^sleeper .*Loading" /proc/modules');
  await machine.shell(`kill -KILL ${pid}`);
  await until(machine, `${ACTIVE} && test "$(systemctl show -P MainPID plugd)" != ${pid}`);
  await asking;
  await until(machine, 'grep -q "^sleeper .*Live" /proc/modules');
  t.match(await machine.output('dmesg', []), 'sleeper: undisturbed');
  t.match(await show(machine, 'NRestarts'), { NRestarts: '1' });

  await machine.shell(
    'mkdir -p /run/systemd/system/plugd.service.d && printf "[Service]\\nWatchdogSec=4\\n" > /run/systemd/system/plugd.service.d/dog.conf' +
      ' && systemctl daemon-reload && systemctl restart plugd',
  );
  await until(machine, ACTIVE);
  await machine.run('sleep', ['12']);
  const lively = await show(machine, 'MainPID', 'NRestarts');
  await machine.shell(`kill -STOP ${lively['MainPID']}`);
  await until(machine, `${ACTIVE} && test "$(systemctl show -P MainPID plugd)" != ${lively['MainPID']}`);
  t.match(await machine.output('journalctl', ['-u', 'plugd', '--no-pager']), /[Ww]atchdog timeout/);

  // At the end everything is as it was.
  t.equal((await machine.run('systemctl', ['stop', 'plugd'])).status, 0);
  t.match(await show(machine, 'Result', 'ActiveState'), { ActiveState: 'inactive', Result: 'success' });
  t.equal((await machine.shell('test -e /run/udev/rules.d/80-drivers.rules')).status, 1);
  t.notMatch(await machine.output('cat', ['/proc/sys/kernel/modprobe']), /plugd/);
  await machine.qmp.deviceAdd('virtio-rng-pci', 'r0', { bus: 'slot1' });
  await until(machine, 'grep -q ^virtio_rng /proc/modules');
  t.pass('udevd loads modules again');
});
