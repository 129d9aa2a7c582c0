/** PlugdError: plugd cannot go on. Expected outcomes are values instead. Pure. */
import { ERRNO, errnoText, type ErrnoName } from './errno.ts';

/**
 * The codes of errors that mean "cannot go on". Expected outcomes (no match, blacklisted, refused, malformed) are
 * values, never exceptions.
 */
export type ErrorCode =
  | 'usage' // the command line cannot be understood: exit 64
  | 'not-found' // what was asked for is not there: exit 1
  | 'configuration' // a file of rules that must be right has errors: exit 2
  | 'no-modules-directory' // no module tree for this release
  | 'no-module-support' // the kernel was built without loadable modules
  | 'no-permission' // CAP_SYS_MODULE or root is missing
  | 'corrupt-index' // an index is truncated or not an index
  | 'unreadable' // a file or directory that must be read cannot be
  | 'not-a-module' // a file is not an ELF kernel module
  | 'unsupported' // this machine lacks something that was asked for
  | 'system' // a system call failed: exit 71
  | 'busy'; // another agent holds the lock

/** What an error carries beside its message. */
export interface ErrorOptions {
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
  /** The file that it is about: its name is put in front of the message. */
  readonly file?: string | undefined;
}

/** An error a person can act on: `message` says what is wrong with which file or device, `remedy` what to do. */
export class PlugdError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  /** The message without the name of the file that it is about. */
  readonly what: string;

  constructor(code: ErrorCode, what: string, { remedy, cause, file }: ErrorOptions = {}) {
    super(file === undefined ? what : `${file}: ${what}`, cause === undefined ? undefined : { cause });
    this.name = 'PlugdError';
    this.code = code;
    this.remedy = remedy;
    this.what = what;
  }
}

/**
 * The text of anything thrown, for a message that names what failed. Of a failed call of node:fs or node:net what the system
 * said: `permission denied`, not Node's `EACCES: permission denied, open '…'`.
 */
export function reason(error: unknown): string {
  const code = fsCode(error);
  if (code !== undefined && code in ERRNO) {
    const text = errnoText(ERRNO[code as ErrnoName]);
    return text.charAt(0).toLowerCase() + text.slice(1);
  }
  return error instanceof Error ? error.message : String(error);
}

/** The errno name of a failed node:fs call (`ENOENT`), or undefined for anything else. */
export function fsCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
