/**
 * Reads files that another user may have put there: configuration, indexes, texts of a module tree, images. It never waits for
 * a pipe or a device, never reads beyond the limit, and never leaves the root (base/root.ts): each of these is a fault, as a
 * folder is.
 */
import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { ERRNO, errnoName, errnoOf, errnoText } from '../base/errno.ts';
import { openInRoot } from '../base/root.ts';

/** What reading a file came to; `why` completes a sentence that begins with the file's name: `permission denied`. */
export type FileRead = { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'absent' } | FileFault;

/** A file that is there and cannot be read; `errno` is what open(2) or read(2) returned, or stands for the reason. */
export interface FileFault {
  readonly kind: 'fault';
  readonly errno: number;
  readonly why: string;
}

const MIB = 1 << 20;
/** More than any index, kernel map or rule file of a distribution takes (the largest are below 20 MiB). */
export const MOST_BYTES = 256 * MIB;

/** The whole of a regular file of `root` ('' for the live machine); `limit` in bytes. */
export function readRegularFile(root: string, path: string, limit = MOST_BYTES): FileRead {
  const fd = openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (fd === -ERRNO.ENOENT) return { kind: 'absent' };
  if (fd < 0) return faultOf(-fd);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return faultOf(ERRNO.EISDIR);
    if (!stat.isFile()) return { kind: 'fault', errno: ERRNO.EINVAL, why: 'not a regular file' };
    if (stat.size > limit) return tooLarge(limit);
    return readAll(fd, stat.size, limit);
  } catch (error) {
    return faultOf(errnoOf(error, ERRNO.EIO));
  } finally {
    closeSync(fd);
  }
}

/** The same as latin1 text; undefined when it is not there or cannot be read. */
export function readTextIn(root: string, path: string, limit?: number): string | undefined {
  const read = readRegularFile(root, path, limit);
  return read.kind === 'bytes' ? read.bytes.toString('latin1') : undefined;
}

/** A file can grow while it is read, and procfs reports a size of 0 for every file. */
function readAll(fd: number, size: number, limit: number): FileRead {
  let bytes = Buffer.allocUnsafe(size + 1);
  let filled = 0;
  for (;;) {
    const got = readSync(fd, bytes, filled, bytes.length - filled, null);
    if (got === 0) return { kind: 'bytes', bytes: bytes.subarray(0, filled) };
    filled += got;
    if (filled > limit) return tooLarge(limit);
    if (filled === bytes.length) bytes = Buffer.concat([bytes], Math.min(limit + 1, 2 * filled + 4096));
  }
}

function tooLarge(limit: number): FileFault {
  return {
    kind: 'fault',
    errno: ERRNO.EFBIG,
    why: `larger than ${Math.floor(limit / MIB)} MiB, which no such file is`,
  };
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'a directory, not a file',
  ELOOP: 'a symbolic link that leads to itself',
  ENOENT: 'no such file',
  ENOTDIR: 'a part of its path is not a directory',
};

/** The fault of an errno, in words. */
export function faultOf(errno: number): FileFault {
  return { kind: 'fault', errno, why: WHY[errnoName(errno)] ?? errnoText(errno).toLowerCase() };
}
