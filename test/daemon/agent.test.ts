/** The agent and the machine: devices that come and go, uevents that are lost, forged or broken, files that change. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { AgentStatus } from '../../agent/records/agent-status.ts';
import type { LedgerEntry } from '../../agent/records/ledger.ts';
import type { SettleEnd } from '../../agent/daemon/settling.ts';
import {
  AgentRig,
  datagram,
  rigMissing,
  type PlayedUevent,
  type RigAgent,
  type RigModules,
} from '../fixtures/agent-rig.ts';

const MODULES: RigModules = {
  bus: {},
  nic: { aliases: ['pci:v00008086d*'], needs: ['bus'] },
  stick: { aliases: ['usb:v46F4*'], needs: ['bus'] },
  cpu_thing: { aliases: ['cpu:type:x86*'] },
};
const NIC = { devpath: '/devices/pci0/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v00008086d000010D3' };
const STICK: PlayedUevent = {
  action: 'add',
  devpath: '/devices/usb1/1-1/1-1:1.0',
  SUBSYSTEM: 'usb',
  MODALIAS: 'usb:v46F4p0001',
};
const ENODEV = 19;
const ENOENT = 2;

const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };

const statusOf = async (agent: RigAgent) => agent.ask<AgentStatus>('status', {});
const settle = async (agent: RigAgent) => agent.ask<SettleEnd>('settle', {});

t.test('coldplug, hotplug, end', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC] });
  const agent = rig.start();
  await agent.line('settled');
  t.same(agent.inserted(), ['bus', 'nic']);
  await rig.play([STICK]);
  t.match(await agent.line('inserted', ({ module }) => module === 'stick'), {
    level: 'info',
    device: STICK.devpath,
    subsystem: 'usb',
    modalias: STICK['MODALIAS'],
    by: 'device',
    why: 'target',
    ms: Number,
    waitMs: Number,
  });
  t.same(await settle(agent), { settled: true, waiting: [] });
  t.match(await statusOf(agent), {
    state: 'settled',
    devices: 2,
    insertions: { inserted: 3, failed: 0 },
    uevents: { received: 1, used: 1, gaps: 0 },
  });
  t.equal(await agent.stop(), 0, agent.stderr);
  t.match(agent.lines.at(-1), { event: 'end', signal: 'SIGTERM' });
  t.same(agent.calls(), ['finit_module bus', 'finit_module nic', 'finit_module stick']);
});

t.test('only add loads; the same modalias again is no second attempt', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const agent = rig.start();
  await agent.line('settled');
  for (const action of ['bind', 'change', 'online', 'unbind', 'remove']) await rig.play([{ ...STICK, action }]);
  await rig.play([{ ...STICK, MODALIAS: 'usb:none' }]);
  await settle(agent);
  t.same(agent.calls(), []);
  const again = Array.from({ length: 50 }, (_, i) => ({ ...STICK, devpath: `/devices/usb1/1-${i}/1-${i}:1.0` }));
  await rig.play(again);
  await settle(agent);
  t.same(agent.calls(), ['finit_module bus', 'finit_module stick']);
  await agent.stop();
});

t.test('a refusal is remembered for all that ask, and tried again when such a device comes back', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const agent = rig.start([], [ENODEV]);
  await agent.line('settled');
  const cpus = Array.from({ length: 200 }, (_, i) => ({
    action: 'add',
    devpath: `/devices/system/cpu/cpu${i}`,
    SUBSYSTEM: 'cpu',
    MODALIAS: 'cpu:type:x86,ven0000',
  }));
  await rig.play(cpus);
  t.match(await agent.line('failed'), { module: 'cpu_thing', cause: 'no-device', level: 'info' });
  // The kernel announces a module before its init, and its end when that fails.
  for (const action of ['add', 'remove']) {
    await rig.play([{ action, devpath: '/module/cpu_thing', SUBSYSTEM: 'module' }]);
  }
  await rig.play(cpus);
  await settle(agent);
  t.same(agent.calls(), ['finit_module cpu_thing']);
  await rig.play([{ ...cpus[0], action: 'remove' } as PlayedUevent, cpus[0] as PlayedUevent]);
  await settle(agent);
  t.same(agent.calls(), ['finit_module cpu_thing', 'finit_module cpu_thing']);
  t.match(await statusOf(agent), {
    insertions: { failed: 0, noDevice: 2 },
    failures: [{ module: 'cpu_thing', why: /ENODEV/ }, {}],
  });
  await agent.stop();
});

t.test(
  'a module that an administrator unloads is loaded again when its device is plugged in again',
  skip,
  async (t) => {
    const rig = await AgentRig.open(t, { modules: MODULES });
    const agent = rig.start();
    await agent.line('settled');
    await rig.play([STICK]);
    await settle(agent);
    await rig.play([{ action: 'add', devpath: '/module/stick', SUBSYSTEM: 'module' }]);
    await rig.play([{ action: 'remove', devpath: '/module/stick', SUBSYSTEM: 'module' }]);
    await rig.play([{ ...STICK, action: 'remove' }, STICK]);
    await settle(agent);
    t.same(agent.calls(), ['finit_module bus', 'finit_module stick', 'finit_module stick']);
    await agent.stop();
  },
);

t.test('what somebody else loads is entered once, however often it is announced', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC] });
  const agent = rig.start();
  await agent.line('settled');
  const announce = (module: string) => ({ action: 'add', devpath: `/module/${module}`, SUBSYSTEM: 'module' });
  rig.put('sys/module/other/initstate', 'live\n');
  // `refusing`: udevadm trigger announced it while its init was about to refuse, and it is gone when that is read.
  await rig.play(['nic', 'other', 'refusing', 'nic', 'other'].map(announce));
  await settle(agent);
  const log: LedgerEntry[] = [];
  await agent.ask('log', {}, (item) => log.push(item as LedgerEntry));
  t.same(
    log.map(({ module, by }) => `${module} ${by}`),
    ['bus device', 'nic device', 'other outside'],
  );
  await agent.stop();
});

t.test('what was left before it began is in the ledger of each agent', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const early = { time: '2026-01-05T09:12:44.007Z', module: 'bus', by: 'kernel', name: 'fs-x', early: 'modprobe' };
  writeFileSync(join(rig.runDir, 'early-ledger'), `${JSON.stringify(early)}\nno entry\n`);
  for (const time of ['first', 'second']) {
    const agent = rig.start();
    await agent.line('settled');
    const log: unknown[] = [];
    await agent.ask('log', { module: 'bus' }, (item) => log.push(item));
    t.same(log, [early], time);
    await agent.stop();
  }
});

t.test('a module whose dependency failed is reported as skipped, with both names', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const agent = rig.start([], [ENOENT]);
  await agent.line('settled');
  await rig.play([STICK]);
  t.match(await agent.line('failed'), {
    module: 'bus',
    // It lacks no symbol, so its init must have said so.
    cause: 'other',
    evidence: [/init answered ENOENT/],
    remedy: /dmesg/,
    level: 'warn',
    for: 'stick',
  });
  t.match(await agent.line('skipped'), { module: 'stick', cause: 'missing-dependency', msg: /bus/ });
  await agent.stop();
});

t.test('forged and broken messages are dropped, counted by reason, and never end it', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const agent = rig.start();
  await agent.line('settled');
  const whole = datagram(STICK);
  await rig.order({ direct: [whole], port: 0, groups: 1 });
  while ((await statusOf(agent)).uevents.spoofed === 0) await sleep(5);
  // Straight at its port, as only a privileged process may.
  await rig.order({ direct: [whole, 'libudev\0'], port: rig.portOf(agent), groups: 0 });
  while ((await statusOf(agent)).uevents.spoofed < 3) await sleep(5);
  t.same(agent.calls(), [], 'none of them was believed');
  // Through the kernel: every truncation, and what a seeded dice makes of the rest.
  const broken = Array.from({ length: whole.length }, (_, length) => whole.slice(0, length));
  let seed = 3;
  const dice = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >> 8) % n;
  };
  for (let i = 0; i < 2000; i++) {
    const bytes = whole.split('');
    for (let flips = 1 + dice(4); flips > 0; flips--) bytes[dice(bytes.length)] = String.fromCharCode(dice(256));
    broken.push(bytes.join(''));
  }
  await rig.order({ play: broken });
  await settle(agent);
  await rig.play([{ ...STICK, MODALIAS: 'cpu:type:x86:' }]);
  await agent.line('inserted', ({ module }) => module === 'cpu_thing');
  const { uevents } = await statusOf(agent);
  t.equal(uevents.spoofed, 3);
  t.ok(uevents.malformed > 500, `${uevents.malformed} of ${uevents.received} were malformed`);
  t.equal(await agent.stop(), 0, agent.stderr);
});

t.test('an overrun is noticed, counted and answered: no device is left unserved', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const agent = rig.start(['--receive-buffer', '4096']);
  await agent.line('settled');
  // This device is there, and its uevent is among those that get lost.
  rig.plantDevices([NIC]);
  const noise = Array.from({ length: 500 }, (_, i) => ({
    action: 'change',
    devpath: `/devices/virtual/noise/${i}`,
    SUBSYSTEM: 'noise',
    FILL: 'x'.repeat(500),
  }));
  // Stopped, it reads nothing: the buffer is full after a few.
  agent.child.kill('SIGSTOP');
  await rig.play(noise, 10);
  agent.child.kill('SIGCONT');
  await agent.line('inserted', ({ module }) => module === 'nic');
  t.match(await agent.line('resync'), { level: 'warn', lost: Number, appeared: 1 });
  t.same(await settle(agent), { settled: true, waiting: [] });
  const { uevents } = await statusOf(agent);
  t.ok(uevents.overruns > 0 && uevents.resyncs > 0, `${uevents.overruns} overruns, ${uevents.resyncs} rescans`);
  t.equal(uevents.received + uevents.overrunLost, 5000, `${uevents.received} came, ${uevents.overrunLost} were lost`);
  await rig.play([STICK]);
  await agent.line('inserted', ({ module }) => module === 'stick');
  await agent.stop();
});

t.test('numbers that other namespaces got are no losses', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const other = await AgentRig.open(t, { modules: {} });
  const agent = rig.start();
  await agent.line('settled');
  await rig.play([STICK]);
  await other.play([STICK], 20);
  await rig.play([{ ...STICK, action: 'change' }]);
  while ((await statusOf(agent)).uevents.foreignGaps === 0) await sleep(5);
  const { uevents } = await statusOf(agent);
  t.match(uevents, { overruns: 0, overrunLost: 0, resyncs: 0, foreignGaps: uevents.gaps });
  // Whatever else this machine does has numbers too.
  t.ok(uevents.lost >= 20, `${uevents.lost} numbers did not come`);
  await agent.stop();
});

t.test('a driver installed while it runs is loaded for the device that waits', skip, async (t) => {
  const camera = { devpath: '/devices/pci0/0000:00:05.0', subsystem: 'pci', modalias: 'pci:v00001234d00005678' };
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC, camera] });
  const agent = rig.start();
  await agent.line('settled');
  t.same(agent.inserted(), ['bus', 'nic']);
  agent.unseen(() => rig.plantTree({ ...MODULES, camera: { aliases: ['pci:v00001234d*'], needs: ['bus'] } }));
  await agent.line('inserted', ({ module }) => module === 'camera');
  t.match(await agent.line('generation'), { generation: 2 });
  t.same(agent.calls(), ['finit_module bus', 'finit_module nic', 'finit_module camera'], 'and nothing twice');
  t.match(await statusOf(agent), { generation: { number: 2 } });
  await agent.stop();
});

t.test('a half-written tree is never used', skip, async (t) => {
  const camera = { devpath: '/devices/pci0/0000:00:05.0', subsystem: 'pci', modalias: 'pci:v00001234d00005678' };
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [camera] });
  const agent = rig.start();
  await agent.line('settled');
  const unfinished = async (why: RegExp) => agent.line('generation-unfinished', ({ msg }) => why.test(msg));
  // depmod at work: the new alias is there, and so is a file that it is still writing.
  const writing = join(rig.tree, 'modules.symbols.bin.4711.123.456');
  agent.unseen(() => {
    writeFileSync(writing, '');
    rig.plantTree({ ...MODULES, camera: { aliases: ['pci:v00001234d*'] } });
  });
  await unfinished(/depmod is at work/);
  t.match(await statusOf(agent), { generation: { number: 1, behind: /depmod is at work/ } });
  rmSync(writing);
  await agent.line('inserted', ({ module }) => module === 'camera');
  t.match(await agent.line('generation'), { generation: 2 });
  // Aliases that name what modules.dep does not have yet.
  rig.put('root/lib/modules/6.1.0-rig/modules.alias', 'alias pci:v00001234d* other\n');
  await unfinished(/1 modules .* not in modules.dep/);
  // A damaged index beside good text.
  agent.unseen(() => rig.plantTree(MODULES));
  await agent.line('generation', ({ generation }) => generation === 3);
  rig.put('root/lib/modules/6.1.0-rig/modules.dep.bin', 'nonsense');
  await unfinished(/modules.dep.bin/);
  // No tree at all.
  renameSync(rig.tree, `${rig.tree}.old`);
  await unfinished(/no directory/);
  t.match(await statusOf(agent), { generation: { number: 3 } });
  await rig.play([STICK]);
  // It still answers from memory, and says what is missing.
  t.match(await agent.line('failed'), { module: 'bus', cause: 'missing-file' });
  rig.plantDevices([{ devpath: STICK.devpath, subsystem: 'usb', modalias: 'usb:v46F4p0001' }]);
  // And back again, as a package manager does it.
  agent.unseen(() => {
    rmSync(join(`${rig.tree}.old`, 'modules.dep.bin'));
    renameSync(`${rig.tree}.old`, rig.tree);
  });
  await agent.line('inserted', ({ module }) => module === 'stick');
  t.match(await statusOf(agent), { generation: { number: 4 } });
  t.equal(await agent.stop(), 0);
});

t.test('modprobe.d is followed too', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    devices: [NIC],
    files: { 'etc/modprobe.d/a.conf': 'blacklist nic\noptions bus x=1\n' },
  });
  const agent = rig.start();
  await agent.line('settled');
  t.match(await agent.line('blocked'), { kind: 'blacklisted', module: 'nic', rule: /a.conf:1$/, device: NIC.devpath });
  rig.put('root/etc/modprobe.d/a.conf', 'options bus x=2\n');
  await agent.line('inserted', ({ module }) => module === 'nic');
  t.match(await agent.line('inserted', ({ module }) => module === 'bus'), { params: 'x=2' });
  await agent.stop();
});

t.test('policy: what it denies, with the line that did; after boot; mended while it runs', skip, async (t) => {
  const policy = 'root/etc/plugd/policy.conf';
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    devices: [NIC],
    files: { 'etc/plugd/policy.conf': 'deny modalias=cpu:*\nafter boot deny subsystem=usb\n' },
  });
  const agent = rig.start();
  await agent.line('settled');
  t.same(agent.inserted(), ['bus', 'nic']);
  await rig.play([STICK, { ...STICK, devpath: '/devices/usb1/1-2/1-2:1.0' }]);
  const second = await agent.line('blocked', ({ device }) => device === '/devices/usb1/1-2/1-2:1.0');
  t.match(second, { kind: 'denied', module: 'stick', reason: 'after boot deny subsystem=usb', rule: /policy.conf:2$/ });
  t.equal(agent.lines.filter(({ event }) => event === 'blocked').length, 2, 'each device is reported once');
  await rig.play([STICK]);
  await settle(agent);
  t.equal(agent.lines.filter(({ event }) => event === 'blocked').length, 2);
  t.match(await statusOf(agent), { policy: { state: 'active', rules: 2, phase: 'after-boot' } });
  rig.put(policy, 'deny nonsense\n');
  t.match(await agent.line('policy', ({ level }) => level === 'error'), {
    msg: /policy.conf:1:6.*still holds|still holds.*policy.conf:1:6/,
  });
  t.match(await statusOf(agent), { policy: { state: 'previous', rules: 2 } });
  await rig.play([{ ...STICK, devpath: '/devices/usb1/1-3/1-3:1.0' }]);
  await agent.line('blocked', ({ device }) => device === '/devices/usb1/1-3/1-3:1.0');
  rmSync(join(rig.base, policy));
  rig.plantDevices([{ devpath: STICK.devpath, subsystem: 'usb', modalias: 'usb:v46F4p0001' }]);
  await agent.line('policy', ({ level, msg }) => level === 'info' && / 0 rules/.test(msg));
  await rig.play([STICK]);
  await agent.line('inserted', ({ module }) => module === 'stick');
  await agent.stop();
});

t.test('while boot goes on, the status and the log name the rules that do not hold yet', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    devices: [NIC],
    files: {
      'etc/plugd/policy.conf': 'after boot default deny\nafter boot deny subsystem=usb\n',
      'etc/modprobe.d/a.conf': 'install nic while ! test -e $GO; do sleep 0.05; done\n',
    },
  });
  const agent = rig.start([], [0], { GO: join(rig.base, 'go') });
  t.match(await agent.line('policy'), { pending: [/policy.conf:1: after boot default deny$/, /policy.conf:2: after/] });
  t.match(await statusOf(agent), { policy: { phase: 'boot', pending: [/policy.conf:1/, /policy.conf:2/] } });
  rig.put('go', '');
  await agent.line('settled');
  t.equal((await statusOf(agent)).policy.pending, undefined);
  await agent.stop();
});

t.test('a policy with errors stops the start, unless it is optional', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    files: { 'etc/plugd/policy.conf': 'default deny\ndefault x\n' },
  });
  const strict = rig.start();
  t.equal(await strict.ended, 2);
  t.match(strict.stderr, /policy.conf:2:9: expected 'default allow' or 'default deny'\nplugd: fix it/);
  const lax = rig.start(['--policy-optional']);
  await lax.line('settled');
  t.match(lax.lines[0], { event: 'policy', level: 'error', msg: /:2:9/ });
  await lax.stop();
});

t.test('what changes in a folder that was not there', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC] });
  rmSync(join(rig.base, 'root/etc'), { recursive: true });
  const agent = rig.start();
  await agent.line('settled');
  const file = join(rig.base, 'root/etc/modprobe.d/b.conf');
  agent.unseen(() => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'blacklist stick\n');
  });
  await agent.line('generation', ({ generation }) => generation === 2);
  await rig.play([STICK]);
  t.match(await agent.line('blocked'), { module: 'stick', rule: /b.conf:1$/ });
  await agent.stop();
});
