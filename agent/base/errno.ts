/**
 * Linux error numbers, with the C library's text. Node's own table lacks those that the module calls return (ENOEXEC,
 * ENOKEY, EKEYREJECTED, …). Source: asm-generic/errno*.h and strerror(3); every entry here has the same number on x86, arm,
 * riscv, s390 and powerpc.
 */
const TABLE = [
  [1, 'EPERM', 'Operation not permitted'],
  [2, 'ENOENT', 'No such file or directory'],
  [3, 'ESRCH', 'No such process'],
  [4, 'EINTR', 'Interrupted system call'],
  [5, 'EIO', 'Input/output error'],
  [6, 'ENXIO', 'No such device or address'],
  [7, 'E2BIG', 'Argument list too long'],
  [8, 'ENOEXEC', 'Exec format error'],
  [9, 'EBADF', 'Bad file descriptor'],
  [11, 'EAGAIN', 'Resource temporarily unavailable'],
  [12, 'ENOMEM', 'Cannot allocate memory'],
  [13, 'EACCES', 'Permission denied'],
  [14, 'EFAULT', 'Bad address'],
  [16, 'EBUSY', 'Device or resource busy'],
  [17, 'EEXIST', 'File exists'],
  [19, 'ENODEV', 'No such device'],
  [20, 'ENOTDIR', 'Not a directory'],
  [21, 'EISDIR', 'Is a directory'],
  [22, 'EINVAL', 'Invalid argument'],
  [23, 'ENFILE', 'Too many open files in system'],
  [24, 'EMFILE', 'Too many open files'],
  [26, 'ETXTBSY', 'Text file busy'],
  [27, 'EFBIG', 'File too large'],
  [28, 'ENOSPC', 'No space left on device'],
  [30, 'EROFS', 'Read-only file system'],
  [32, 'EPIPE', 'Broken pipe'],
  [34, 'ERANGE', 'Numerical result out of range'],
  [36, 'ENAMETOOLONG', 'File name too long'],
  [38, 'ENOSYS', 'Function not implemented'],
  [40, 'ELOOP', 'Too many levels of symbolic links'],
  [61, 'ENODATA', 'No data available'],
  [65, 'ENOPKG', 'Package not installed'],
  [71, 'EPROTO', 'Protocol error'],
  [74, 'EBADMSG', 'Bad message'],
  [75, 'EOVERFLOW', 'Value too large for defined data type'],
  [80, 'ELIBBAD', 'Accessing a corrupted shared library'],
  [95, 'EOPNOTSUPP', 'Operation not supported'],
  [98, 'EADDRINUSE', 'Address already in use'],
  [105, 'ENOBUFS', 'No buffer space available'],
  [110, 'ETIMEDOUT', 'Connection timed out'],
  [111, 'ECONNREFUSED', 'Connection refused'],
  [122, 'EDQUOT', 'Disk quota exceeded'],
  [125, 'ECANCELED', 'Operation canceled'],
  [126, 'ENOKEY', 'Required key not available'],
  [127, 'EKEYEXPIRED', 'Key has expired'],
  [128, 'EKEYREVOKED', 'Key has been revoked'],
  [129, 'EKEYREJECTED', 'Key was rejected by service'],
] as const;

/** The name of an error number in the table: `ENOEXEC`. */
export type ErrnoName = (typeof TABLE)[number][1];

/** Each error number by its name: `ERRNO.ENOEXEC` is 8. */
export const ERRNO = Object.fromEntries(TABLE.map(([number, name]) => [name, number])) as Readonly<
  Record<ErrnoName, number>
>;

/** `8` → `ENOEXEC`; a number outside the table → `errno 521`. */
export function errnoName(number: number): string {
  return rowOf(number)?.[1] ?? `errno ${number}`;
}

/** strerror(3): `8` → `Exec format error`; a number outside the table → `Unknown error 521`. */
export function errnoText(number: number): string {
  return rowOf(number)?.[2] ?? `Unknown error ${number}`;
}

function rowOf(number: number): (typeof TABLE)[number] | undefined {
  return TABLE.find(([each]) => each === number);
}

/** The positive error number of a failed node:fs call (`2` for ENOENT); `fallback` for anything else that was thrown. */
export function errnoOf<Fallback>(error: unknown, fallback: Fallback): number | Fallback {
  const errno = (error as { errno?: unknown } | null | undefined)?.errno;
  return typeof errno === 'number' ? Math.abs(errno) : fallback;
}
