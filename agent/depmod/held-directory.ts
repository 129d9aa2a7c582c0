/**
 * Directories that root writes to although somebody else may own them (`depmod -b IMAGE`). Their owner can put links in them at any
 * moment. So this file opens them step by step, each name in the descriptor of the directory before it (base/root.ts), and keeps them
 * open; all work in them goes through the descriptor, never through the path again.
 *
 * /proc/self/fd/N/NAME replaces openat(2), which Node lacks: it needs no addon, and also works for mkdir, rename and unlink.
 */
import { closeSync, constants, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../base/errno.ts';
import { fromMachineText, nativePath } from '../base/machine-text.ts';
import { openByHand } from '../base/root.ts';

/** An open directory; `path` is its name for people, latin1. Close it when done. */
export interface HeldDirectory {
  readonly kind: 'held';
  readonly path: string;
  /** The path of a file in it, for node:fs. It follows no link on the way; the file itself may be a link. */
  at(this: void, name: string): string | Buffer;
  close(this: void): void;
}

/** Why a directory cannot be held: it leads out of its root, or a call failed (`could not open /mnt/lib: Permission denied`). */
export interface NotHeld {
  readonly kind: 'outside' | 'failed';
  readonly why: string;
}

/**
 * Opens `path`, which lies below `root` ('' for this machine's own files), without leaving the root: links resolve as in a chroot. If
 * the path as written leads elsewhere (`IMAGE/lib -> /lib`), kmod would write there; here the result is `outside`. With `create` it
 * makes missing directories.
 */
export function holdDirectory(root: string, path: string, options: { create: boolean }): HeldDirectory | NotHeld {
  if (!existsSync('/proc/self/fd'))
    return root === '' ? byPath(path, options) : failed('open', '/proc/self/fd', ERRNO.ENOENT);
  const held = openInside(root, path, false);
  if (held.kind === 'held') {
    if (root === '' || isSame(held, path)) return held;
    held.close();
    return outside(root, path);
  }
  if (root !== '' && isThere(nativePath(path))) return outside(root, path);
  return options.create ? openInside(root, path, true) : held;
}

function openInside(root: string, path: string, create: boolean): HeldDirectory | NotHeld {
  let doing = 'open';
  const make = (entry: string | Buffer) => {
    doing = 'mkdir';
    makeDirectory(entry);
    doing = 'open';
  };
  const fd = openByHand(
    root === '' ? '/' : fromMachineText(root),
    fromMachineText(path.slice(root.length)),
    constants.O_RDONLY | constants.O_DIRECTORY,
    create ? make : undefined,
  );
  if (fd === -ERRNO.ENOTDIR && create) doing = 'mkdir';
  if (fd < 0) return failed(doing, path, -fd);
  const at = (name: string) => nativePath(`/proc/self/fd/${fd}/${name}`);
  return { kind: 'held', path, at, close: () => closeSync(fd) };
}

/** A chroot without /proc: only this machine's own files can be written there, by their paths. */
function byPath(path: string, options: { create: boolean }): HeldDirectory | NotHeld {
  try {
    if (options.create) mkdirSync(nativePath(path), { recursive: true, mode: 0o755 });
    if (!statSync(nativePath(path)).isDirectory()) return failed('open', path, ERRNO.ENOTDIR);
  } catch (error) {
    return failed(options.create ? 'mkdir' : 'open', path, errnoOf(error, ERRNO.EIO));
  }
  return { kind: 'held', path, at: (name) => nativePath(`${path}/${name}`), close: () => undefined };
}

function makeDirectory(entry: string | Buffer): void {
  try {
    mkdirSync(entry, 0o755);
  } catch (error) {
    if (errnoOf(error, 0) !== ERRNO.EEXIST) throw error;
  }
}

/** Whether that name exists, even as a link to nothing; false when plugd may not look. */
function isThere(path: string | Buffer): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function isSame(held: HeldDirectory, path: string): boolean {
  const [here, there] = [statSync(held.at('.')), statSync(nativePath(path), { throwIfNoEntry: false })];
  return here.ino === there?.ino && here.dev === there.dev;
}

function failed(doing: string, path: string, errno: number): NotHeld {
  return { kind: 'failed', why: `could not ${doing} ${path}: ${errnoText(errno)}` };
}

function outside(root: string, path: string): NotHeld {
  return { kind: 'outside', why: `${path} leads out of ${root} through a link` };
}
