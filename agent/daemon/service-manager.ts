/**
 * What the service manager is told: sd_notify(3) over NOTIFY_SOCKET. Without that variable nothing is sent.
 *
 * The watchdog is told that the agent lives only after the agent has been asked over its own control socket and has answered:
 * that takes the event loop, the listening socket and the handler. An agent that only has a timer left is restarted.
 */
import { addon } from '../base/addon.ts';

export interface ServiceManagerOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Whether the agent serves. */
  alive(): Promise<boolean>;
  /** Told when it does not. */
  dead(): void;
}

/** The connection to the service manager. */
export class ServiceManager {
  readonly #socket: string | undefined;
  readonly #options: ServiceManagerOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #status = '';

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#socket = options.env['NOTIFY_SOCKET'];
    const interval = watchdogMs(options.env);
    if (this.#socket === undefined || interval === undefined) return;
    this.#timer = setInterval(() => void this.#watchdog(), interval / 3);
  }

  /** Coldplug has settled. */
  ready(status: string): void {
    this.#status = status;
    this.#send(`READY=1\nSTATUS=${status}`);
  }

  /** A line for `systemctl status`. */
  status(status: string): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#send(`STATUS=${status}`);
  }

  /** A reload begins; ready() ends it. */
  reloading(): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /** Starting takes longer than the unit allows: `ms` more, please (a coldplug with a slow init). */
  extend(ms: number): void {
    this.#send(`EXTEND_TIMEOUT_USEC=${ms * 1000}`);
  }

  stopping(): void {
    clearInterval(this.#timer);
    this.#send('STOPPING=1\nSTATUS=stopping');
  }

  async #watchdog(): Promise<void> {
    if (await this.#options.alive()) this.#send('WATCHDOG=1');
    else this.#options.dead();
  }

  #send(message: string): void {
    // A manager that does not read (EAGAIN) must not stop the agent; the next message comes.
    if (this.#socket !== undefined) addon().notify(this.#socket, message.replaceAll(/[^\n\x20-\uffff]/g, '?'));
  }
}

/** WATCHDOG_USEC in ms, when it is meant for this process (sd_watchdog_enabled(3)). */
function watchdogMs(env: NodeJS.ProcessEnv): number | undefined {
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '');
  const pid = env['WATCHDOG_PID'];
  if (!(microseconds > 0) || (pid !== undefined && pid !== String(process.pid))) return undefined;
  return microseconds / 1000;
}
