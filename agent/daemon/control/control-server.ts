/**
 * The agent's end of the control socket: connections, lines, and what happens when somebody does not read.
 *
 * Whoever holds the agent's lock owns the socket's name, so an old socket there is nobody's and is removed.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { PlugdError } from '../../base/error.ts';
import {
  controlError,
  LONGEST_REQUEST,
  readRequest,
  type ControlReply,
  type ControlRequest,
} from './control-protocol.ts';

/** One request under way. */
export interface ControlExchange {
  readonly request: ControlRequest;
  /** Sends an item; one that finds the connection full is dropped, and how many were is sent when it is not any more. */
  item(item: unknown): void;
  /** Sends a `working` line. */
  working(): void;
  /** Sends the answer and ends the exchange. */
  answer(answer: unknown): void;
  /** Sends an error and ends the exchange. */
  fail(error: unknown): void;
  /** Called when the exchange has ended, by an answer or because the connection closed. */
  onEnd(ended: () => void): void;
}

/** Answers requests. What it throws is sent as the error of the exchange. */
export type ControlHandler = (exchange: ControlExchange) => void;

/** Items wait for a reader up to this many bytes; a status or uevent has some hundred. */
const FULL_BYTES = 1 << 20;
/** The kernel runs at most 50 helpers at a time; the rest is people. */
const MOST_CONNECTIONS = 512;

/** The listening socket. */
export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #handler: ControlHandler;
  readonly #connections = new Set<Socket>();

  private constructor(path: string, handler: ControlHandler) {
    this.#path = path;
    this.#handler = handler;
    this.#server = createServer((socket) => this.#connect(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** Listens on `path`, mode 0600. Call it with the agent's lock held. Errors: `system`. */
  static async listen(path: string, handler: ControlHandler): Promise<ControlServer> {
    const control = new ControlServer(path, handler);
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', (error) => {
        reject(new PlugdError('system', `the control socket ${path}: ${error.message}`, { cause: error }));
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
    for (const socket of this.#connections) socket.destroySoon();
    // A client that does not read its answer must not keep the agent.
    const late = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, 500);
    await closed;
    clearTimeout(late);
    rmSync(this.#path, { force: true });
  }

  #connect(socket: Socket): void {
    this.#connections.add(socket);
    const connection = new Connection(socket, this.#handler);
    socket.once('close', () => {
      this.#connections.delete(socket);
      connection.end();
    });
  }
}

/** One client. */
class Connection {
  readonly #socket: Socket;
  readonly #handler: ControlHandler;
  readonly #ends = new Set<() => void>();
  #rest = '';

  constructor(socket: Socket, handler: ControlHandler) {
    this.#socket = socket;
    this.#handler = handler;
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // A client that goes away; 'close' follows.
    socket.on('data', (chunk: string) => this.#receive(chunk));
  }

  end(): void {
    const ends = [...this.#ends];
    this.#ends.clear();
    for (const ended of ends) ended();
  }

  #receive(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#line(line);
    if (this.#rest.length > LONGEST_REQUEST)
      this.#refuse(undefined, `a line of more than ${LONGEST_REQUEST} characters`);
  }

  #line(line: string): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    const read = readRequest(line);
    if (read.kind === 'malformed') {
      this.#send({ ...idOf(read.id), error: { code: 'usage', message: read.why } });
      return;
    }
    const exchange = new Exchange(read.request, this.#socket, this.#ends);
    try {
      this.#handler(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }

  #refuse(id: number | string | undefined, message: string): void {
    this.#rest = '';
    this.#send({ ...idOf(id), error: { code: 'usage', message } });
    this.#socket.destroySoon();
  }

  #send(reply: ControlReply): void {
    this.#socket.write(`${JSON.stringify(reply)}\n`);
  }
}

class Exchange implements ControlExchange {
  readonly request: ControlRequest;
  readonly #socket: Socket;
  readonly #ends: Set<() => void>;
  readonly #own: Array<() => void> = [];
  #done = false;
  #dropped = 0;

  constructor(request: ControlRequest, socket: Socket, ends: Set<() => void>) {
    this.request = request;
    this.#socket = socket;
    this.#ends = ends;
    ends.add(this.#end);
  }

  item(item: unknown): void {
    if (this.#done) return;
    if (this.#socket.writableLength > FULL_BYTES) {
      if (this.#dropped++ === 0) this.#socket.once('drain', this.#drained);
      return;
    }
    this.#send({ item });
  }

  working(): void {
    if (!this.#done) this.#send({ working: true });
  }

  answer(answer: unknown): void {
    if (this.#done) return;
    this.#send({ answer });
    this.#end();
  }

  fail(error: unknown): void {
    if (this.#done) return;
    this.#send({ error: controlError(error) });
    this.#end();
  }

  onEnd(ended: () => void): void {
    if (this.#done) ended();
    else this.#own.push(ended);
  }

  readonly #drained = () => {
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (!this.#done) this.#send({ item: { dropped } });
  };

  readonly #end = () => {
    if (this.#done) return;
    this.#done = true;
    this.#ends.delete(this.#end);
    this.#socket.off('drain', this.#drained);
    for (const ended of this.#own) ended();
  };

  #send(reply: ControlReply): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify({ ...idOf(this.request.id), ...reply })}\n`);
  }
}

function idOf(id: number | string | undefined): { id?: number | string } {
  return id === undefined ? {} : { id };
}
