/** `plugd monitor` where no agent runs: the kernel's uevents, and what plugd would do about them. */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import t from 'tap';
import type { MonitorItem } from '../../agent/records/monitor-item.ts';
import { AgentRig, RIG_KERNEL, rigMissing } from '../fixtures/agent-rig.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');
const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };
t.setTimeout(120_000);

const ADD = { action: 'add', SUBSYSTEM: 'pci' };

t.test('without an agent the monitor says what plugd would do, and loads nothing', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: {
      bus: {},
      nic: { aliases: ['pci:vNIC*'], needs: ['bus'] },
      radio: { aliases: ['pci:vRADIO*'] },
      lost: { aliases: ['pci:vLOST*'] },
    },
    files: { 'etc/modprobe.d/a.conf': 'blacklist radio\n' },
  });
  rmSync(join(rig.tree, 'kernel/lost.ko'));
  rig.put('proc/modules', 'bus 1 0 - Live 0x0\n');
  const words = [
    plugd,
    'monitor',
    '--json',
    '--run-dir',
    rig.runDir,
    ...rig.hostOptions.filter((word) => word !== '--kernel' && word !== RIG_KERNEL),
  ];
  const child = rig.inside([process.execPath, ...words], rig.double.environment('monitor', [0]));
  t.teardown(() => child.kill('SIGKILL'));
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const stderr: string = await new Promise((resolve) => child.stderr?.once('data', (data) => resolve(String(data))));
  t.match(
    stderr,
    /no agent is running.*: showing what the kernel announces and what plugd would do; nothing is loaded/,
  );
  const items: MonitorItem[] = [];
  const over = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const item = JSON.parse(line) as MonitorItem;
      items.push(item);
      if ('kernel' in item && item.kernel.devpath === '/devices/end') resolve();
    });
  });
  // It says so before it listens: until it does, the same uevent is played again.
  while (items.length === 0) {
    await rig.play([{ action: 'change', devpath: '/devices/x', SUBSYSTEM: 'pci' }]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await rig.play([
    { ...ADD, devpath: '/devices/a', MODALIAS: 'pci:vNIC1' },
    { ...ADD, devpath: '/devices/b', MODALIAS: 'pci:vRADIO1' },
    { ...ADD, devpath: '/devices/c', MODALIAS: 'pci:vLOST1' },
    { ...ADD, devpath: '/devices/d', MODALIAS: 'pci:vNIC1' },
    { action: 'remove', devpath: '/devices/d', SUBSYSTEM: 'pci', MODALIAS: 'pci:vNIC1' },
    { action: 'change', devpath: '/devices/end', SUBSYSTEM: 'pci' },
  ]);
  await over;
  const decisions = items.flatMap((item) => ('decision' in item ? [item.decision] : []));
  t.same(
    decisions.map(({ event, record }) => `${event} ${record.module} ${record.requester.devpath}`),
    [
      'would-insert nic /devices/a',
      'blocked radio /devices/b',
      'would-fail lost /devices/c',
      // Nothing was loaded for the first one.
      'would-insert nic /devices/d',
    ],
  );
  t.match(decisions[1], { record: { place: { file: /a\.conf$/, line: 1 } } });
  t.same(rig.double.calls('monitor'), []);
});
