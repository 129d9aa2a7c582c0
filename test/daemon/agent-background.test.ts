/** An agent that starts: in the background, with word of its readiness, and with a settle that waits for it. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ControlClient } from '../../agent/daemon/control/control-client.ts';
import { AgentRig, rigMissing } from '../fixtures/agent-rig.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');
const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };
t.setTimeout(300_000);

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function end(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Runs `plugd agent` with these options on the rig, by a shell that may redirect its output. */
function agent(rig: AgentRig, options: readonly string[], redirection = ''): ChildProcess {
  const words = [process.execPath, plugd, 'agent', '--run-dir', rig.runDir, ...rig.hostOptions, ...options];
  return rig.inside(['sh', '-c', `exec "$@" ${redirection}`, 'sh', ...words], rig.double.environment('daemon', [0]));
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Ends the daemon of a rig; the pid is that in its lock. */
async function endDaemon(rig: AgentRig): Promise<void> {
  const pid = Number(readFileSync(join(rig.runDir, 'lock'), 'latin1'));
  process.kill(pid, 'SIGTERM');
  const client = await ControlClient.open(rig.runDir).catch(() => undefined);
  // It closes its connections when it ends.
  await client?.ask('settle', { module: 'none', timeoutMs: 60_000 }).catch(() => undefined);
}

async function open(t: Test): Promise<AgentRig> {
  return AgentRig.open(t, {
    modules: { nic: { aliases: ['pci:v1*'] } },
    devices: [{ devpath: '/devices/pci0/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v1d1' }],
  });
}

t.test('--daemon returns once the agent listens, and leaves nothing of its starter open', skip, async (t) => {
  const rig = await open(t);
  // The starter's standard output is a pipe: it ends although the agent lives.
  const ended = await end(agent(rig, ['--daemon']));
  t.same(ended, { status: 0, stdout: '', stderr: '' });
  const client = await ControlClient.open(rig.runDir);
  t.match(await client.ask('settle', { timeoutMs: 60_000 }), { settled: true });
  const { pid } = (await client.ask('status', {})) as { pid: number };
  client.close();
  for (const fd of [0, 1, 2]) t.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null', `descriptor ${fd}`);
  t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  const session = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')[3];
  t.equal(Number(session), pid, 'it leads a session of its own');
  t.notMatch(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').join('\n'), /^NOTIFY_SOCKET/m);
  const again = await end(agent(rig, ['--daemon']));
  t.equal(again.status, 1);
  t.match(again.stderr, new RegExp(`another agent is running \\(pid ${pid}\\)`), 'what keeps it from starting is said');
  await endDaemon(rig);
});

t.test('--daemon: a file that is standard output gets the log', skip, async (t) => {
  const rig = await open(t);
  const log = join(rig.base, 'log');
  t.equal((await end(agent(rig, ['--daemon'], `>${log}`))).status, 0);
  const client = await ControlClient.open(rig.runDir);
  await client.ask('settle', { timeoutMs: 60_000 });
  client.close();
  t.match(readFileSync(log, 'utf8'), /"event":"inserted".*"module":"nic"/);
  await endDaemon(rig);
});

t.test('--daemon: an agent that cannot start gives its status and its reason', skip, async (t) => {
  const rig = await open(t);
  rig.put('root/etc/plugd/policy.conf', 'nonsense\n');
  const ended = await end(agent(rig, ['--daemon', '--policy', join(rig.base, 'root/etc/plugd/policy.conf')]));
  t.equal(ended.status, 2);
  t.match(ended.stderr, /policy\.conf:1/);
});

for (const daemon of [false, true]) {
  t.test(`--ready-fd gets a line once the agent listens${daemon ? ', with --daemon too' : ''}`, skip, async (t) => {
    const rig = await open(t);
    const file = join(rig.base, 'ready');
    closeSync(openSync(file, 'w'));
    const options = ['--ready-fd', '7', ...(daemon ? ['--daemon'] : [])];
    const child = agent(rig, options, `7>${file} >/dev/null`);
    const ended = end(child);
    while (readFileSync(file, 'latin1') === '') await new Promise((resolve) => setTimeout(resolve, 5));
    t.equal(readFileSync(file, 'latin1'), '\n');
    const client = await ControlClient.open(rig.runDir);
    t.match(await client.ask('settle', { timeoutMs: 60_000 }), { settled: true });
    const { pid } = (await client.ask('status', {})) as { pid: number };
    client.close();
    const open7 = readdirSync(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === file);
    t.same(open7, [], 'closed');
    await endDaemon(rig);
    t.equal((await ended).status, 0);
  });
}

t.test('settle waits for an agent that is just starting; -t 0 does not', skip, async (t) => {
  const rig = await open(t);
  const settle = (...options: string[]) =>
    end(rig.inside([process.execPath, plugd, 'settle', '--run-dir', rig.runDir, ...options]));
  const none = await settle('-t', '0');
  t.equal(none.status, 1);
  t.match(none.stderr, /no agent is running/);
  // What a killed agent leaves behind is refused as well.
  rmSync(join(rig.runDir, 'control'), { force: true });
  const waiting = settle('-t', '60');
  const started = rig.start();
  const ended = await waiting;
  t.equal(ended.status, 0, ended.stderr);
  t.same(started.inserted(), ['nic']);
  t.equal(await started.stop(), 0);
});
