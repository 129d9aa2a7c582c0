/** The global `process` for plugd-lite: what plugd asks of it. */
import { host } from './host.ts';
import { done } from './node/error.ts';
import { Emitter } from './node/events.ts';
import { signalNumber } from './signals.ts';

/** A terminal, as tty.WriteStream says it. */
interface Stream {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
}

function stream(fd: number): Stream {
  const columns = host.terminalColumns(fd);
  return { isTTY: columns >= 0, columns: columns > 0 ? columns : undefined };
}

/** Signals have the kernel's default while nobody listens. */
class Process extends Emitter {
  argv: string[] = [];
  readonly env: Record<string, string | undefined> = {};
  readonly platform = 'linux';
  readonly versions = { node: '20.0.0' };
  readonly hrtime = { bigint: () => host.monotonicNs() };
  /** Set while the program is warmed at build time: nothing ends it then. */
  exit: (status?: number) => never = (status = 0) => host.exit(status);

  get pid(): number {
    return host.processId();
  }

  get stdout(): Stream {
    return stream(1);
  }

  get stderr(): Stream {
    return stream(2);
  }

  geteuid(): number {
    return host.userId();
  }

  cwd(): string {
    return done(host.workingFolder(), 'uv_cwd');
  }

  uptime(): number {
    return host.uptime();
  }

  kill(pid: number, name: string): true {
    done(host.kill(pid, signalNumber(name) ?? 0), 'kill');
    return true;
  }

  emitWarning(message: string): void {
    const bytes = new Uint8Array(host.encodeUtf8(`(plugd-lite:${this.pid}) Warning: ${message}\n`));
    host.write(2, bytes, 0, bytes.length, -1);
  }

  override on(name: string, listener: (...values: never[]) => void): this {
    super.on(name, listener);
    const signal = signalNumber(name);
    if (signal !== undefined) host.watchSignal(signal, true);
    return this;
  }

  override off(name: string, listener: (...values: never[]) => void): this {
    super.off(name, listener);
    this.#forget(name);
    return this;
  }

  /** A listener that was to hear one signal is gone before it runs: what it sends itself then has the default's effect. */
  hear(signal: number, name: string): void {
    const listeners = this.listenerCount(name);
    if (listeners === 1) host.watchSignal(signal, false);
    this.emit(name, name);
    if (this.listenerCount(name) > 0) host.watchSignal(signal, true);
  }

  #forget(name: string): void {
    const signal = signalNumber(name);
    if (signal !== undefined && this.listenerCount(name) === 0) host.watchSignal(signal, false);
  }

  /** At the start of the program: nothing of the machine that it was built on may stay. */
  begin(argv: readonly string[]): void {
    this.argv = ['plugd-lite', ...argv];
    for (const name of Object.keys(this.env)) delete this.env[name];
    for (const pair of host.environment()) {
      const at = pair.indexOf('=');
      if (at > 0) this.env[pair.slice(0, at)] = pair.slice(at + 1);
    }
  }
}

/** The one process. */
export const liteProcess = new Process();
