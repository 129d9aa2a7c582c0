/**
 * QEMU's machine protocol (docs/interop/qmp-spec.rst): one JSON object a line, answers in the order of the commands, events in
 * between.
 *
 *     ← {"QMP": {"version": …}}
 *     → {"execute": "device_add", "arguments": {"driver": "usb-kbd", "id": "k0"}}
 *     ← {"return": {}}
 *     ← {"event": "DEVICE_DELETED", "data": {"device": "k0", "path": "/machine/peripheral/k0"}}
 */
import { EventEmitter, on } from 'node:events';
import type { Socket } from 'node:net';

/** Something QEMU tells unasked: `DEVICE_DELETED`, `SHUTDOWN`. */
export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly QMP?: unknown;
}

/** QEMU refused a command; the message is QEMU's own. */
export class QmpError extends Error {}

/** A connection to a running QEMU. */
export class Qmp {
  readonly #socket: Socket;
  readonly #waiting: { done: (value: unknown) => void; failed: (error: Error) => void }[] = [];
  readonly #emitter = new EventEmitter();
  /** All events so far, oldest first. */
  readonly events: QmpEvent[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#emitter.setMaxListeners(0);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.#receive(JSON.parse(line) as Message);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { failed } of this.#waiting.splice(0)) failed(new QmpError('QEMU has ended'));
    });
  }

  #receive(message: Message): void {
    if (message.event !== undefined) {
      const event: QmpEvent = { event: message.event, data: message.data ?? {} };
      this.events.push(event);
      this.#emitter.emit('event', event);
    } else if (message.error !== undefined) {
      this.#waiting.shift()?.failed(new QmpError(message.error.desc));
    } else if (message.QMP === undefined) {
      this.#waiting.shift()?.done(message.return);
    }
  }

  /** One command; its answer, or a rejection with QmpError. Several may be sent before the first is answered. */
  async command(execute: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((done, failed) => {
      if (this.#socket.destroyed) {
        failed(new QmpError('QEMU has ended'));
        return;
      }
      this.#waiting.push({ done, failed });
      this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
  }

  /** Plugs a device in: `deviceAdd('usb-kbd', 'k0', { bus: 'usb.0' })`. */
  async deviceAdd(driver: string, id: string, properties: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.command('device_add', { driver, id, ...properties });
  }

  /** Pulls a device out and waits until the guest has let it go; rejects after `timeout` milliseconds. */
  async deviceDel(id: string, timeout = 20_000): Promise<void> {
    const gone = this.waitFor((event) => event.event === 'DEVICE_DELETED' && event.data?.['device'] === id, timeout);
    await Promise.all([this.command('device_del', { id }), gone]);
  }

  /** The first event from now on for which `wanted` is true; rejects after `timeout` milliseconds. */
  async waitFor(wanted: (event: QmpEvent) => boolean, timeout: number): Promise<QmpEvent> {
    const signal = AbortSignal.timeout(timeout);
    for await (const [event] of on(this.#emitter, 'event', { signal }) as AsyncIterable<[QmpEvent]>) {
      if (wanted(event)) return event;
    }
    throw new QmpError('no such event');
  }
}
