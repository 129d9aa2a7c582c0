/**
 * An agent whose standard output and error nobody reads still loads and answers, ends when asked to, and says afterwards how
 * many lines are missing.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ControlClient } from '../../agent/daemon/control/control-client.ts';
import type { AgentStatus } from '../../agent/records/agent-status.ts';
import { AgentRig, rigMissing, type LogLine } from '../fixtures/agent-rig.ts';
import { commandPath } from '../fixtures/commands.ts';

const root = join(import.meta.dirname, '../../..');
const helper = join(root, 'native/build/Release/plugd-request');
const DEVICES = Array.from({ length: 400 }, (_, i) => `m${i}`);
/** Uevents that load nothing; under -v each is a line, and these are more than are kept. */
const CHANGES = 12_000;
/** So many at once do not overrun the uevent socket. */
const AT_ONCE = 1000;
/** So long nothing may take, however busy the machine is. */
const PATIENCE_MS = 60_000;

const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };
t.setTimeout(600_000);

/** An output that nobody reads until `read` is called; from then on `take` gets what is written. `read` resolves at its end. */
interface Unread {
  readonly output: 'pipe' | number;
  readonly read: (child: ChildProcess, take: (text: string) => void) => Promise<void>;
}

async function fifo(t: Test): Promise<Unread> {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  // This end keeps it open; the agent's end waits, as that of a shell's `> fifo`.
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const output = openSync(path, constants.O_WRONLY);
  t.teardown(() => closeSync(reader));
  return {
    output,
    read: async (child, take) => {
      closeSync(output);
      const buffer = Buffer.alloc(65_536);
      let over = false;
      void ended(child).then(() => (over = true));
      for (;;) {
        const last = over;
        try {
          take(buffer.toString('latin1', 0, readSync(reader, buffer)));
        } catch {
          if (last) return;
          await sleep(1);
        }
      }
    },
  };
}

/** Node's pipes are unix stream sockets, which it stops reading when nobody takes what has come. */
async function unixSocket(): Promise<Unread> {
  return {
    output: 'pipe',
    read: async (child, take) => {
      child.stdout?.on('data', (chunk: Buffer) => take(chunk.toString('latin1')));
      await ended(child);
    },
  };
}

/** A terminal whose other end python holds; it begins to read when its standard input ends. */
async function terminal(t: Test): Promise<Unread> {
  const program = `import os,sys,tty
m,s=os.openpty();tty.setraw(s);print(os.ttyname(s),flush=True);sys.stdin.read();os.close(s)
while True:
  try: data=os.read(m,65536)
  except OSError: break
  if not data: break
  os.write(1,data)`;
  const holder = spawn('python3', ['-c', program]);
  t.teardown(() => holder.kill('SIGKILL'));
  const name = await new Promise<string>((resolve) =>
    holder.stdout.once('data', (data: Buffer) => resolve(String(data).trim())),
  );
  const output = openSync(name, constants.O_RDWR | constants.O_NOCTTY);
  return {
    output,
    read: async (_, take) => {
      holder.stdout.on('data', (chunk: Buffer) => take(chunk.toString('latin1')));
      closeSync(output);
      holder.stdin.end();
      await ended(holder);
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
}

/** The value of a promise, or an error when it takes longer than anything may. */
async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${what}: nothing after ${PATIENCE_MS} ms`);
  });
  return Promise.race([work, late]);
}

/** The exit status of what the kernel would run. */
async function request(rig: AgentRig, name: string): Promise<unknown> {
  const answer = new Promise((resolve) => {
    execFile(helper, ['--control', join(rig.runDir, 'control'), '-q', '--', name], (error) =>
      resolve(error === null ? 0 : error.code),
    );
  });
  return inTime('a request', answer);
}

const KINDS: ReadonlyArray<readonly [string, (t: Test) => Promise<Unread>, boolean]> = [
  ['a fifo', fifo, true],
  ['a unix stream socket', unixSocket, true],
  ['a terminal', terminal, commandPath('python3') !== undefined],
];

for (const [kind, open, possible] of KINDS) {
  t.test(`${kind} that nobody reads`, possible ? skip : { skip: 'python3 is not there' }, async (t) => {
    const rig = await AgentRig.open(t, {
      modules: {
        ...Object.fromEntries(DEVICES.map((module) => [module, { aliases: [`pci:${module}-*`] }])),
        ext8: { aliases: ['fs-ext8'] },
        ext9: { aliases: ['fs-ext9'] },
      },
    });
    const unread = await open(t);
    const child = rig.startUnread(['-v'], unread.output);
    const connect = async (): Promise<ControlClient> =>
      ControlClient.open(rig.runDir).catch(async () => sleep(20).then(connect));
    const client = await inTime('the control socket', connect());
    const status = async () => (await inTime('status', client.ask('status', {}))) as AgentStatus;
    while ((await status()).state === 'coldplug') await sleep(20);

    let began = performance.now();
    t.equal(await request(rig, 'fs-ext8'), 0);
    t.comment(`a kernel request before: ${(performance.now() - began).toFixed(1)} ms`);
    const device = (module: string) => ({
      SUBSYSTEM: 'pci',
      MODALIAS: `pci:${module}-`,
      devpath: `/devices/${module}`,
    });
    await rig.play(DEVICES.map((module) => ({ action: 'add', ...device(module) })));
    for (let played = 0; played < CHANGES; played += AT_ONCE) {
      await rig.play([{ action: 'change', devpath: '/devices/noisy', SUBSYSTEM: 'misc' }], AT_ONCE);
      while ((await status()).uevents.received < DEVICES.length + played) await sleep(5);
    }
    began = performance.now();
    t.same(await inTime('ping', client.ask('ping', {})), { pid: child.pid }, 'it answers a ping');
    t.comment(`ping: ${(performance.now() - began).toFixed(1)} ms`);
    began = performance.now();
    t.equal(await request(rig, 'fs-ext9'), 0, "it answers the kernel's request");
    t.comment(`a kernel request: ${(performance.now() - began).toFixed(1)} ms`);
    let now = await status();
    while (now.insertions.inserted < DEVICES.length + 2 || now.uevents.received < CHANGES + DEVICES.length) {
      await sleep(20);
      now = await status();
    }
    t.equal(rig.double.calls('unread').length, DEVICES.length + 2, 'every module is inserted');
    t.comment(`memory: ${(now.rss / 2 ** 20).toFixed(0)} MiB`);
    client.close();

    let text = '';
    const reading = unread.read(child, (piece) => (text += piece));
    const caughtUp = async (): Promise<void> => {
      while (!text.includes('log-dropped')) await sleep(5);
    };
    await inTime('the reader', caughtUp());
    child.kill('SIGTERM');
    await inTime('the end', reading);
    t.equal(child.exitCode, 0, 'it ends as told');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    const told = lines.filter(({ event }) => event === 'log-dropped').map(({ count }) => Number(count));
    const lost = told.reduce((sum, count) => sum + count, 0);
    t.ok(lost > 0, `it tells of ${lost} lines that are missing, in ${told.length} lines`);
    t.equal(lines[0]?.event, 'start');
    t.equal(lines.at(-1)?.event, 'end');
    const seqnums = lines.filter(({ event }) => event === 'uevent').map(({ seqnum }) => Number(seqnum));
    t.same(
      seqnums,
      seqnums.toSorted((a, b) => a - b),
      'those that are there are in order',
    );
    // start, settled, end; the devices' uevents and insertions; the requests' insertions.
    t.equal(lines.length - told.length + lost, 3 + 2 * DEVICES.length + CHANGES + 2, 'no line is unaccounted for');
  });
}

/** A fifo that is full already. */
async function full(t: Test): Promise<number> {
  const { output } = await fifo(t);
  if (output === 'pipe') throw new Error('no fifo');
  const filler = openSync(`/proc/self/fd/${output}`, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(filler, '\0'.repeat(4096));
  } catch {
    closeSync(filler);
    return output;
  }
}

t.test('it ends although nobody ever reads', skip, async (t) => {
  const rig = await AgentRig.open(t, { modules: {} });
  const output = await full(t);
  const child = rig.startUnread(['-v'], output);
  const over = ended(child);
  const connect = async (): Promise<ControlClient> =>
    ControlClient.open(rig.runDir).catch(async () => sleep(20).then(connect));
  const client = await inTime('the control socket', connect());
  client.close();
  child.kill('SIGTERM');
  await inTime('the end', over);
  t.equal(child.exitCode, 0, 'told to');

  rig.put('policy.conf', 'nonsense\n');
  const second = rig.startUnread(['--policy', join(rig.base, 'policy.conf')], output);
  await inTime('the second end', ended(second));
  t.equal(second.exitCode, 2, 'by an error, which it cannot tell');
  closeSync(output);
});
