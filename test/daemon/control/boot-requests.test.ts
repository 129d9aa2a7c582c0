/** A coldplug and the kernel's own requests: answered meanwhile, and everything as before at the end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ColdplugRun } from '../../../agent/records/coldplug-run.ts';
import { AgentRig, rigMissing, type RigModules } from '../../fixtures/agent-rig.ts';

const root = join(import.meta.dirname, '../../../..');
const helper = join(root, 'native/build/Release/plugd-request');
const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };

const MODULES: RigModules = {
  slow: { aliases: ['pci:v1*'] },
  ext9: { aliases: ['fs-ext9'], needs: ['crc9'] },
  crc9: {},
  bad: { aliases: ['fs-bad'] },
  kept: { aliases: ['fs-kept'] },
};
const DEVICE = { devpath: '/devices/pci0/a', subsystem: 'pci', modalias: 'pci:v1d1' };

interface Run {
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status or signal. */
  readonly ended: Promise<number | string>;
}

function follow(child: ChildProcess): Run {
  const run = { child, stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (run.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (run.stderr += chunk.toString()));
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? -1));
  });
  return Object.assign(run, { ended });
}

/** A coldplug, once it serves. The init of its one device's module lasts until the test releases it. */
async function serving(t: Test, answers: readonly number[] = [0]) {
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    devices: [DEVICE],
    files: { 'etc/modprobe.d/a.conf': 'blacklist kept\n' },
  });
  const words = ['coldplug', '--json', '--run-dir', rig.runDir];
  const { env, release } = rig.double.hold('slow');
  t.teardown(release);
  const run = follow(rig.command('coldplug', words, answers, env));
  const setting = () => readFileSync(join(rig.base, 'proc/sys/kernel/modprobe'), 'utf8').trim();
  while (setting() !== helper) {
    if (run.child.exitCode !== null) throw new Error(run.stderr);
    await sleep(5);
  }
  const ask = async (name: string) =>
    follow(spawn(helper, ['--control', join(rig.runDir, 'control'), '-q', '--', name], { stdio: 'pipe' })).ended;
  const calls = () => rig.double.calls('coldplug').map((call) => call.replace(/ \S*\/([^/]+)\.ko .*/, ' $1'));
  return { rig, run, setting, ask, calls, release };
}

t.test('the kernel is answered, and what it asks for is inserted with all it needs', skip, async (t) => {
  const { rig, run, setting, ask, calls, release } = await serving(t);
  t.equal(readlinkSync(join(rig.runDir, 'modprobe')), '/sbin/modprobe', 'the helper knows whom to ask without us');
  t.equal(await ask('fs-ext9'), 0);
  t.same(calls(), ['finit_module slow', 'finit_module crc9', 'finit_module ext9'], 'while slow still initialises');
  t.equal(await ask('fs-none'), 1);
  t.equal(await ask('fs-kept'), 0, 'a blacklist is no failure, as with modprobe -q -b');
  t.equal(await ask(String.raw`fs-"\é`), 1);
  release();
  t.equal(await run.ended, 0);
  const result = JSON.parse(run.stdout) as ColdplugRun;
  t.same(result.kernelRequests, { received: 4, found: 2, notFound: 2, failed: 0 });
  const ext9 = result.modules.find(({ module }) => module === 'ext9');
  t.match(ext9, { result: 'inserted', requester: { by: 'kernel', name: 'fs-ext9' } });
  t.match(result.blocked, [{ module: 'kept', kind: 'blacklisted', requester: { by: 'kernel' } }]);
  t.equal(setting(), '/sbin/modprobe', 'as before');
  t.equal(existsSync(join(rig.runDir, 'control')), false);
});

t.test('a module that cannot be loaded is a failure for the kernel too', skip, async (t) => {
  const { run, ask, release } = await serving(t, [0, 8]);
  t.equal(await ask('fs-bad'), 1);
  release();
  t.equal(await run.ended, 1);
  t.match(JSON.parse(run.stdout), { kernelRequests: { received: 1, failed: 1 } });
});

t.test('a request may be for the very module whose init asks', skip, async (t) => {
  const { rig, run, release } = await serving(t);
  // Not by the helper: it keeps to itself that the answer has to wait.
  const socket = connect(join(rig.runDir, 'control'));
  socket.write('{"command":"request","arguments":["-q","--","pci:v1d2"]}\n');
  let heard = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    if (heard === '') release();
    heard += chunk.toString();
  }
  t.match(heard, /^(\{"working":true\}\n)+\{"answer":\{"exit":0\}\}\n$/, 'it waits, as modprobe would');
  t.equal(await run.ended, 0);
});

t.test('people learn that there is no agent', skip, async (t) => {
  const { rig, run, release } = await serving(t);
  const status = follow(
    rig.inside([process.execPath, join(root, 'dist/plugd.cjs'), 'status', '--run-dir', rig.runDir]),
  );
  t.equal(await status.ended, 1);
  t.match(status.stderr, /no agent runs, only a coldplug \(pid \d+\)/);
  release();
  t.equal(await run.ended, 0);
});

t.test('a signal puts the setting back before it ends the coldplug', skip, async (t) => {
  const { run, setting } = await serving(t);
  run.child.kill('SIGTERM');
  t.equal(await run.ended, 'SIGTERM');
  t.equal(setting(), '/sbin/modprobe');
});

t.test('one that was killed leaves the helper; the next puts things right', skip, async (t) => {
  const { rig, run, setting, release } = await serving(t);
  run.child.kill('SIGKILL');
  await run.ended;
  release();
  t.equal(setting(), helper);
  t.equal(readlinkSync(join(rig.runDir, 'modprobe')), '/sbin/modprobe', 'which turns to modprobe');
  const next = follow(rig.command('next', ['coldplug', '-q', '--run-dir', rig.runDir], [0]));
  t.equal(await next.ended, 0, next.stderr);
  t.equal(setting(), '/sbin/modprobe');
  rig.put('proc/sys/kernel/modprobe', '/initramfs/plugd-request\n');
  const later = follow(rig.command('later', ['coldplug', '-q', '--run-dir', rig.runDir], [0]));
  t.equal(await later.ended, 0, later.stderr);
  t.equal(setting(), '/sbin/modprobe', 'also after one that was killed in the initramfs');
});

t.test('an agent that starts takes over, and the coldplug goes on', skip, async (t) => {
  const { rig, run, setting, calls, release } = await serving(t);
  const agent = rig.start(['--serve-kernel-requests']);
  await agent.line('start');
  t.equal(run.child.exitCode, null, 'it has not waited for the coldplug to end');
  t.equal(setting(), helper);
  release();
  t.equal(await run.ended, 0);
  t.equal(setting(), helper, "the coldplug's end does not take it from the agent");
  t.same(calls(), ['finit_module slow']);
  t.same(await agent.ask('ping', {}), { pid: agent.child.pid });
  t.equal(await agent.stop(), 0);
  t.equal(setting(), '/sbin/modprobe');
});

t.test('while an agent runs, a coldplug leaves its socket alone', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [DEVICE] });
  const agent = rig.start(['--serve-kernel-requests']);
  await agent.line('settled');
  const run = follow(rig.command('coldplug', ['coldplug', '--json', '--run-dir', rig.runDir], [0]));
  t.equal(await run.ended, 0, run.stderr);
  t.equal((JSON.parse(run.stdout) as ColdplugRun).kernelRequests, undefined);
  t.same(await agent.ask('ping', {}), { pid: agent.child.pid });
  t.equal(await agent.stop(), 0);
});

t.test('it does not listen with --leave-kernel-requests, for a plan, or for another machine', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: MODULES, devices: [DEVICE] });
  for (const words of [['--leave-kernel-requests', '--run-dir', rig.runDir], ['-n', '--run-dir', rig.runDir], []]) {
    const run = follow(rig.command('coldplug', ['coldplug', '--json', ...words], [0]));
    t.equal(await run.ended, 0, run.stderr);
    t.equal((JSON.parse(run.stdout) as ColdplugRun).kernelRequests, undefined, words.join(' '));
    t.equal(existsSync(join(rig.runDir, 'lock')), false, words.join(' '));
  }
});

for (const [rule, before] of [
  ['an empty setting switches the requests off', ''],
  ['what is no modprobe is of somebody else', '/opt/audit/module-request'],
] as const) {
  t.test(`a coldplug leaves the setting alone: ${rule}`, skip, async (t) => {
    const rig = await AgentRig.open(t, { modules: MODULES, devices: [DEVICE] });
    const setting = () => readFileSync(join(rig.base, 'proc/sys/kernel/modprobe'), 'utf8').trim();
    const coldplug = async (name: string) => {
      const run = follow(rig.command(name, ['coldplug', '--json', '--run-dir', rig.runDir], [0]));
      t.equal(await run.ended, 0, run.stderr);
      t.equal((JSON.parse(run.stdout) as ColdplugRun).kernelRequests, undefined);
    };
    rig.put('proc/sys/kernel/modprobe', `${before}\n`);
    await coldplug('first');
    t.equal(setting(), before);
    t.equal(existsSync(join(rig.runDir, 'modprobe')), false);

    const agent = rig.start(['--serve-kernel-requests']);
    t.match(await agent.line('kernel-requests'), { level: 'warn', before, msg: /although kernel.modprobe was/ });
    await agent.line('settled');
    t.equal(setting(), helper, 'an agent that is told to serve does');
    await agent.stop('SIGKILL');
    const second = rig.start(['--serve-kernel-requests']);
    t.match(await second.line('start'), { kernelRequests: before }, 'kill -9 loses nothing');
    await second.line('settled');
    await second.stop('SIGKILL');
    await coldplug('second');
    t.equal(setting(), before, 'a coldplug after it puts back what was there');
    const third = rig.start(['--serve-kernel-requests']);
    await third.line('settled');
    t.equal(await third.stop(), 0);
    t.equal(setting(), before, 'and so does the end of an agent');
  });
}
