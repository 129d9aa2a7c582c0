/**
 * An agent in the background: `--daemon` starts another plugd, which leaves this one's session and terminal, and waits until it listens.
 *
 * That one is told by PLUGD_DAEMON that it is the daemon. It gets its ways to this process as descriptors: 3 to say that it listens,
 * 4 for what it has to say to people until then.
 */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { PlugdError, reason } from '../../base/error.ts';

/** Tells a plugd that it is the daemon. */
export const DAEMON_VARIABLE = 'PLUGD_DAEMON';
/** The daemon's descriptors to the process that started it. */
export const DAEMON_FDS = { ready: 3, messages: 4 } as const;

/**
 * Starts `plugd agent` with the same arguments as a daemon. Resolves when it listens, with 0, or when it has ended before that, with its
 * exit status. Its log goes where standard output leads if that is a file, else nowhere. Errors: `system`.
 *
 *     await startDaemon(['--daemon', '--policy-optional'])   // 0
 */
export async function startDaemon(args: readonly string[]): Promise<number> {
  // An agent in the foreground has no use for it.
  const { spawn } = await import('node:child_process');
  const program = process.argv[1];
  if (program === undefined) throw new PlugdError('system', 'there is no program to start');
  const nowhere = openSync('/dev/null', 'r+');
  const [output, errors] = [1, 2].map((fd) => (isFile(fd) ? fd : nowhere));
  const child = spawn(process.execPath, [program, 'agent', ...args], {
    detached: true,
    stdio: ['ignore', output, errors, 'pipe', 2],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  });
  closeSync(nowhere);
  const ready = child.stdio[DAEMON_FDS.ready] as Readable;
  return new Promise((resolve, reject) => {
    ready.once('data', () => resolve(0));
    child.once('error', (error) =>
      reject(new PlugdError('system', `the agent cannot be started: ${reason(error)}`, { cause: error })),
    );
    child.once('exit', (code, signal) => {
      if (code !== null) resolve(code);
      else reject(new PlugdError('system', `${signal} ended the agent before it listened`));
    });
  });
}

/** Whether it keeps what is written there, without a reader that may go away. */
function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Says on a descriptor that the agent listens, as s6 and dinit want it: a line, then its end. One that nobody reads is no error. */
export function sayReady(fd: number): void {
  try {
    writeSync(fd, '\n');
    closeSync(fd);
  } catch {
    // The reader has gone, or there never was one: the agent serves all the same.
  }
}
