/** The agent and those who talk to it: a second agent, the kernel, the service manager, people with their commands. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { traceFaults } from '../report/timeline/trace-format.ts';
import type { AgentStatus } from '../../agent/records/agent-status.ts';
import type { LedgerEntry } from '../../agent/records/ledger.ts';
import type { MonitorItem } from '../../agent/records/monitor-item.ts';
import type { SettleEnd } from '../../agent/daemon/settling.ts';
import { commandPath } from '../fixtures/commands.ts';
import { AgentRig, rigMissing, type PlayedUevent, type RigAgent, type RigModules } from '../fixtures/agent-rig.ts';

const root = join(import.meta.dirname, '../../..');
const helper = join(root, 'native/build/Release/plugd-request');
const MODULES: RigModules = {
  bus: {},
  nic: { aliases: ['pci:v00008086d*'], needs: ['bus'] },
  stick: { aliases: ['usb:v46F4*'], needs: ['bus'] },
  ext9: { aliases: ['fs-ext9'], needs: ['crc'] },
  crc: {},
  sleeper: { aliases: ['pci:vSLEEP*'] },
  second: { aliases: ['net-pf-99'] },
};
const NIC = { devpath: '/devices/pci0/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v00008086d000010D3' };
const STICK: PlayedUevent = {
  action: 'add',
  devpath: '/devices/usb1/1-1/1-1:1.0',
  SUBSYSTEM: 'usb',
  MODALIAS: 'usb:v46F4p0001',
};
const SLEEPER: PlayedUevent = {
  action: 'add',
  devpath: '/devices/pci0/0000:00:09.0',
  SUBSYSTEM: 'pci',
  MODALIAS: 'pci:vSLEEP',
};

const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };
t.setTimeout(600_000);

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program's end. */
async function run(file: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
const plugd = async (...args: string[]) => run(process.execPath, [join(root, 'dist/plugd.cjs'), ...args]);
/** What the kernel would run, and its exit status. */
const request = async (rig: AgentRig, name: string) =>
  (await run(helper, ['--control', join(rig.runDir, 'control'), '-q', '--', name])).status;
const statusOf = async (agent: RigAgent) => agent.ask<AgentStatus>('status', {});

t.test('a second agent is refused with the pid of the first; a killed one is followed by the next', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC] });
  const first = rig.start();
  await first.line('settled');
  const second = rig.start();
  t.equal(await second.ended, 1);
  t.match(second.stderr, new RegExp(`another agent is running \\(pid ${first.child.pid}\\)`));
  t.match(await statusOf(first), { pid: first.child.pid, state: 'settled' }, 'the first did not notice');
  t.equal(await first.stop('SIGKILL'), 'SIGKILL');
  t.ok(existsSync(join(rig.runDir, 'control')), 'its socket is still there');
  // What the first loaded is loaded.
  rig.put('proc/modules', 'bus 1 0 - Live 0x0\nnic 1 0 - Live 0x0\n');
  const third = rig.start();
  await third.line('settled');
  t.same(third.calls(), []);
  t.match(await statusOf(third), { pid: third.child.pid });
  t.equal(lstatSync(join(rig.runDir, 'control')).mode & 0o777, 0o600);
  t.equal(await third.stop(), 0);
  t.notOk(existsSync(join(rig.runDir, 'control')));
});

t.test('the end waits for what is in flight and tells of it; nothing more is begun', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const { env, release } = rig.double.hold('sleeper');
  const agent = rig.start(['--jobs', '1'], [0], env);
  await agent.line('settled');
  await rig.play([SLEEPER]);
  while ((await statusOf(agent)).tasks.length === 0) await sleep(5);
  await rig.play([STICK]);
  while ((await statusOf(agent)).tasks.length < 3) await sleep(5);
  const ended = agent.stop();
  while ((await statusOf(agent)).state !== 'stopping') await sleep(5);
  release();
  t.equal(await ended, 0);
  t.same(agent.inserted(), ['sleeper']);
  t.match(agent.lines.at(-1), { event: 'end', left: [/^bus \(not begun\)/, /^stick/] });
  t.same(agent.calls(), ['finit_module sleeper']);
});

t.test("the kernel's requests", skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    files: {
      'etc/modprobe.d/a.conf': 'blacklist second\nalias char-major-77 gone\n',
      'etc/plugd/policy.conf': 'deny modalias=block-major-*\n',
    },
  });
  const agent = rig.start(['--serve-kernel-requests'], [0, 0, 2, 0]);
  await agent.line('settled');
  t.match(agent.lines[0], { event: 'start', kernelRequests: '/sbin/modprobe' });
  t.equal(readFileSync(join(rig.base, 'proc/sys/kernel/modprobe'), 'utf8'), `${helper}\n`);
  t.equal(readlinkSync(join(rig.runDir, 'modprobe')), '/sbin/modprobe');
  t.equal(await request(rig, 'fs-ext9'), 0);
  t.same(agent.calls(), ['finit_module crc', 'finit_module ext9']);
  t.match(await agent.line('inserted', ({ module }) => module === 'ext9'), { by: 'kernel', name: 'fs-ext9' });
  t.equal(await request(rig, 'fs-ext9'), 0, 'loaded already');
  t.equal(await request(rig, 'fs-nothing'), 1, 'no such module');
  t.equal(await request(rig, 'net-pf-99'), 0, 'blacklisted: nothing is done, as modprobe does');
  t.equal(await request(rig, 'second'), 1, 'by its own name it is tried, and fails');
  t.equal(await request(rig, 'char-major-77'), 1, 'an alias to a module that is not there');
  t.equal(agent.calls().length, 3);
  // A second later it is tried again (RETRY_NS in name-requests.ts).
  let refused = 0;
  while ((await request(rig, 'second')) !== 0) refused++;
  t.equal(agent.calls().length, 4, 'and once only');
  t.match(await statusOf(agent), {
    kernelRequests: { served: true, received: 7 + refused, found: 4, notFound: 1, failed: 2 + refused },
  });
  const log: LedgerEntry[] = [];
  await agent.ask('log', { module: 'crc' }, (item) => log.push(item as LedgerEntry));
  t.match(log, [{ module: 'crc', by: 'kernel', name: 'fs-ext9', dependencyOf: 'ext9', why: 'depends' }]);
  t.equal(await agent.stop(), 0);
  t.equal(readFileSync(join(rig.base, 'proc/sys/kernel/modprobe'), 'utf8'), '/sbin/modprobe\n', 'as it was');
});

t.test('the setting survives a kill, and the next agent puts back what was there first', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const setting = join(rig.base, 'proc/sys/kernel/modprobe');
  writeFileSync(setting, '/opt/bin/modprobe\n');
  const first = rig.start(['--serve-kernel-requests']);
  await first.line('settled');
  await first.stop('SIGKILL');
  t.equal(readFileSync(setting, 'utf8'), `${helper}\n`);
  const second = rig.start(['--serve-kernel-requests']);
  await second.line('settled');
  await second.stop();
  t.equal(readFileSync(setting, 'utf8'), '/opt/bin/modprobe\n');
  const third = rig.start(['--serve-kernel-requests']);
  await third.line('settled');
  writeFileSync(setting, '/somebody/elses\n');
  await third.stop();
  t.equal(readFileSync(setting, 'utf8'), '/somebody/elses\n', 'what somebody else has set meanwhile stays');
});

t.test('a request from inside an init needs no slot and does not wait for that init', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: { ...MODULES, needs_sleeper: { aliases: ['fs-inside'], needs: ['sleeper'] } },
  });
  const { env, release } = rig.double.hold('sleeper');
  const agent = rig.start(['--jobs', '1'], [0], env);
  await agent.line('settled');
  await rig.play([SLEEPER]);
  while ((await statusOf(agent)).tasks.length === 0) await sleep(5);
  t.equal(await request(rig, 'fs-ext9'), 0);
  t.equal(
    await request(rig, 'fs-inside'),
    0,
    'what needs the module whose init runs goes to the kernel, which decides',
  );
  t.same(agent.inserted(), ['crc', 'ext9', 'needs_sleeper'], 'all that while the init sleeps');
  release();
  await agent.line('inserted', ({ module }) => module === 'sleeper');
  await agent.stop();
});

t.test('settle names what it waits for', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC] });
  const { env, release } = rig.double.hold('sleeper');
  const agent = rig.start([], [0], env);
  await agent.line('settled');
  const settle = async (...args: string[]) => plugd('settle', '--run-dir', rig.runDir, ...args);
  t.match(await settle(), { status: 0, stdout: '', stderr: '' });
  await rig.play([SLEEPER]);
  while ((await statusOf(agent)).tasks.length === 0) await sleep(5);
  const items: unknown[] = [];
  const streamed = agent.ask<SettleEnd>('settle', { modalias: 'pci:vSLEEP' }, (item) => items.push(item));
  const short = await settle('--timeout', '0');
  t.equal(short.status, 1);
  t.match(short.stderr, /still waiting for sleeper \(in finit_module for \d+\.\d s\)/);
  t.match(await settle('-t', '0', '--module', 'nic'), { status: 0 });
  t.match(await settle('-t', '0', '--modalias', 'pci:v00008086*', '--json'), {
    status: 0,
    stdout: '{"schemaVersion":1,"settled":true,"waiting":[]}\n',
  });
  t.match(await settle('-t', '0', '--device', NIC.devpath), { status: 0 });
  t.match(await settle('-t', '0', '--module', 'nobody'), { status: 1, stderr: /nobody \(nobody has asked for it\)/ });
  t.match(await settle('-t', '0', '--modalias', 'acpi:*'), { status: 1, stderr: /acpi:\* \(not there\)/ });
  t.match(await settle('-t', '0', '--device', '/devices/none'), { status: 1, stderr: /\/devices\/none \(not there\)/ });
  while (items.length === 0) await sleep(5);
  release();
  t.same(await streamed, { settled: true, waiting: [] });
  t.match(items, [{ waiting: [{ kind: 'insertion', module: 'sleeper', ms: Number }] }]);
  await agent.stop();
});

t.test('status, metrics, log, monitor, reload and load', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [NIC] });
  rig.put('proc/modules', 'early 1 0 - Live 0x0\n');
  const agent = rig.start();
  await agent.line('settled');
  const at = ['--run-dir', rig.runDir];
  const client = await agent.client();
  const items: MonitorItem[] = [];
  const over = client.ask('monitor', {}, (item) => items.push(item as MonitorItem)).catch(String);
  const usb = await agent.client();
  const usbItems: MonitorItem[] = [];
  const usbOver = usb
    .ask('monitor', { kernel: true, subsystems: ['u*'], properties: ['MODALIAS=usb:v46F4*'] }, (item) =>
      usbItems.push(item as MonitorItem),
    )
    .catch(String);
  await agent.ask('ping', {});
  await rig.play([
    { action: 'change', devpath: '/devices/x', SUBSYSTEM: 'usb' },
    STICK,
    { action: 'add', devpath: '/module/stick', SUBSYSTEM: 'module' },
  ]);
  rig.put('sys/module/foreign/initstate', 'live\n');
  await rig.play([{ action: 'add', devpath: '/module/foreign', SUBSYSTEM: 'module' }]);
  t.same(await agent.ask('settle', {}), { settled: true, waiting: [] });
  t.match(items, [
    { kernel: { action: 'change', devpath: '/devices/x' } },
    { kernel: { action: 'add', subsystem: 'usb', modaliases: [STICK['MODALIAS']], properties: { SUBSYSTEM: 'usb' } } },
  ]);
  t.match(
    items.findLast((item) => 'decision' in item),
    { decision: { event: 'inserted', record: { module: 'stick' } } },
  );
  t.same(usbItems.length, 1);
  client.close();
  usb.close();
  t.match(await Promise.all([over, usbOver]), [/agent ended/, /agent ended/]);
  await t.rejects(agent.ask('monitor', { properties: ['x'] }), { code: 'usage', message: /KEY=GLOB/ });

  const log = await plugd('log', ...at);
  t.match(log.stdout, /^[\d:.]+ {2}bus +\S+ m?s {2}dependency of nic ← pci 0000:00:02.0 pci:v00008086d000010D3$/m);
  t.match(log.stdout, /^[\d:.]+ {2}stick +\S+ m?s {2}usb 1-1:1.0 usb:v46F4p0001$/m);
  t.match(log.stdout, /^[\d:.]+ {2}foreign +not by plugd$/m);
  t.match(await plugd('log', 'early', ...at), { status: 1, stderr: /early was loaded before the agent began/ });
  t.match(await plugd('log', 'nobody', ...at), { status: 1, stderr: /nobody has not been loaded since/ });
  t.match(JSON.parse((await plugd('log', '--json', 'stick', ...at)).stdout), {
    module: 'stick',
    by: 'device',
    subsystem: 'usb',
  });

  const traceFile = join(rig.base, 'trace.json');
  t.match(await plugd('log', '--trace', traceFile, ...at), { status: 0, stdout: '' });
  const traced = readFileSync(traceFile, 'utf8');
  t.same(traceFaults(traced), []);
  t.match(traced, /"name":"stick","cat":"init","ph":"X"/);
  t.equal((await plugd('log', '--follow', '--trace', traceFile, ...at)).status, 64);

  t.match(await agent.ask('load', { names: ['second', 'nothing'] }), {
    modules: [
      { name: 'second', found: true, modules: ['second'], failed: [] },
      { name: 'nothing', found: false },
    ],
  });
  t.match(await agent.line('inserted', ({ module }) => module === 'second'), { by: 'person' });

  const status = await run('env', ['COLUMNS=80', process.execPath, join(root, 'dist/plugd.cjs'), 'status', ...at]);
  t.match(status.stdout, /^plugd .* \(pid \d+\): (settled|busy)/);
  t.ok(
    status.stdout.split('\n').every((line) => line.length <= 80),
    status.stdout,
  );
  t.match(JSON.parse((await plugd('status', '--json', ...at)).stdout), {
    insertions: { inserted: 4 },
    uevents: { received: 4 },
  });
  const metrics = (await plugd('status', '--metrics', ...at)).stdout;
  const file = join(rig.base, 'plugd.prom');
  t.match(await plugd('status', '--metrics', '--output', file, ...at), { status: 0, stdout: '' });
  t.match(readFileSync(file, 'utf8'), /^plugd_uevents_received_total 4$/m);
  t.match(metrics, /^plugd_uevents_received_total 4$/m);
  t.match(metrics, /^plugd_insertions_total\{result="inserted"\} 4$/m);
  t.match(metrics, /^plugd_insertion_seconds_count 4$/m);
  t.match(metrics, /^plugd_insertion_seconds_bucket\{le="\+Inf"\} 4$/m);
  for (const line of metrics.trimEnd().split('\n')) {
    if (!/^(# (HELP|TYPE) plugd_\w+ .+|plugd_\w+(\{\w+="[^"]*"\})? -?[\d.e+-]+)$/.test(line))
      t.fail(`no line of Prometheus: ${line}`);
  }

  t.match(await plugd('reload', ...at), { status: 0, stdout: 'generation 2\n' });
  rig.put('root/lib/modules/6.1.0-rig/modules.dep.bin', 'nonsense');
  t.match(await plugd('reload', ...at), { status: 1, stdout: 'generation 2\n', stderr: /modules.dep.bin/ });
  agent.child.kill('SIGHUP');
  t.equal(await agent.stop(), 0, agent.stderr);
  t.match(await plugd('status', ...at), { status: 1, stderr: /no agent is running.*\n.*start it/ });
});

t.test('a watched status tells of changes', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES });
  const agent = rig.start();
  await agent.line('settled');
  const child = spawn(process.execPath, [
    join(root, 'dist/plugd.cjs'),
    'status',
    '--watch',
    '--json',
    '--run-dir',
    rig.runDir,
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  let text = '';
  let wake = () => {};
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  const until = async (shows: (status: AgentStatus) => boolean) => {
    while (
      !text
        .split('\n')
        .slice(0, -1)
        .some((line) => shows(JSON.parse(line) as AgentStatus))
    ) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await until(({ state }) => state === 'settled');
  await rig.play([STICK]);
  await until(({ insertions }) => insertions.inserted === 2);
  t.pass('both were shown');
  await agent.stop();
});

const python = commandPath('python3');
const noPython = { skip: 'python3, which listens on a datagram socket here, is not there' };

t.test(
  'the agent tells the service manager that it is ready, what it waits for, that it lives, that it ends',
  python === undefined ? noPython : skip,
  async (t) => {
    const rig = await AgentRig.open(t, { modules: MODULES, devices: [{ ...NIC, modalias: 'pci:vSLEEP' }] });
    const wait = join(rig.base, 'wait');
    writeFileSync(wait, '');
    rig.put(
      'root/etc/modprobe.d/a.conf',
      `install stick env > ${rig.base}/environment; while test -e ${wait}; do sleep 0.05; done\n`,
    );
    const path = join(rig.base, 'notify');
    const listener = spawn(python ?? '', [
      '-uc',
      `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.bind(sys.argv[1]);print("bound")
while True:print(repr(s.recv(4096).decode()))`,
      path,
    ]);
    t.teardown(() => listener.kill('SIGKILL'));
    let told = '';
    let wake = () => {};
    listener.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      wake();
    });
    const until = async (pattern: RegExp) => {
      while (!pattern.test(told)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    await until(/bound/);
    const { env, release } = rig.double.hold('sleeper');
    const agent = rig.start([], [0], { ...env, NOTIFY_SOCKET: path, WATCHDOG_USEC: '300000' });
    await until(/STATUS=coldplug; waiting for sleeper/);
    t.notMatch(told, /READY=1/, 'not ready while it waits');
    release();
    await until(/READY=1\\nSTATUS=serving; 1 modules for 1 devices at boot/);
    await until(/WATCHDOG=1/);
    agent.child.kill('SIGHUP');
    await until(/RELOADING=1\\nMONOTONIC_USEC=\d+/);
    await until(/RELOADING.*[^]*READY=1/);
    await rig.play([STICK]);
    // Its waiting and its end are told later, and by its install line no command can speak for the agent.
    await until(/RELOADING[^]*STATUS=serving; waiting for/);
    rmSync(wait);
    await until(/RELOADING[^]*STATUS=serving; waiting for[^]*STATUS=serving; 1 modules for 1 devices at boot/);
    t.notMatch(readFileSync(join(rig.base, 'environment'), 'latin1'), /NOTIFY_SOCKET|WATCHDOG/);
    t.match(readFileSync(join(rig.base, 'environment'), 'latin1'), /^MODPROBE_MODULE=stick$/m);
    const before = told.length;
    await agent.stop();
    await until(/STOPPING=1/);
    t.match(told.slice(before), /STOPPING=1/);
  },
);
