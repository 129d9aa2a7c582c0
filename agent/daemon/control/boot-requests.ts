/**
 * The kernel's own requests while a coldplug runs. Drivers' inits make the kernel run modprobe for what they need (codecs, file
 * systems, ciphers: two dozen times on a machine with aesni_intel alone), and wait for it. The request helper gets the answer
 * from the coldplug instead, which has everything in memory, and what the kernel asks for is planned with all the rest.
 *
 * What cannot be had (an agent runs, /proc/sys is read-only, no helper) is left to modprobe as before. A coldplug that is killed
 * leaves the helper in place, which then is modprobe.
 */
import { existsSync, rmSync } from 'node:fs';
import { addon } from '../../base/addon.ts';
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { Loader } from '../../load/loader.ts';
import type { KernelRequests } from '../../records/coldplug-run.ts';
import { takeAgentLock } from '../agent-lock.ts';
import { controlError, readRequest, type ControlReply } from './control-protocol.ts';
import { KernelRequestSetting } from './kernel-requests.ts';
import { NameRequests } from './name-requests.ts';
import { controlPath } from './run-dir.ts';

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
    // The setting first: who asks from now on finds modprobe.
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
    // Whoever holds the lock owns the name.
    rmSync(path, { force: true });
    const socket = addon().listenLines(path, (connection, line) => {
      answer(requests, line, close, (reply, last) => {
        if (typeof socket === 'object') socket.send(connection, `${JSON.stringify(reply)}\n`, last);
      });
    });
    if (typeof socket === 'number') throw new PlugdError('system', `${path}: errno ${-socket}`);
    closers.push(() => socket.close());
    const setting = new KernelRequestSetting(host.proc, runDir);
    closers.push(
      () => setting.restore(),
      onSignals(() => setting.restore()),
    );
    return { counts: requests.counts, close };
  } catch (error) {
    close();
    if (error instanceof PlugdError) return undefined;
    throw error;
  }
}

/** One line from a connection. */
function answer(
  requests: NameRequests,
  line: string,
  close: () => void,
  send: (reply: ControlReply, last: boolean) => void,
): void {
  const read = readRequest(line);
  if (read.kind === 'malformed') {
    send({ error: { code: 'usage', message: read.why } }, true);
    return;
  }
  const { command, parameters, id } = read.request;
  const known = id === undefined ? {} : { id };
  const fail = (error: unknown) => send({ ...known, error: controlError(error) }, true);
  if (command === 'yield') {
    // Closing ends this connection too.
    send({ ...known, answer: {} }, true);
    close();
  } else if (command === 'request') {
    const ended: Array<() => void> = [];
    const exchange = {
      working: () => send({ working: true }, false),
      answer: (what: unknown) => {
        send({ ...known, answer: what }, true);
        for (const end of ended) end();
      },
      onEnd: (end: () => void) => ended.push(end),
    };
    requests.fromKernel(parameters.arguments ?? [], exchange).catch(fail);
  } else {
    fail(new PlugdError('unsupported', `no agent runs, only a coldplug (pid ${process.pid})`));
  }
}

/** Does `work` before a signal ends the process; answers how to undo that. */
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
