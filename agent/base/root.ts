/**
 * Files of another file system tree (`--root DIR`), opened as a process would whose root directory is DIR: an absolute link
 * leads to a file of the tree, `..` stops at its top, and a link to a file that only the host has leads nowhere. The owner of
 * the tree may change its links at any moment, so a path is resolved and opened in one step:
 *
 * - by openat2(2) with RESOLVE_IN_ROOT, where the addon and the kernel (5.6) have it;
 * - else component by component, each opened relative to the descriptor of the folder before it, links never followed by
 *   the kernel. /proc/self/fd stands in for openat(2), which Node lacks.
 *
 * Paths are those of the whole machine (`/mnt/image/etc/modprobe.d/a.conf`); one that does not lie below the root (another
 * folder named with -C, a sysfs) is opened as it is. For the live machine the root is ''.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  type BigIntStats,
  type Dirent,
  type Stats,
} from 'node:fs';
import { addonIfBuilt } from './addon.ts';
import { ERRNO, errnoOf } from './errno.ts';
import { fromMachineText, nativePath, toMachineText } from './machine-text.ts';

/** Opens only to name a file: no right to read it is needed, and nothing happens to a device or a pipe. */
const O_PATH = 0o10000000;
/** Links in one path, as the kernel counts them (MAXSYMLINKS). */
const MOST_LINKS = 40;

/**
 * The descriptor of `path`, or -errno as open(2) answers. `flags` are those of open(2) without O_CREAT; with
 * O_NONBLOCK among them, a pipe without a writer does not stop it. The caller closes the descriptor.
 */
export function openInRoot(root: string, path: string, flags: number): number {
  const inside = insideOf(root, path);
  if (inside === undefined) return openHere(native(path), flags);
  const opened = addonIfBuilt()?.openInRoot(root, Buffer.from(toMachineText(inside), 'latin1'), flags) ?? -ERRNO.ENOSYS;
  // Before Linux 5.6 there is no such call, and some containers' filters answer EPERM for calls they do not know.
  if (opened !== -ERRNO.ENOSYS && opened !== -ERRNO.EPERM) return opened;
  return openByHand(root, inside, flags);
}

/** What `path` is, links followed inside the root; undefined when it is not there or may not be looked at. */
export function statInRoot(root: string, path: string): BigIntStats | undefined {
  const stat = lookInRoot(root, path);
  return typeof stat === 'number' ? undefined : stat;
}

/** The same, or -errno. */
export function lookInRoot(root: string, path: string): BigIntStats | number {
  if (insideOf(root, path) === undefined)
    return attempt(() => statSync(native(path), { bigint: true, throwIfNoEntry: false }) ?? -ERRNO.ENOENT);
  return withOpen(root, path, O_PATH, (fd) => fstatSync(fd, { bigint: true }));
}

/**
 * What a path of this machine is, links followed; undefined when it is not there, leads to itself or may not be looked at.
 * `throwIfNoEntry` of node:fs covers the first of these only.
 */
export function statHere(path: string | Buffer): Stats | undefined {
  // An error that is thrown costs more than the look.
  const stat = attempt(() => statSync(path, { throwIfNoEntry: false }));
  return typeof stat === 'number' ? undefined : stat;
}

/** Whether `path` leads to anything inside the root. */
export function existsInRoot(root: string, path: string): boolean {
  return insideOf(root, path) === undefined ? existsSync(native(path)) : withOpen(root, path, O_PATH, () => 0) === 0;
}

/** The entries of a folder, their names ordinary text whatever bytes they are, or -errno. */
export function listInRoot(root: string, path: string): readonly Dirent[] | number {
  if (insideOf(root, path) === undefined) return attempt(() => entriesOf(native(path)));
  return withOpen(root, path, constants.O_RDONLY | constants.O_DIRECTORY, (fd) => entriesOf(`/proc/self/fd/${fd}`));
}

/** The names in a folder, in the order in which the file system gives them; empty when it cannot be listed. */
export function namesInRoot(root: string, folder: string): readonly string[] {
  const entries = listInRoot(root, folder);
  return typeof entries === 'number' ? [] : entries.map(({ name }) => name);
}

/**
 * Where `path` leads, as a path of the whole machine without links (`/mnt/image/usr/lib/modules`), or -errno. It says where a
 * file is now; to read it, open it by `openInRoot`.
 */
export function resolveInRoot(root: string, path: string): string | number {
  return withOpen(root, path, O_PATH, (fd) => readlinkSync(`/proc/self/fd/${fd}`));
}

/**
 * The text of a symbolic link (`/dev/null`), or -errno: -EINVAL when `path` is no link. Its folder is resolved inside the root.
 */
export function readLinkInRoot(root: string, path: string): string | number {
  const slash = path.lastIndexOf('/');
  const folder = slash > 0 ? path.slice(0, slash) : '/';
  return withOpen(root, folder, O_PATH | constants.O_DIRECTORY, (fd) =>
    readlinkSync(`/proc/self/fd/${fd}/${path.slice(slash + 1)}`),
  );
}

/** `path` as the tree itself names it (`/etc/a.conf`); undefined when it does not lie below the root. */
export function insideOf(root: string, path: string): string | undefined {
  if (root === '') return undefined;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

/** An ordinary path as node:fs takes it, whatever bytes it stands for. */
function native(path: string): string | Buffer {
  return nativePath(toMachineText(path));
}

function entriesOf(folder: string | Buffer): readonly Dirent[] {
  const entries = readdirSync(folder, { encoding: 'latin1', withFileTypes: true });
  for (const entry of entries) entry.name = fromMachineText(entry.name);
  return entries;
}

function openHere(path: string | Buffer, flags: number): number {
  return attempt(() => openSync(path, flags));
}

/** What `work` answers, or -errno of the file system's error that it threw. */
function attempt<T>(work: () => T): T | number {
  try {
    return work();
  } catch (error) {
    return -errnoOf(error, ERRNO.EIO);
  }
}

function withOpen<T>(root: string, path: string, flags: number, work: (fd: number) => T): T | number {
  const fd = openInRoot(root, path, flags);
  if (fd < 0) return fd;
  try {
    return attempt(() => work(fd));
  } finally {
    closeSync(fd);
  }
}

/**
 * Resolves `inside` with descriptors: no component is looked up twice, so it cannot change in between. `missing` is called with
 * the path of each component that is not there, and may make it. The descriptor, or -errno; the errno of what `missing` throws,
 * too.
 */
export function openByHand(
  root: string,
  inside: string,
  flags: number,
  missing?: (entry: string | Buffer) => void,
): number {
  const top = openHere(native(root), O_PATH | constants.O_DIRECTORY);
  if (top < 0) return top;
  /** The folders from the root down to the present one. */
  const folders = [top];
  // Machine text, so that a link whose target is not UTF-8 is followed byte for byte.
  let names = toMachineText(inside).split('/');
  let links = 0;
  try {
    for (;;) {
      const name = names.shift();
      const folder = folders.at(-1) ?? top;
      if (name === undefined) return openHere(`/proc/self/fd/${folder}/.`, flags);
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (folders.length > 1) closeSync(folders.pop() ?? -1);
        continue;
      }
      const entry = nativePath(`/proc/self/fd/${folder}/${name}`);
      let fd = openHere(entry, O_PATH | constants.O_NOFOLLOW);
      if (fd === -ERRNO.ENOENT && missing !== undefined) {
        missing(entry);
        fd = openHere(entry, O_PATH | constants.O_NOFOLLOW);
      }
      if (fd < 0) return fd;
      const stat = fstatSync(fd);
      if (stat.isSymbolicLink()) {
        closeSync(fd);
        if (names.length === 0 && (flags & constants.O_NOFOLLOW) !== 0) return -ERRNO.ELOOP;
        if (++links > MOST_LINKS) return -ERRNO.ELOOP;
        const target = readlinkSync(entry, 'latin1');
        if (target.startsWith('/')) while (folders.length > 1) closeSync(folders.pop() ?? -1);
        names = [...target.split('/'), ...names];
      } else if (stat.isDirectory()) {
        folders.push(fd);
      } else {
        closeSync(fd);
        // `file/` and `file/.` want a folder, too.
        if (names.length > 0) return -ERRNO.ENOTDIR;
        // A link put here meanwhile is not followed.
        return openHere(entry, flags | constants.O_NOFOLLOW);
      }
    }
  } catch (error) {
    return -errnoOf(error, ERRNO.EIO);
  } finally {
    for (const fd of folders) closeSync(fd);
  }
}
