/** When a coldplug ends, on a machine made of files with the real kernel's netlink. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ColdplugRun } from '../../agent/records/coldplug-run.ts';
import { AgentRig, rigMissing } from '../fixtures/agent-rig.ts';

const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };

/** A machine with one device. The init of its module lasts until the test releases it. */
async function machine(t: Test) {
  const rig = await AgentRig.open(t, {
    modules: { slow: { aliases: ['pci:v1*'] }, late: { aliases: ['usb:v2*'] } },
    devices: [{ devpath: '/devices/pci0/a', subsystem: 'pci', modalias: 'pci:v1d1' }],
  });
  /** Starts it; resolves when the insertion has begun. */
  const start = async () => {
    const { env, release } = rig.double.hold('slow');
    t.teardown(release);
    const child = rig.command('coldplug', ['coldplug', '--json'], [0], env);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<ColdplugRun>((resolve) => {
      child.once('close', () => resolve(JSON.parse(text) as ColdplugRun));
    });
    while (rig.double.calls('coldplug').length === 0) await sleep(5);
    return { ended, release };
  };
  return { rig, start };
}

t.test('a seqnum that never comes has sysfs read again once, where the kernel counts no losses', skip, async (t) => {
  const { rig, start } = await machine(t);
  rmSync(join(rig.base, 'proc/net'));
  rmSync(join(rig.base, 'sys/kernel/uevent_seqnum'));
  rig.put('sys/kernel/uevent_seqnum', '100\n');
  const { ended, release } = await start();
  rig.put('sys/kernel/uevent_seqnum', '105\n');
  release();
  const run = await ended;
  t.equal(run.unsettled, undefined);
  t.match(run.uevents, { received: 0, rescans: 1 });
});

t.test('a seqnum that never comes and is not lost belongs to another namespace', skip, async (t) => {
  const { rig, start } = await machine(t);
  rmSync(join(rig.base, 'sys/kernel/uevent_seqnum'));
  rig.put('sys/kernel/uevent_seqnum', '100\n');
  const { ended, release } = await start();
  rig.put('sys/kernel/uevent_seqnum', '105\n');
  release();
  const run = await ended;
  t.equal(run.unsettled, undefined);
  t.match(run.uevents, { received: 0, gaps: 0, rescans: 0 });
});

t.test('a device that appears while another’s driver starts is served', skip, async (t) => {
  const { rig, start } = await machine(t);
  const { ended, release } = await start();
  await rig.play([{ action: 'add', devpath: '/devices/usb1/1-1', SUBSYSTEM: 'usb', MODALIAS: 'usb:v2p1' }]);
  while (rig.double.calls('coldplug').length < 2) await sleep(5);
  release();
  const run = await ended;
  t.same(
    run.modules.map(({ module, result }) => `${module} ${result}`),
    ['slow inserted', 'late inserted'],
  );
});
