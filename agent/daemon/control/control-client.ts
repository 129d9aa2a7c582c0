/** The commands' end of the control socket. */
import { connect, type Socket } from 'node:net';
import { fsCode, PlugdError, reason } from '../../base/error.ts';
import type { ControlCommand, ControlReply, Parameters } from './control-protocol.ts';
import { controlPath } from './run-dir.ts';

/** A connection to a running agent. */
export class ControlClient {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
  }

  /** Connects. Errors: `unsupported` when no agent runs, `no-permission` when it is not for this user. */
  static async open(runDir: string): Promise<ControlClient> {
    const path = controlPath(runDir);
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(unreachable(error, path)));
    });
    socket.removeAllListeners('error');
    socket.on('error', () => {}); // 'close' follows, and is the end of whatever waits.
    return new ControlClient(socket);
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * One request; `item` gets each item. Resolves with the answer. Errors: what the agent answered, `system` when it ended
   * before it did.
   */
  async ask<Command extends ControlCommand>(
    command: Command,
    parameters: Parameters<Command>,
    item: (item: unknown) => void = () => {},
  ): Promise<unknown> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let rest = '';
      const off = () => {
        socket.off('data', data);
        socket.off('close', closed);
      };
      const closed = () => {
        off();
        reject(new PlugdError('system', 'the agent ended before it answered'));
      };
      const data = (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const reply = JSON.parse(line) as ControlReply;
          if ('item' in reply) item(reply.item);
          if (reply.error !== undefined) {
            off();
            const { code, message, remedy } = reply.error;
            reject(new PlugdError(code, message, remedy === undefined ? {} : { remedy }));
          } else if ('answer' in reply) {
            off();
            resolve(reply.answer);
          }
        }
      };
      socket.on('data', data);
      socket.once('close', closed);
      if (socket.destroyed) closed();
      else socket.write(`${JSON.stringify({ command, ...parameters })}\n`);
    });
  }
}

function unreachable(error: Error, path: string): PlugdError {
  const code = fsCode(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new PlugdError('no-permission', `only root may talk to the agent (${path})`, { remedy: 'run it as root' });
  }
  const none = code === 'ENOENT' || code === 'ECONNREFUSED';
  return new PlugdError(
    'unsupported',
    none ? `no agent is running (nobody listens on ${path})` : `${path}: ${reason(error)}`,
    {
      remedy: 'start it: systemctl start plugd, or plugd agent',
    },
  );
}
