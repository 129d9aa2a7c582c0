/** Whether a file system has room for a build, and what is told when it has not. */
import { statfsSync } from 'node:fs';
import { ERRNO, errnoOf } from '../../../base/errno.ts';
import type { BuildRefusal } from '../../../records/dkms/build-message.ts';

const MIB = 2 ** 20;

/** Less than this is no space: file systems keep some for themselves. */
const NOTHING = 64 * 1024;

/** Bytes that this process may still write below a folder; undefined when the system does not say. */
export function freeSpace(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** The refusal if `folder` has no room for `needed` bytes and 1 MiB beside; undefined when it has, or nobody knows. */
export function lackOfSpace(folder: string, needed: number): Extract<BuildRefusal, { kind: 'no-space' }> | undefined {
  const free = freeSpace(folder);
  return free === undefined || free >= needed + MIB
    ? undefined
    : { kind: 'no-space', folder, needed: needed + MIB, free };
}

/** Which of the folders has no space left now; undefined when all have some. */
export function fullOf(folders: readonly string[]): string | undefined {
  return folders.find((folder) => (freeSpace(folder) ?? Infinity) < NOTHING);
}

/** Whether a failed call says that a disk, or a quota, is full. */
export function isLackOfSpace(error: unknown): boolean {
  const errno = errnoOf(error, undefined);
  return errno === ERRNO.ENOSPC || errno === ERRNO.EDQUOT;
}

/** Whether what a program said means the same. */
export function tellsLackOfSpace(text: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(text);
}
