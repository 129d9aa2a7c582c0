/** Writes that never wait for a reader, for output that must not stop its writer, such as a log. */
import { constants, fstatSync, openSync, writeSync, type Stats } from 'node:fs';
import { addonIfBuilt } from './addon.ts';
import { ERRNO, errnoOf } from './errno.ts';

/** Writes as much as possible at once; returns the number of bytes, or -errno (EAGAIN: none now). Never throws. */
export type WriteNow = (bytes: Uint8Array) => number;

/**
 * Writes to an open descriptor without waiting: `writeNowTo(1)`. Other users of its open file (a shell, install commands) still
 * wait: for a socket each call asks not to wait, and a pipe or terminal is opened a second time. Only where that is impossible
 * (another user's, no /proc) does the open file itself become non-blocking. Files need none of this.
 */
export function writeNowTo(fd: number): WriteNow {
  const stat = statOf(fd);
  const native = addonIfBuilt();
  if (stat?.isSocket() === true && native !== undefined) return (bytes) => native.sendNow(fd, bytes);
  if (stat === undefined || !waits(stat)) return written(fd);
  const own = openAgain(fd, stat);
  if (own === undefined) native?.setNonBlocking(fd);
  return written(own ?? fd);
}

/** Whether a write to an open descriptor can wait for somebody who does not read: `canWait(2)`; false for files and what is closed. */
export function canWait(fd: number): boolean {
  const stat = statOf(fd);
  return stat !== undefined && (stat.isFIFO() || stat.isSocket());
}

function written(fd: number): WriteNow {
  return (bytes) => {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      return -errnoOf(error, ERRNO.EIO);
    }
  };
}

function waits(stat: Stats): boolean {
  return stat.isFIFO() || stat.isCharacterDevice() || stat.isSocket();
}

/** /dev/ptmx: opened again, the controlling end of a terminal would be that of another one. */
const PTMX = 0x502;

function openAgain(fd: number, stat: Stats): number | undefined {
  if (stat.isSocket() || stat.rdev === PTMX) return undefined;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}
