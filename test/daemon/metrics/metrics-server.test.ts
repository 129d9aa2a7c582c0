/** Figures over HTTP: what is answered, and that bad clients cost nothing. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { serveMetrics, type MetricsServer } from '../../../agent/daemon/metrics/metrics-server.ts';

const FIGURES = 'plugd_x 1\n';
const LOCAL = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

async function serve(t: Test, text = async () => FIGURES, limits = { askMs: 60_000, wholeMs: 60_000 }) {
  const server = await serveMetrics({ address: LOCAL, text, limits });
  t.teardown(async () => server.close());
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

async function ask(where: MetricsServer | string, path: string, method = 'GET') {
  const to = typeof where === 'string' ? { socketPath: where } : { host: '127.0.0.1', port: where.port };
  return new Promise<Answer>((resolve, reject) => {
    const asked = request({ ...to, path, method }, (response) => {
      let body = '';
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Sends bytes, and resolves with all that comes until the connection ends. */
async function send(server: MetricsServer, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

t.test('what is asked, and what is answered', async (t) => {
  const server = await serve(t);
  const type = 'text/plain; version=0.0.4; charset=utf-8';
  t.same(await ask(server, '/metrics'), { status: 200, type, body: FIGURES });
  t.same(await ask(server, '/metrics?x=1'), { status: 200, type, body: FIGURES });
  t.same(await ask(server, '/metrics', 'HEAD'), { status: 200, type, body: '' });
  t.match(await ask(server, '/'), { status: 200, body: /metrics/ });
  t.match(await ask(server, '/../etc/passwd'), { status: 404, body: '' });
  t.match(await ask(server, '/metrics', 'POST'), { status: 405, body: '' });
  t.match(await send(server, 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 200 [^]*Connection: close/);
});

t.test('figures that cannot be had are an answer of 500', async (t) => {
  const server = await serve(t, async () => {
    throw new Error('no figures');
  });
  t.match(await ask(server, '/metrics'), { status: 500, body: 'no figures\n' });
});

const BAD: ReadonlyArray<readonly [rule: string, bytes: string, answer: RegExp]> = [
  ['a huge header', `GET /metrics HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1_000_000)}`, /^(HTTP\/1\.1 431 |$)/],
  ['a huge path', `GET /${'x'.repeat(1_000_000)}`, /^(HTTP\/1\.1 431 |$)/],
  ['no HTTP', '\x16\x03\x01\x02\0\x01\0\r\n\r\n', /^HTTP\/1\.1 400 /],
  [
    'a body',
    `POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(500_000)}`,
    /^(HTTP\/1\.1 405 |$)/,
  ],
  [
    'two requests in one',
    'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n',
    /^HTTP\/1\.1 200 (?![^]*HTTP)/,
  ],
];
for (const [rule, bytes, answer] of BAD) {
  t.test(`${rule}: the connection ends, and the next is served`, async (t) => {
    const server = await serve(t);
    t.match(await send(server, bytes), answer);
    t.match(await ask(server, '/metrics'), { status: 200 });
  });
}

/** Asks until there is a place. */
async function askAgain(server: MetricsServer): Promise<Answer> {
  for (;;) {
    const answer = await ask(server, '/metrics').catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

t.test('clients that never ask are cut off', async (t) => {
  const server = await serve(t, undefined, { askMs: 50, wholeMs: 60_000 });
  t.match(await send(server, ''), /^(HTTP\/1\.1 408 |$)/);
  t.match(await send(server, 'GET /metrics HTTP/1.1\r\nHo'), /^(HTTP\/1\.1 408 |$)/);
});

t.test('clients that never read their answers lose their places', async (t) => {
  // More than the kernel takes for a reader that does not read.
  const large = 'plugd_x 1\n'.repeat(2_000_000);
  const late: Array<() => void> = [];
  const clock = { after: (_: number, work: () => void) => (late.push(work), () => {}) };
  const server = await serveMetrics({ address: LOCAL, text: async () => large, clock });
  t.teardown(async () => server.close());
  const deaf = Array.from({ length: 16 }, () =>
    connect(server.port, '127.0.0.1')
      .on('error', () => {})
      .pause(),
  );
  for (const socket of deaf) socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
  while (late.length < 16) await new Promise((resolve) => setImmediate(resolve));
  for (const work of late.splice(0)) work();
  const received = deaf.map(async (socket) => {
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
    await new Promise((resolve) => socket.once('close', resolve));
    return bytes;
  });
  for (const bytes of await Promise.all(received)) t.ok(bytes < large.length, 'it is cut off');
  t.match(await askAgain(server), { status: 200 });
});

t.test('connections that ask for nothing do not add up', async (t) => {
  const server = await serve(t);
  let closed = 0;
  const idle = Array.from({ length: 40 }, () => connect(server.port, '127.0.0.1').on('error', () => {}));
  await new Promise<void>((resolve) => {
    for (const socket of idle) {
      socket.resume().once('close', () => {
        if (++closed === 40 - 16) resolve();
      });
    }
  });
  for (const socket of idle) socket.destroy();
  t.match(await askAgain(server), { status: 200 });
});

t.test('a unix socket is for root and its group, replaces an old one, and goes at the end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-metrics-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'socket');
  writeFileSync(path, '');
  const server = await serveMetrics({ address: { kind: 'unix', path }, text: async () => FIGURES });
  t.equal(statSync(path).mode & 0o777, 0o660);
  t.match(await ask(path, '/metrics'), { status: 200, body: FIGURES });
  t.equal(server.port, 0);
  await server.close();
  t.notOk(existsSync(path));
});

t.test('an address that is taken is named', async (t) => {
  const { port } = await serve(t);
  const again = serveMetrics({ address: { ...LOCAL, port }, text: async () => '' });
  await t.rejects(again, { code: 'system', message: new RegExp(`served on 127\\.0\\.0\\.1:${port}: .*in use`) });
});
t.end();
