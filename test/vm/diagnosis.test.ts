/** Diagnoses of a real machine with many devices, compared with what then happens to it. */
import { plantTree } from '../fixtures/debian.ts';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ColdplugRun } from '../../agent/records/coldplug-run.ts';
import type { DeviceRow } from '../../agent/records/device-row.ts';
import type { Investigation } from '../../agent/records/investigation.ts';
import type { Reasons } from '../../agent/records/reasons.ts';
import type { ModuleName } from '../../agent/base/names.ts';
import { kitchenSink } from './machine/devices.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot, type Machine } from './machine/machine.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');

t.setTimeout(1_200_000);
const found = await machineImage();

async function devices(machine: Machine, ...args: string[]): Promise<readonly DeviceRow[]> {
  const text = await machine.output('plugd', ['devices', '--json', '--all', ...args]);
  return (JSON.parse(text) as { devices: DeviceRow[] }).devices;
}

async function test(machine: Machine, word: string): Promise<Investigation> {
  return JSON.parse((await machine.run('plugd', ['test', '--json', word])).stdout) as Investigation;
}

t.test('a machine with many devices', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const image = found as Image;
  await using machine = await boot(image, {
    devices: kitchenSink(),
    files: { 'etc/modprobe.d/a.conf': 'blacklist snd_intel8x0\n' },
  });

  const before = await devices(machine, '--check');
  await t.test('plugd test says of a device what plugd devices says', async (t) => {
    const rows = before.filter((row) => row.subsystem === 'pci' && row.modules.length > 0);
    for (const row of [
      rows[0],
      rows.at(-1),
      before.find(({ verdict }) => verdict === 'blacklisted'),
      before.find(({ verdict }) => verdict === 'no-match'),
    ]) {
      if (row === undefined) throw new Error('the machine lacks a device of each kind');
      const one = await test(machine, row.devpath);
      t.same([one.verdict, one.cause], [row.verdict, row.cause], row.devpath);
      t.same(
        one.requests.flatMap(({ candidates }) => candidates.map(({ module }) => module)),
        row.modules,
      );
    }
  });

  const ran = await machine.run('plugd', ['coldplug', '--json']);
  const run = JSON.parse(ran.stdout) as ColdplugRun;
  const results = new Map(run.modules.map((record) => [record.module, record]));

  await t.test('what was foretold for each device is what coldplug did', (t) => {
    let compared = 0;
    for (const row of before) {
      const records = row.modules.map((module) => results.get(module));
      const blocked = run.blocked.filter(({ module }) => row.modules.includes(module));
      if (row.verdict === 'would-insert') {
        // That an init finds nothing to drive, nobody knows before.
        const done = records.some(
          (record) =>
            record?.result === 'inserted' || record?.result === 'already-loaded' || record?.cause === 'no-device',
        );
        t.ok(done, `${row.subsystem} ${row.name}: ${row.modules.join(' ')}`);
      } else if (row.verdict === 'blacklisted') {
        t.ok(blocked.length > 0 && records.every((record) => record === undefined), `${row.name} is kept out`);
      } else {
        t.match(row.verdict, /^(no-match|no-modalias|builtin|loaded)$/, `${row.name}: nothing fails on this machine`);
        t.same(
          records.filter((record) => record !== undefined && record.requester.devpath === row.devpath),
          [],
          `${row.name}: nothing was inserted for it`,
        );
      }
      compared++;
    }
    t.ok(compared > 100, `${compared} devices`);
    t.end();
  });

  const after = await devices(machine);
  await t.test('afterwards nothing is left to insert', (t) => {
    t.ok(after.length > before.length + 20, `${after.length - before.length} devices appeared meanwhile`);
    const left = after.filter(({ verdict }) => verdict === 'would-insert');
    for (const row of left) {
      t.ok(
        row.modules.some((module) => results.get(module)?.cause === 'no-device'),
        `${row.name}: ${row.modules.join(' ')} found no device`,
      );
    }
    const wanted = new Set(after.flatMap((row) => row.modules));
    const strays = run.modules.filter(
      ({ module, why, requester }) =>
        why === 'target' && requester.rule === undefined && requester.by === undefined && !wanted.has(module),
    );
    t.same(
      strays.map(({ module }) => module),
      [],
      'each module that was inserted is asked for by a device that is there',
    );
    t.end();
  });

  await t.test('devices by the names that people use', async (t) => {
    const net = await test(machine, 'eth0');
    t.match(net, { verdict: 'loaded', meant: /^network interface eth0 of (pci|virtio|usb) / });
    const disk = await test(machine, '/dev/nvme0n1');
    t.match(disk, {
      verdict: 'loaded',
      device: { driver: 'nvme', driverModule: 'nvme' },
      meant: /^device node \/dev\/nvme0n1 of pci /,
    });
    const usb = after.find(({ subsystem, modules }) => subsystem === 'usb' && modules.includes('usbhid' as ModuleName));
    const again = await test(machine, usb?.name ?? '');
    t.match(
      again,
      { verdict: 'loaded', device: { devpath: usb?.devpath, driver: 'usbhid' } },
      usb?.name ?? 'no usb device',
    );
    const missing = await machine.run('plugd', ['test', '/dev/nosuch']);
    t.equal(missing.status, 1);
    t.match(missing.stderr, /there is no \/dev\/nosuch/);
  });

  await t.test('why a module is there', async (t) => {
    const why = JSON.parse(await machine.output('plugd', ['why', '--json', 'nvme'])) as Reasons;
    t.match(why, {
      state: { kind: 'live' },
      devices: [{ subsystem: 'pci', driver: 'nvme', driven: true }],
      ledger: undefined,
    });
    const kept = JSON.parse(await machine.output('plugd', ['why', '--json', 'snd_intel8x0'])) as Reasons;
    t.match(kept, { state: { kind: 'absent' }, devices: [{ subsystem: 'pci' }] });
    t.match(
      kept.ways.find(({ way }) => way.startsWith('a device')),
      { answer: 'blocked', place: { file: '/etc/modprobe.d/a.conf', line: 1 } },
    );
    t.match(
      kept.ways.find(({ way }) => way.startsWith('modprobe snd')),
      { answer: 'allowed' },
    );
    // And so it is: by alias nothing happens, by name it is loaded.
    await machine.output('modprobe', [kept.devices[0]?.asks ?? '']);
    t.notOk((await machine.modules()).includes('snd_intel8x0'));
    await machine.output('modprobe', ['snd_intel8x0']);
    t.ok((await machine.modules()).includes('snd_intel8x0'));
  });

  await t.test('doctor finds nothing wrong, and the next kernel fits', async (t) => {
    await machine.output('rm', ['/etc/modprobe.d/a.conf']);
    const doctor = await machine.run('plugd', ['doctor', '--json']);
    const { checks } = JSON.parse(doctor.stdout) as { checks: Array<{ id: string; state: string; summary: string }> };
    t.same(
      checks.filter(({ state }) => state === 'wrong'),
      [],
    );
    t.equal(doctor.status, 0);
    t.match(
      checks.find(({ id }) => id === 'taint'),
      { state: 'ok' },
    );
    const next = await machine.run('plugd', ['doctor', '--next-kernel', image.tree.kernel]);
    t.equal(next.status, 0, next.stdout);
    t.equal((await machine.run('plugd', ['doctor', '--next-kernel', '9.9.9'])).status, 1);
  });

  await t.test('uevents reach other network namespaces, and no other user namespace', async (t) => {
    const line = (unshare: string) =>
      machine.output('sh', [
        '-c',
        `${unshare} sh -c 'udevadm monitor --kernel & sleep 3; kill $!' & sleep 2; echo change > /sys/bus/pci/devices/0000:00:00.0/uevent; wait`,
      ]);
    t.match(await line('unshare --net'), /change +\/devices\/pci0000:00\/0000:00:00.0/);
    t.notMatch(await line('unshare --user --map-root-user --net'), /change +\/devices/);
  });

  await t.test('the recording of this machine against other trees', async (t) => {
    const text = await machine.output('plugd', ['devices', '--record']);
    const dir = t.testdir({ root: { etc: { 'modprobe.d': {} }, lib: { modules: {} } } });
    const file = join(dir, 'machine.jsonl');
    writeFileSync(file, text);
    const root = join(dir, 'root');
    plantTree(image.tree, root);
    const replay = (...args: string[]) =>
      spawnSync(process.execPath, [plugd, 'test', '--replay', file, '--root', root, ...args], { encoding: 'utf8' });
    const same = replay('--json');
    t.equal(same.status, 0, same.stdout.slice(0, 2000) + same.stderr);
    t.ok((JSON.parse(same.stdout) as { kept: number }).kept > 40);
    mkdirSync(join(root, 'etc/modprobe.d'), { recursive: true });
    writeFileSync(join(root, 'etc/modprobe.d/b.conf'), 'blacklist e1000e\n');
    const lost = replay();
    t.equal(lost.status, 1);
    t.match(lost.stdout, /^LOST +pci [0-9a-f:.]+, which e1000e drove: blacklisted$/m);
  });
});
