import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PlugdError } from '../../../agent/base/error.ts';
import { ControlClient } from '../../../agent/daemon/control/control-client.ts';
import { LONGEST_REQUEST, readRequest } from '../../../agent/daemon/control/control-protocol.ts';
import { ControlServer } from '../../../agent/daemon/control/control-server.ts';
import type { ControlExchange, ControlHandler } from '../../../agent/daemon/control/exchange.ts';

const folder = mkdtempSync(join(tmpdir(), 'plugd-control-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A server in a run directory of its own. */
async function serve(t: Test, handler: ControlHandler) {
  const runDir = mkdtempSync(join(folder, `${++count}-`));
  const server = await ControlServer.listen(join(runDir, 'control'), handler);
  t.teardown(async () => server.close());
  return { runDir, server };
}

/** A bare connection and the lines that come back. */
async function raw(runDir: string) {
  const socket: Socket = connect(join(runDir, 'control'));
  let text = '';
  let wake = () => {};
  let closed = false;
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
    wake();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  const until = async (done: () => boolean) => {
    while (!done()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    socket,
    /** Waits until what has come holds this. */
    has: async (part: string) => until(() => text.includes(part)),
    lines: async (n: number) => {
      await until(() => text.split('\n').length > n || closed);
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    closed: async () => until(() => closed),
  };
}

const malformed: Record<string, readonly [line: string, why: RegExp]> = {
  'no JSON': ['status', /JSON/],
  'half an object': ['{"command":"status"', /JSON/],
  'a list': ['[]', /object/],
  null: ['null', /object/],
  'no command': ['{}', /one of: ping, status/],
  'an unknown command': ['{"command":"constructor"}', /one of/],
  'an unknown member': ['{"command":"status","wacth":true}', /no member 'wacth'/],
  'a member of another type': ['{"command":"status","watch":1}', /'watch' must be true or false/],
  'a list of other things': ['{"command":"load","names":["a",1]}', /list of strings/],
  'a negative time': ['{"command":"settle","timeoutMs":-1}', /0 or more/],
  'an id that is an object': ['{"command":"status","id":{}}', /id/],
};
for (const [name, [line, why]] of Object.entries(malformed)) {
  t.test(`malformed: ${name}`, (t) => {
    const read = readRequest(line);
    t.equal(read.kind, 'malformed');
    if (read.kind === 'malformed') t.match(read.why, why);
    t.end();
  });
}

t.test('a request with all it may say', (t) => {
  t.same(readRequest('{"id":"x","command":"settle","module":"a","timeoutMs":5}'), {
    kind: 'request',
    request: { id: 'x', command: 'settle', parameters: { module: 'a', timeoutMs: 5 } },
  });
  t.end();
});

t.test('every truncation of a request is malformed', (t) => {
  const line = '{"id":1,"command":"monitor","kernel":true,"subsystems":["usb"]}';
  for (let length = 0; length < line.length; length++) {
    if (readRequest(line.slice(0, length)).kind !== 'malformed') t.fail(`length ${length}`);
  }
  t.equal(readRequest(line).kind, 'request');
  t.end();
});

t.test('the socket is for its owner only, and an old one is no obstacle', async (t) => {
  const runDir = mkdtempSync(join(folder, 'old-'));
  const path = join(runDir, 'control');
  writeFileSync(path, '');
  const server = await ControlServer.listen(path, () => {});
  t.equal(lstatSync(path).mode & 0o777, 0o600);
  t.ok(lstatSync(path).isSocket());
  await server.close();
  t.notOk(existsSync(path));
});

t.test('items, then the answer', async (t) => {
  const { runDir } = await serve(t, (exchange) => {
    exchange.item({ n: 1 });
    setImmediate(() => {
      exchange.item({ n: 2 });
      exchange.answer({ done: true });
      exchange.item({ n: 3 });
      exchange.answer({ done: false });
    });
  });
  const client = await ControlClient.open(runDir);
  const items: unknown[] = [];
  t.same(await client.ask('status', {}, (item) => items.push(item)), { done: true });
  t.same(items, [{ n: 1 }, { n: 2 }]);
  t.same(await client.ask('ping', {}), { done: true }, 'the connection serves another request');
  client.close();
});

t.test('errors keep code, message and remedy; what a handler throws is one', async (t) => {
  const { runDir } = await serve(t, (exchange) => {
    if (exchange.request.command === 'ping') throw new Error('a defect');
    throw new PlugdError('busy', 'not now', { remedy: 'later' });
  });
  const client = await ControlClient.open(runDir);
  await t.rejects(client.ask('status', {}), { code: 'busy', message: 'not now', remedy: 'later' });
  await t.rejects(client.ask('ping', {}), { code: 'system', message: 'a defect' });
  client.close();
});

t.test('ids distinguish several requests on one connection; malformed lines do not end it', async (t) => {
  const open: ControlExchange[] = [];
  const { runDir } = await serve(t, (exchange) => {
    if (exchange.request.command === 'reload') exchange.answer({});
    else open.push(exchange);
  });
  const { socket, lines } = await raw(runDir);
  const other = await ControlClient.open(runDir);
  // In pieces and together, as a stream may deliver them.
  for (const part of [
    '{"id":1,"comm',
    'and":"ping"}\n{"id":"b","command":"status"}\n',
    'x\n\n{"command":"metrics"}\n',
  ]) {
    socket.write(part);
    // An answer on another connection: this part has been read by then.
    await other.ask('reload', {});
  }
  other.close();
  await lines(1);
  t.equal(open.length, 3);
  open[1]?.answer('second');
  open[2]?.answer('third');
  open[0]?.answer('first');
  t.same(
    (await lines(4)).map(({ id, answer, error }) => [id, error === undefined ? answer : 'error']),
    [
      [undefined, 'error'],
      ['b', 'second'],
      [undefined, 'third'],
      [1, 'first'],
    ],
  );
  socket.destroy();
});

t.test('a line without end is refused', async (t) => {
  const { runDir } = await serve(t, () => {});
  const { socket, lines, closed } = await raw(runDir);
  socket.write('x'.repeat(LONGEST_REQUEST + 1));
  t.match(await lines(1), [{ error: { code: 'usage' } }]);
  await closed();
});

t.test('a client that goes away ends its exchanges', async (t) => {
  let ended = 0;
  let begun = () => {};
  const both = new Promise<void>((resolve) => (begun = resolve));
  let over = () => {};
  const after = new Promise<void>((resolve) => (over = resolve));
  let open = 0;
  const { runDir } = await serve(t, (exchange) => {
    exchange.onEnd(() => {
      exchange.item({ late: true });
      if (++ended === 2) over();
    });
    if (++open === 2) begun();
  });
  const { socket } = await raw(runDir);
  socket.write('{"command":"monitor"}\n{"command":"settle"}\n');
  await both;
  socket.destroy();
  await after;
  t.equal(ended, 2);
});

t.test('a client that does not read loses items, learns how many, and costs little', async (t) => {
  let begun: (one: ControlExchange) => void = () => {};
  const first = new Promise<ControlExchange>((resolve) => (begun = resolve));
  const { runDir } = await serve(t, (one) => begun(one));
  const { socket, lines, has } = await raw(runDir);
  socket.pause();
  socket.write('{"command":"monitor"}\n');
  const exchange = await first;
  const before = process.memoryUsage().rss;
  for (let n = 0; n < 200_000; n++) exchange.item({ n, text: 'x'.repeat(100) });
  const grown = process.memoryUsage().rss - before;
  t.ok(grown < 64 << 20, `${grown >> 20} MiB more`);
  socket.resume();
  const all = await lines(1);
  t.match(all[0], { item: { n: 0 } });
  await has('"dropped"');
  const came = (await lines(0)).map(({ item }) => item as { dropped?: number });
  const dropped = came.at(-1)?.dropped ?? 0;
  const got = came.length - 1;
  t.equal(got + dropped, 200_000, `${got} came, ${dropped} were dropped`);
  socket.destroy();
});

t.test('close delivers answers that were given and ends the rest', async (t) => {
  const runDir = mkdtempSync(join(folder, 'close-'));
  let begun: (one: ControlExchange) => void = () => {};
  const opened = new Promise<ControlExchange>((resolve) => (begun = resolve));
  const server = await ControlServer.listen(join(runDir, 'control'), (one) => begun(one));
  const client = await ControlClient.open(runDir);
  const first = client.ask('status', {});
  const exchange = await opened;
  exchange.answer('last words');
  await Promise.all([server.close(), t.resolves(first)]);
  await t.rejects(client.ask('status', {}), { code: 'system', message: /ended/ });
});

t.test('without an agent the client says so', async (t) => {
  await t.rejects(ControlClient.open(join(folder, 'nowhere')), { code: 'unsupported', message: /no agent is running/ });
});

t.test('connections that ask for nothing, or wait for an answer, keep nobody out', async (t) => {
  const runDir = mkdtempSync(join(folder, 'many-'));
  const open: ControlExchange[] = [];
  const server = await ControlServer.listen(join(runDir, 'control'), (exchange) => {
    if (exchange.request.command === 'ping') exchange.answer({ pid: 1 });
    else open.push(exchange);
  });
  const clients: ControlClient[] = [];
  t.teardown(async () => {
    for (const client of clients) client.close();
    await server.close();
  });
  const connect = async () => {
    const client = await ControlClient.open(runDir);
    clients.push(client);
    return client;
  };
  // One after the other: a listening socket's queue is short.
  const several = async (count: number) => {
    const made: ControlClient[] = [];
    while (made.length < count) made.push(await connect());
    return made;
  };
  const waiting = await connect();
  const end = waiting.ask('settle', {}).catch(() => {});
  await several(520);
  t.same(await (await connect()).ask('ping', {}), { pid: 1 }, 'the oldest idle one makes room');
  t.equal(open.length, 1);
  open[0]?.answer({});
  await end;
  t.pass('one that waits for its answer is left alone');
  const all = await several(512);
  const answers = all.map(async (client) => client.ask('settle', {}).catch(() => {}));
  while (open.length < 513) await new Promise((resolve) => setImmediate(resolve));
  await t.rejects((await connect()).ask('ping', {}), { code: 'busy', message: /512 requests/ });
  await t.rejects((await connect()).ask('ping', {}), { code: 'busy' });
  for (const client of all) client.close();
  await Promise.all(answers);
});
