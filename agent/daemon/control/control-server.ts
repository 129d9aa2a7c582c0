/**
 * The agent's end of the control socket: connections, lines, and clients that do not read.
 *
 * The holder of the agent's lock owns the socket's name, so an old socket there is nobody's and is removed.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { PlugdError, reason } from '../../base/error.ts';
import { LONGEST_REQUEST, type ControlReply } from './control-protocol.ts';
import { Exchanges, type ControlHandler, type Transport } from './exchange.ts';
import { clearName } from './run-dir.ts';

/** Items wait for a reader up to this many bytes; a status or uevent has some hundred. */
const FULL_BYTES = 1 << 20;
/** The kernel runs at most 50 helpers at a time; the rest is people. One more takes the place of one that asks for nothing. */
const MOST_CONNECTIONS = 512;

/** The listening socket. */
export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #handler: ControlHandler;
  /** The newest last. */
  readonly #connections = new Map<Socket, Connection>();

  private constructor(path: string, handler: ControlHandler) {
    this.#path = path;
    this.#handler = handler;
    this.#server = createServer((socket) => this.#connect(socket));
  }

  /** Listens on `path`, mode 0600. Call it with the agent's lock held. Errors: `system`. */
  static async listen(path: string, handler: ControlHandler): Promise<ControlServer> {
    const control = new ControlServer(path, handler);
    clearName(path);
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', (error) => {
        reject(new PlugdError('system', `the control socket ${path}: ${reason(error)}`, { cause: error }));
      });
      // bind(2) happens inside listen(): the socket never exists with another mode.
      const before = process.umask(0o177);
      try {
        control.#server.listen({ path, backlog: MOST_CONNECTIONS }, resolve);
      } finally {
        process.umask(before);
      }
    });
    return control;
  }

  /** Ends all connections and removes the socket; answers that were given are still delivered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#connections.keys()) socket.destroySoon();
    // A client that does not read its answer must not keep the agent.
    const late = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, 500);
    await closed;
    clearTimeout(late);
    rmSync(this.#path, { force: true });
  }

  #connect(socket: Socket): void {
    if (this.#connections.size >= MOST_CONNECTIONS) this.#endIdle();
    const full = this.#connections.size >= MOST_CONNECTIONS;
    const connection = new Connection(socket, full ? tooMany : this.#handler);
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      this.#connections.delete(socket);
      connection.end();
    });
  }

  /** Ends the oldest connection without a request under way, if there is one. */
  #endIdle(): void {
    for (const [socket, connection] of this.#connections) {
      if (!connection.idle) continue;
      this.#connections.delete(socket);
      socket.destroy();
      return;
    }
  }
}

/** Answers who comes while all others wait for an answer. */
const tooMany: ControlHandler = () => {
  throw new PlugdError('busy', `${MOST_CONNECTIONS} requests are under way already`);
};

/** One client. */
class Connection implements Transport {
  readonly #socket: Socket;
  readonly #exchanges: Exchanges;
  #rest = '';

  constructor(socket: Socket, handler: ControlHandler) {
    this.#socket = socket;
    this.#exchanges = new Exchanges(this, handler);
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // A client that goes away; 'close' follows.
    socket.on('data', (chunk: string) => this.#receive(chunk));
  }

  send(reply: ControlReply): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(reply)}\n`);
  }

  full(): boolean {
    return this.#socket.writableLength > FULL_BYTES;
  }

  onceDrained(drained: () => void): () => void {
    this.#socket.once('drain', drained);
    return () => this.#socket.off('drain', drained);
  }

  end(): void {
    this.#exchanges.end();
  }

  /** It has asked for nothing, or has its answer. */
  get idle(): boolean {
    return this.#exchanges.open === 0 && this.#socket.writableLength === 0;
  }

  #receive(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '' && !this.#socket.destroyed && !this.#socket.writableEnded) this.#exchanges.line(line);
    }
    if (this.#rest.length <= LONGEST_REQUEST) return;
    this.#rest = '';
    this.#exchanges.refuse(undefined, `a line of more than ${LONGEST_REQUEST} characters`);
    this.#socket.destroySoon();
  }
}
