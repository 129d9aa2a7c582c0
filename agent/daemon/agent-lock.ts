/**
 * One agent a run directory. The lock is flock(2) on RUN/lock: the kernel gives it to one process and takes it back however
 * that process ends, kill -9 included, so there is no stale lock to guess about and no moment between look and take. The
 * file holds the holder's pid for messages. It is never removed: who holds the lock of a removed file holds nothing.
 */
import { closeSync, constants, ftruncateSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { addon } from '../base/addon.ts';
import { block } from '../base/blocking.ts';
import { ERRNO, errnoName, errnoText } from '../base/errno.ts';
import { PlugdError, fsCode, reason } from '../base/error.ts';

/** The lock, held until close() or the end of the process. */
export interface AgentLock {
  close(): void;
}

/**
 * Takes the lock of `runDir` (`/run/plugd`), making the directory (mode 0700). Errors: `busy` naming the pid that holds it,
 * `no-permission`, `system`.
 */
export function takeAgentLock(runDir: string): AgentLock {
  const file = `${runDir}/lock`;
  let fd: number;
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    // Whoever may write here could put a socket of his own in the place of the agent's.
    const { mode, uid } = statSync(runDir);
    if ((mode & 0o022) !== 0 || uid !== process.geteuid?.()) {
      throw new PlugdError('no-permission', `${runDir} belongs to another user, or others may write to it`, {
        remedy: `chown root ${runDir}; chmod 0700 ${runDir}`,
      });
    }
    fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if (error instanceof PlugdError) throw error;
    const denied = fsCode(error) === 'EACCES' || fsCode(error) === 'EROFS';
    throw denied
      ? new PlugdError('no-permission', `the run directory ${runDir} cannot be written to: ${reason(error)}`, {
          remedy: 'run it as root, or name another with --run-dir',
        })
      : new PlugdError('system', `the agent's lock: ${reason(error)}`, { cause: error });
  }
  const result = addon().lockFile(fd);
  if (result === 0) {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
    return { close: () => closeSync(fd) };
  }
  closeSync(fd);
  if (result !== -ERRNO.EAGAIN) {
    throw new PlugdError('system', `${file}: flock: ${errnoText(-result)} (${errnoName(-result)})`);
  }
  const pid = readPid(file);
  throw new PlugdError(
    'busy',
    `another agent is running${pid === undefined ? '' : ` (pid ${pid})`}: it holds ${file}`,
    {
      remedy: 'plugd status shows what it does; stop it first, or name another --run-dir',
    },
  );
}

/** The pid in the file. The holder writes it in the moment after it took the lock; undefined when it never does. */
function readPid(file: string): number | undefined {
  for (let tries = 0; tries < 25; tries++) {
    const text = readFileSync(file, 'latin1').trim();
    if (/^[0-9]+$/.test(text)) return Number(text);
    block(4);
  }
  return undefined;
}
