/** Errors of failed system calls as node:fs throws them: `code`, `errno`, `syscall`, `path`. */
import { ERRNO } from '../../../agent/base/errno.ts';

const NAMES = new Map<number, string>(Object.entries(ERRNO).map(([name, number]) => [number, name]));

/** What Node throws where a call answered -errno: `systemError(-2, 'open', '/x').code` → `ENOENT`. */
export function systemError(result: number, syscall: string, path?: unknown): NodeJS.ErrnoException {
  const code = NAMES.get(-result) ?? `E${-result}`;
  const named = typeof path === 'string' ? path : path instanceof Uint8Array ? '(bytes)' : undefined;
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall}${named === undefined ? '' : ` '${named}'`}`);
  return Object.assign(error, { code, errno: result, syscall, ...(typeof path === 'string' ? { path } : {}) });
}

/** A call's value without -errno: a number stays one only where it is the value itself. */
export type Done<T> = [T] extends [number] ? number : Exclude<T, number>;

/** The value of a call; throws for -errno. */
export function done<T>(value: T, syscall: string, path?: unknown): Done<T> {
  if (typeof value === 'number' && value < 0) throw systemError(value, syscall, path);
  return value as Done<T>;
}
