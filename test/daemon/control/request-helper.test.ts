import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const root = join(import.meta.dirname, '../../../..');
const helper = join(root, 'native/build/Release/plugd-request');
const folder = mkdtempSync(join(tmpdir(), 'plugd-helper-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** The helper's end: its exit status, or 'modprobe ARGUMENTS' when it became the stand-in for the real one. */
async function run(
  runDir: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number | string> {
  return new Promise((resolve) => {
    const words = ['--control', join(runDir, 'control'), ...args];
    const child = execFile(
      helper,
      words,
      { env: { PATH: '/usr/bin:/bin', ...env }, encoding: 'latin1' },
      (error, stdout) => {
        if (stdout !== '') resolve(stdout.trim());
        else resolve(error === null ? 0 : (error.code ?? -1));
      },
    );
    child.stdin?.end();
  });
}

/** A run directory with a stand-in for modprobe, and an agent that does `answer` once it has a whole line. */
async function agent(t: Test, answer?: (socket: Socket, line: string) => void): Promise<string> {
  const runDir = mkdtempSync(join(folder, 'run-'));
  writeFileSync(join(runDir, 'stand-in'), '#!/bin/sh\necho "${0##*/} $*"\n', { mode: 0o755 });
  symlinkSync(join(runDir, 'stand-in'), join(runDir, 'modprobe'));
  if (answer === undefined) return runDir;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.endsWith('\n')) answer(socket, text);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(runDir, 'control'), resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return runDir;
}

const NAME = ['-q', '--', 'net-pf-16-proto-9'];

for (const status of [0, 1]) {
  t.test(`the agent's answer ${status} is its exit status`, async (t) => {
    const runDir = await agent(t, (socket) => socket.write(`{"working":true}\n{"answer":{"exit":${status}}}\n`));
    t.equal(await run(runDir, NAME), status);
  });
}

t.test('an answer may come byte by byte and after many working lines', async (t) => {
  const text = `${'{"working":true}\n'.repeat(5000)}{"answer":{"exit":1,"more":"x"}}\n`;
  const runDir = await agent(t, (socket) => {
    socket.setNoDelay(true);
    socket.write(text.slice(0, -40));
    for (const c of text.slice(-40)) socket.write(c);
  });
  t.equal(await run(runDir, NAME), 1);
});

t.test('the name comes through whatever bytes it has', async (t) => {
  let got: unknown;
  const runDir = await agent(t, (socket, line) => {
    got = JSON.parse(line);
    socket.write('{"answer":{"exit":0}}\n');
  });
  const names = ['fs-ext4', 'a"b\\c', 'tab\tnewline\nend', 'dmi:\u00e9\u00ff', '', '-', 'x'.repeat(4096)];
  for (const name of names) {
    const bytes = Buffer.from(name, 'utf8').toString('latin1');
    t.equal(await run(runDir, ['-q', '--', name]), 0);
    t.same(got, { command: 'request', arguments: ['-q', '--', bytes] });
  }
});

const FALLBACK = 'modprobe -q -- net-pf-16-proto-9';
const broken: Record<string, (socket: Socket) => void> = {
  'an agent that hangs up': (socket) => socket.end(),
  'an agent that hangs up in an answer': (socket) => socket.end('{"answer":{"exi'),
  'an agent that hangs up after working': (socket) => socket.end('{"working":true}\n'),
  'an agent that answers with an error': (socket) => socket.write('{"error":{"code":"usage","message":"x"}}\n'),
  'an agent that declines': (socket) => socket.write('{"answer":{"exit":null}}\n'),
  'an agent that talks nonsense': (socket) => socket.write('\n'),
  'an agent that never ends its line': (socket) => socket.write('x'.repeat(100_000)),
  'an agent that says nothing': () => {},
};
for (const [name, answer] of Object.entries(broken)) {
  t.test(`${name} is replaced by modprobe`, async (t) => {
    t.equal(await run(await agent(t, answer), NAME), FALLBACK);
  });
}

t.test('without an agent it is modprobe', async (t) => {
  t.equal(await run(await agent(t), NAME), FALLBACK);
  t.equal(await run(await agent(t), ['-r', 'x', 'y z']), 'modprobe -r x y z');
});

t.test('other arguments are not for the agent', async (t) => {
  let asked = 0;
  const runDir = await agent(t, (socket) => {
    asked++;
    socket.write('{"answer":{"exit":0}}\n');
  });
  for (const args of [
    ['-q', 'x'],
    ['-q', '--', 'a', 'b'],
    ['-v', '--', 'a'],
    ['-q', '--', 'x'.repeat(4097)],
  ]) {
    t.equal(await run(runDir, args), `modprobe ${args.join(' ')}`);
  }
  t.equal(asked, 0);
});

t.test('a modprobe that is the helper itself does not call itself forever', async (t) => {
  const runDir = mkdtempSync(join(folder, 'loop-'));
  symlinkSync(helper, join(runDir, 'modprobe'));
  t.equal(await run(runDir, NAME), 127);
});

t.test("where the kernel's requests were switched off, a helper without an agent runs nothing", async (t) => {
  const runDir = mkdtempSync(join(folder, 'run-'));
  symlinkSync('/dev/null', join(runDir, 'modprobe'));
  t.equal(await run(runDir, NAME), 127);
});
