/**
 * Reports to the service manager: sd_notify(3) over NOTIFY_SOCKET. Without that variable it sends nothing.
 *
 * Before it tells the watchdog that the agent is alive, it checks the agent over its own control socket, and its uevent socket: the
 * service manager restarts an agent of which only a timer still works.
 */
import { addon } from '../base/addon.ts';

export interface ServiceManagerOptions {
  /** It removes the variables meant for this process alone: install commands must not speak for the agent. */
  readonly env: NodeJS.ProcessEnv;
  /** Why the agent does not serve; undefined when it does. */
  fault(): Promise<string | undefined>;
  /** Called with each fault that the watchdog finds. */
  faulty(why: string): void;
}

/** The text of the status line, and whether it changes with passing time. */
export interface StatusLine {
  readonly text: string;
  readonly passing: boolean;
}

/** Changes are reported after this time, so that a thousand become one. */
const SOON_MS = 200;
/** How often the status is updated while it shows elapsed seconds. */
const PASSING_MS = 1000;

/** The connection to the service manager. */
export class ServiceManager {
  readonly #socket: string | undefined;
  readonly #options: ServiceManagerOptions;
  readonly #watchdog: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #status = '';
  #ended = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#socket = options.env['NOTIFY_SOCKET'];
    const interval = watchdogMs(options.env);
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete options.env[name];
    if (this.#socket === undefined || interval === undefined) return;
    this.#watchdog = setInterval(() => void this.#live(), interval / 3);
  }

  /** Coldplug has settled. */
  ready(status: string): void {
    this.#status = printable(status);
    this.#send(`READY=1\nSTATUS=${this.#status}`);
  }

  /** Keeps the status as `line` has it: after each change, and while time passes in it. */
  follow(changes: Set<() => void>, line: () => StatusLine): void {
    if (this.#socket === undefined) return;
    const look = () => {
      this.#look = undefined;
      if (this.#ended) return;
      const { text, passing } = line();
      const status = printable(text);
      if (status !== this.#status) this.#send(`STATUS=${status}`);
      this.#status = status;
      if (passing) this.#look = setTimeout(look, PASSING_MS);
    };
    changes.add(() => {
      if (!this.#ended) this.#look ??= setTimeout(look, SOON_MS);
    });
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
    this.#ended = true;
    clearTimeout(this.#look);
    clearInterval(this.#watchdog);
    this.#send('STOPPING=1\nSTATUS=stopping');
  }

  async #live(): Promise<void> {
    const why = await this.#options.fault();
    if (this.#ended) return;
    if (why === undefined) this.#send('WATCHDOG=1');
    else this.#options.faulty(why);
  }

  #send(message: string): void {
    // A manager that does not read (EAGAIN) must not stop the agent; the next message comes.
    if (this.#socket !== undefined) addon().notify(this.#socket, message);
  }
}

/** A line feed would begin another variable; the manager refuses a message with bytes that are not text. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\xa0-\ud7ff\ue000-\uffff]/g, '?');
}

/** WATCHDOG_USEC in ms, when it is meant for this process (sd_watchdog_enabled(3)). */
function watchdogMs(env: NodeJS.ProcessEnv): number | undefined {
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '');
  const pid = env['WATCHDOG_PID'];
  if (!(microseconds > 0) || (pid !== undefined && pid !== String(process.pid))) return undefined;
  return microseconds / 1000;
}
