/** Reads the texts of the kernel's build. Never waits for a pipe, never reads beyond a limit. */
import { ERRNO, errnoText } from '../base/errno.ts';
import { fromMachineText } from '../base/machine-text.ts';
import { readRegularFile } from '../facts/regular-file.ts';

/** A module tree to read. */
export interface ReadPlace {
  /** The tree that links stay in (see base/root.ts), an ordinary path; '' for the live machine. */
  readonly root: string;
  /** The module directory, absolute, machine text: `/lib/modules/6.1.0-56-amd64`. */
  readonly moduleDir: string;
}

/** The result of reading a text; `why` is strerror(3)'s text, or says what kind of file it is. */
export type TreeText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unread'; readonly errno: number; readonly why: string };

/**
 * The most that depmod reads of a text, in bytes: System.map of a kernel with everything built in has 20 MB, modules.builtin.modinfo and
 * modules.order 2 MB.
 */
export const TEXT_LIMIT = 128 * 1024 * 1024;

/**
 * A text of the kernel's build (modules.order, modules.builtin, System.map) in `root` ('' for the live machine), latin1; `path` is
 * machine text. It does not wait for a pipe or a device of that name, and does not read a file over the limit.
 */
export function readTreeText(root: string, path: string): TreeText {
  const read = readRegularFile(root, fromMachineText(path), TEXT_LIMIT);
  if (read.kind === 'bytes') return { kind: 'text', text: read.bytes.toString('latin1') };
  if (read.kind === 'absent') return { kind: 'unread', errno: ERRNO.ENOENT, why: errnoText(ERRNO.ENOENT) };
  const { errno, why } = read;
  // EINVAL and EFBIG stand for reasons that have no errno of open(2).
  return { kind: 'unread', errno, why: errno === ERRNO.EINVAL || errno === ERRNO.EFBIG ? why : errnoText(errno) };
}
