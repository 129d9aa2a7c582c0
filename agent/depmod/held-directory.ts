/**
 * Directories that are written to as root although somebody else may own them (`depmod -b IMAGE`): whoever owns one can put links
 * in it at any moment. So a directory is found step by step, each name looked up in the descriptor of the directory before
 * it, and stays open; what is done in it goes through its descriptor, not through its path again.
 *
 * /proc/self/fd/N/NAME stands in for openat(2), which Node lacks: it needs no addon, and serves mkdir, rename and unlink too.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../base/errno.ts';
import { nativePath } from '../base/machine-text.ts';

/** An open directory; `path` is what people know it by, latin1. Close it when done. */
export interface HeldDirectory {
  readonly kind: 'held';
  readonly path: string;
  /** Where a file of it is, for node:fs: no link on the way is followed, a link of that name itself may be. */
  at(this: void, name: string): string | Buffer;
  close(this: void): void;
}

/** Why a directory cannot be held: it leads out of its root, or a call failed (`could not open /mnt/lib: Permission denied`). */
export interface NotHeld {
  readonly kind: 'outside' | 'failed';
  readonly why: string;
}

/** Opens only to look names up: no right to read the directory is needed. */
const O_PATH = 0o10000000;
/** Links in one path, as the kernel counts them (MAXSYMLINKS). */
const MOST_LINKS = 40;

/**
 * Opens `path`, which lies below `root` ('' for this machine's own files), without leaving the root: links are followed as in a
 * chroot. Where the path as it stands leads elsewhere (`IMAGE/lib -> /lib`), kmod would write there; here it is `outside`. With
 * `create` directories that are missing are made.
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
  const folders: number[] = [];
  let doing = 'open';
  try {
    folders.push(openSync(nativePath(root === '' ? '/' : root), O_PATH | constants.O_DIRECTORY));
    const names = path.slice(root.length).split('/');
    let links = 0;
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (folders.length > 1) closeSync(folders.pop() ?? -1);
        continue;
      }
      const entry = inside(folders.at(-1), name);
      if (create && !isThere(entry)) {
        doing = 'mkdir';
        makeDirectory(entry);
        doing = 'open';
      }
      const fd = openSync(entry, O_PATH | constants.O_NOFOLLOW);
      folders.push(fd);
      const stat = fstatSync(fd);
      if (stat.isDirectory()) continue;
      if (!stat.isSymbolicLink()) return failed(create ? 'mkdir' : 'open', path, ERRNO.ENOTDIR);
      closeSync(folders.pop() ?? -1);
      if (++links > MOST_LINKS) return failed('open', path, ERRNO.ELOOP);
      const target = readlinkSync(entry, 'latin1');
      if (target.startsWith('/')) while (folders.length > 1) closeSync(folders.pop() ?? -1);
      names.unshift(...target.split('/'));
    }
    const fd = openSync(inside(folders.at(-1), '.'), constants.O_RDONLY | constants.O_DIRECTORY);
    return { kind: 'held', path, at: (name) => inside(fd, name), close: () => closeSync(fd) };
  } catch (error) {
    return failed(doing, path, errnoOf(error, ERRNO.EIO));
  } finally {
    for (const fd of folders) closeSync(fd);
  }
}

function inside(folder: number | undefined, name: string): string | Buffer {
  return nativePath(`/proc/self/fd/${folder ?? -1}/${name}`);
}

/** A chroot without /proc: there only this machine's own files are written, by their paths. */
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

/** Whether something of that name is there, were it a link to nothing; false where nobody may look. */
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
