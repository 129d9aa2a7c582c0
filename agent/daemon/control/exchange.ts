/**
 * The protocol of the control socket, whatever carries its lines: a line is read, handled, and answered by items and then one
 * answer or one error. The agent's server and the coldplug that serves the kernel's requests both speak it.
 */
import { controlError, readRequest, type ControlReply, type ControlRequest } from './control-protocol.ts';

/** One request under way. */
export interface ControlExchange {
  readonly request: ControlRequest;
  /**
   * Sends an item; one that finds the connection full is dropped, and how many were is sent when it is not any more, at the latest
   * before the answer or the error.
   */
  item(item: unknown): void;
  /** Resolves when the connection is not full, so that no item is dropped; at once when the exchange has ended. */
  room(): Promise<void>;
  /** Sends a `working` line. */
  working(): void;
  /** Sends the answer and ends the exchange. */
  answer(answer: unknown): void;
  /** Sends an error and ends the exchange. */
  fail(error: unknown): void;
  /** Called when the exchange has ended, by an answer or because the connection closed. */
  onEnd(ended: () => void): void;
}

/** Handles requests. What it throws, or rejects with, is sent as the error of the exchange. */
export type ControlHandler = (exchange: ControlExchange) => void | Promise<void>;

/** What carries the lines of one connection. */
export interface Transport {
  /** Sends a reply; `last` when it ends its exchange. Does nothing when the connection has closed. */
  send(reply: ControlReply, last: boolean): void;
  /** Whether so much waits to be read that items should be dropped. */
  full(): boolean;
  /** Calls `drained` once when the connection is not full any more; answers how to take that back. */
  onceDrained(drained: () => void): () => void;
}

/** The exchanges of one connection. */
export class Exchanges {
  readonly #transport: Transport;
  readonly #handler: ControlHandler;
  readonly #open = new Set<Exchange>();

  constructor(transport: Transport, handler: ControlHandler) {
    this.#transport = transport;
    this.#handler = handler;
  }

  /** Requests that are under way. */
  get open(): number {
    return this.#open.size;
  }

  /** One line of the connection. Never throws. */
  line(line: string): void {
    const read = readRequest(line);
    if (read.kind === 'malformed') {
      this.refuse(read.id, read.why);
      return;
    }
    const exchange = new Exchange(read.request, this.#transport, () => this.#open.delete(exchange));
    this.#open.add(exchange);
    try {
      this.#handler(exchange)?.catch((error: unknown) => exchange.fail(error));
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Sends the error for what is no request: code `usage`. */
  refuse(id: number | string | undefined, message: string): void {
    this.#transport.send({ ...idOf(id), error: { code: 'usage', message } }, true);
  }

  /** The connection has closed. */
  end(): void {
    for (const exchange of this.#open) exchange.end();
  }
}

class Exchange implements ControlExchange {
  readonly request: ControlRequest;
  readonly #transport: Transport;
  readonly #ends: Array<() => void>;
  #done = false;
  #dropped = 0;
  #notDrained: () => void = () => {};

  constructor(request: ControlRequest, transport: Transport, ended: () => void) {
    this.request = request;
    this.#transport = transport;
    this.#ends = [ended];
  }

  item(item: unknown): void {
    if (this.#done) return;
    if (this.#transport.full()) {
      if (this.#dropped++ === 0) this.#notDrained = this.#transport.onceDrained(() => this.#tellDropped());
      return;
    }
    this.#send({ item }, false);
  }

  async room(): Promise<void> {
    if (this.#done || !this.#transport.full()) return;
    await new Promise<void>((resolve) => {
      this.#transport.onceDrained(resolve);
      this.onEnd(resolve);
    });
  }

  working(): void {
    if (!this.#done) this.#send({ working: true }, false);
  }

  answer(answer: unknown): void {
    if (this.#done) return;
    this.#tellDropped();
    this.#send({ answer }, true);
    this.end();
  }

  fail(error: unknown): void {
    if (this.#done) return;
    this.#tellDropped();
    this.#send({ error: controlError(error) }, true);
    this.end();
  }

  onEnd(ended: () => void): void {
    if (this.#done) ended();
    else this.#ends.push(ended);
  }

  /** Ends it without a reply. */
  end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#notDrained();
    for (const ended of this.#ends) ended();
  }

  #tellDropped(): void {
    const dropped = this.#dropped;
    if (dropped === 0) return;
    this.#dropped = 0;
    this.#notDrained();
    this.#send({ item: { dropped } }, false);
  }

  #send(reply: ControlReply, last: boolean): void {
    this.#transport.send({ ...idOf(this.request.id), ...reply }, last);
  }
}

function idOf(id: number | string | undefined): { id?: number | string } {
  return id === undefined ? {} : { id };
}
