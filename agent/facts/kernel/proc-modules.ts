/** The lines of /proc/modules, in the kernel's order. Reads only. */
import { readFileSync } from 'node:fs';
import { PlugdError } from '../../base/error.ts';
import { ERRNO, errnoOf, errnoText } from '../../base/errno.ts';
import type { ModuleName } from '../../base/names.ts';

/** A line of /proc/modules, which lists the module loaded last first. */
export interface ProcModule {
  readonly name: ModuleName;
  /** Bytes. */
  readonly size: number;
}

/**
 * The loaded modules in the kernel's order, from /proc/modules:
 *
 *     e1000e 315392 0 - Live 0x0000000000000000
 *
 * Errors: `no-module-support` when the file is not there, `unreadable`.
 */
export function readProcModules(proc: string): readonly ProcModule[] {
  let text: string;
  try {
    text = readFileSync(`${proc}/modules`, 'latin1');
  } catch (error) {
    const errno = errnoOf(error, ERRNO.EIO);
    const code = errno === ERRNO.ENOENT ? 'no-module-support' : 'unreadable';
    throw new PlugdError(code, `could not open ${proc}/modules: ${errnoText(errno)}`, { cause: error });
  }
  return text
    .split('\n')
    .map((line) => line.split(/[ \t]+/))
    .filter(([name]) => name !== undefined && name !== '')
    .map(([name, size]) => ({ name: name as ModuleName, size: Number(size ?? Number.NaN) }));
}
