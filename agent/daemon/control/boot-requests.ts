/**
 * The kernel's own requests while a coldplug runs. Drivers' inits make the kernel run modprobe for what they need (codecs, file
 * systems, ciphers: two dozen times on a machine with aesni_intel alone), and wait for it. The request helper gets the answer
 * from the coldplug instead, which has everything in memory, and what the kernel asks for is planned with all the rest.
 *
 * Where that is not possible (an agent runs, /proc/sys is read-only, no helper, a setting that is no modprobe) all stays as it was. A coldplug that is
 * killed leaves the helper in place, which then becomes modprobe.
 */
import { existsSync } from 'node:fs';
import { addon } from '../../base/addon.ts';
import { errnoText } from '../../base/errno.ts';
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { Loader } from '../../load/loader.ts';
import type { KernelRequests } from '../../records/coldplug-run.ts';
import { takeAgentLock } from '../agent-lock.ts';
import type { ControlReply } from './control-protocol.ts';
import { Exchanges, type ControlHandler } from './exchange.ts';
import { KernelRequestSetting } from './kernel-requests.ts';
import { NameRequests } from './name-requests.ts';
import { clearName, controlPath } from './run-dir.ts';

/** Requests being served. */
export interface BootRequests {
  /** What has come so far. */
  readonly counts: KernelRequests;
  /** Puts the kernel's setting back and ends what is under way. */
  close(): void;
}

/** Begins; undefined when it cannot be done here. */
export function serveBootRequests(host: Host, loader: Loader, runDir: string): BootRequests | undefined {
  const closers: Array<() => void> = [];
  const close = () => {
    // The setting first: a request from now on finds modprobe.
    for (let one = closers.pop(); one !== undefined; one = closers.pop()) one();
  };
  try {
    const lock = takeAgentLock(runDir);
    closers.push(() => lock.close());
    const requests = new NameRequests({
      loader,
      isLoaded: (module) => existsSync(`${host.sysfs}/module/${module}`),
    });
    const path = controlPath(runDir);
    clearName(path);
    const handler = bootHandler(requests, close);
    const socket = addon().listenLines(path, (connection, line) => {
      const send = (reply: ControlReply, last: boolean) => {
        if (typeof socket === 'object') socket.send(connection, `${JSON.stringify(reply)}\n`, last);
      };
      // A helper sends one request and reads one answer: such a connection is never full.
      new Exchanges({ send, full: () => false, onceDrained: () => () => {} }, handler).line(line);
    });
    if (typeof socket === 'number') throw new PlugdError('system', `${path}: ${errnoText(-socket)}`);
    closers.push(() => socket.close());
    // Before the setting is written: a signal in between would leave the helper in place.
    let setting: KernelRequestSetting | undefined;
    const restore = () => setting?.restore();
    closers.push(restore, onSignals(restore));
    setting = new KernelRequestSetting(host.proc, runDir, 'modprobe');
    return { counts: requests.counts, close };
  } catch (error) {
    close();
    if (error instanceof PlugdError) return undefined;
    throw error;
  }
}

/** What a coldplug does for those who connect: it answers the kernel, and makes room for an agent. Errors: `unsupported`. */
function bootHandler(requests: NameRequests, close: () => void): ControlHandler {
  return async (exchange) => {
    const { command, parameters } = exchange.request;
    if (command === 'request') {
      await requests.fromKernel(parameters.arguments ?? [], exchange);
      return;
    }
    if (command !== 'yield') {
      throw new PlugdError('unsupported', `no agent runs, only a coldplug (pid ${process.pid})`);
    }
    exchange.answer({});
    // Closing ends this connection too, once the answer is sent.
    close();
  };
}

/** Does `work` before a signal ends the process; gives a function that undoes that. */
function onSignals(work: () => void): () => void {
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const handler = () => {
      work();
      process.kill(process.pid, signal);
    };
    process.once(signal, handler);
    return () => {
      process.off(signal, handler);
    };
  });
  return () => {
    for (const off of handlers) off();
  };
}
