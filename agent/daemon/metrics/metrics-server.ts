/**
 * The agent's figures over HTTP, for Prometheus: `GET /metrics`. It is off unless asked for. Every client that can connect gets
 * figures, names of devices and of modules.
 *
 * No client may cost the agent more than a connection for a while: requests are small or refused, connections few and short.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CLOCK, type Clock } from '../../base/clock.ts';
import { PlugdError, reason } from '../../base/error.ts';
import { clearName } from '../control/run-dir.ts';
import { addressText, type ListenAddress } from './listen-address.ts';

/** What is served. */
export interface MetricsServerOptions {
  readonly address: ListenAddress;
  /** All figures now. */
  readonly text: () => Promise<string>;
  /** How long a connection may take: to ask, and in all. Prometheus waits ten seconds for its answer. */
  readonly limits?: { readonly askMs: number; readonly wholeMs: number };
  readonly clock?: Pick<Clock, 'after'>;
}

const LIMITS = { askMs: 5000, wholeMs: 20_000 };
/** A scrape's header has some hundred bytes. */
const MOST_HEADER_BYTES = 4096;
/** Others are closed at once. */
const MOST_CONNECTIONS = 16;
/** Members of root's group may ask over a unix socket. */
const SOCKET_UMASK = 0o117;

/** Begins to serve. Errors: `system`, naming the address. */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const { address } = options;
  const { askMs, wholeMs } = options.limits ?? LIMITS;
  const clock = options.clock ?? CLOCK;
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: askMs,
      requestTimeout: askMs,
      connectionsCheckingInterval: Math.min(1000, askMs),
      keepAlive: false,
    },
    (request, response) => void answer(request, response, options.text),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket) => {
    const forget = clock.after(wholeMs, () => socket.destroy());
    socket.once('close', forget);
  });
  if (address.kind === 'unix') clearName(address.path);
  await listen(server, address);
  return new MetricsServer(server);
}

/** A server of figures. */
export class MetricsServer {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** The port, for one that was asked for as 0; 0 for a unix socket. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Ends it and all its connections; a unix socket's name goes. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

async function listen(server: Server, address: ListenAddress): Promise<void> {
  const where = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  const failed = (error: Error): PlugdError =>
    new PlugdError('system', `the figures cannot be served on ${addressText(address)}: ${reason(error)}`, {
      cause: error,
    });
  const before = process.umask(SOCKET_UMASK);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(failed(error)));
      server.listen(where, resolve);
      // bind(2) to a path happens inside listen(): the socket never exists with another mode.
      process.umask(before);
    });
  } finally {
    process.umask(before);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, text: () => Promise<string>): Promise<void> {
  response.setHeader('Connection', 'close');
  // A client that goes away.
  response.on('error', () => {});
  const path = (request.url ?? '').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
  } else if (path === '/metrics') {
    try {
      const body = await text();
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
    } catch (error) {
      response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${reason(error)}\n`);
    }
  } else {
    const words = path === '/' ? 'plugd: the figures are at /metrics\n' : '';
    response.writeHead(path === '/' ? 200 : 404, { 'Content-Type': 'text/plain; charset=utf-8' }).end(words);
  }
}
