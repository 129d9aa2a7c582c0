/**
 * One agent a run directory. The lock is flock(2) on RUN/lock: the kernel gives it to one process and takes it back however
 * that process ends, kill -9 included, so there is no stale lock to guess about and no moment between look and take. The
 * file holds the holder's pid for messages. It is never removed: who holds the lock of a removed file holds nothing.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { addon } from '../base/addon.ts';
import { block } from '../base/blocking.ts';
import { ERRNO, errnoName, errnoText } from '../base/errno.ts';
import { PlugdError } from '../base/error.ts';
import { inRunDir, makeRunDir } from './control/run-dir.ts';

/** The lock, held until close() or the end of the process; closing it twice is closing it once. */
export interface AgentLock {
  close(): void;
}

/**
 * Takes the lock of `runDir` (`/run/plugd`), making the directory. Errors: `busy` naming the pid that holds it,
 * `no-permission`, `system`.
 */
export function takeAgentLock(runDir: string): AgentLock {
  makeRunDir(runDir);
  const file = `${runDir}/lock`;
  const fd = inRunDir(file, () => openLock(file));
  const result = addon().lockFile(fd);
  if (result === 0) return held(fd, file);
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

/** The lock's file. O_NONBLOCK: a pipe in its place would wait for a reader. Errors: `system` for what is no file of the agent's. */
function openLock(file: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const stat = fstatSync(fd);
  // The pid is written over what the file holds, which must be nobody else's.
  if (stat.isFile() && stat.nlink === 1) return fd;
  closeSync(fd);
  const what = stat.isFile() ? 'a file with other names, too (hard links)' : 'not a regular file';
  throw new PlugdError('system', `${file} is ${what}`, { remedy: `remove it: rm ${file}` });
}

function held(fd: number, file: string): AgentLock {
  try {
    inRunDir(file, () => {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`, 0);
    });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let open = true;
  return {
    close: () => {
      // The descriptor's number may be another file's by now.
      if (open) closeSync(fd);
      open = false;
    },
  };
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
