/**
 * Writes files that are there as a whole or not at all: first beside their place, under a name that nobody can guess, flushed to the disk;
 * then they take their name. A full disk, a crash or a power cut leaves what was there before.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { statHere } from './root.ts';

/** A file that is written and has no name yet. Either `place` it or `drop` it; after either, dropping does nothing. */
export interface NewFile {
  /** Gives it its name in place of what has it now. Errors: those of rename(2). */
  replace(this: void): void;
  /** Gives it its name, which must be free. Errors: EEXIST, and those of link(2). */
  place(this: void): void;
  /** Removes it, unless it has its name. */
  drop(this: void): void;
}

/**
 * Writes the file that `path` shall be, with exactly this mode, and makes its folder if that is missing. Errors: those of node:fs, and then
 * nothing is left.
 */
export function writeNewFile(path: string, bytes: string | Uint8Array, mode: number): NewFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const name = `${dirname(path)}/.${basename(path)}.plugd-${process.pid}-${randomBytes(8).toString('hex')}`;
  const drop = () => rmSync(name, { force: true });
  // O_EXCL: a file or link that somebody put there is not written to.
  const fd = openSync(name, 'wx', 0o600);
  try {
    writeFileSync(fd, bytes);
    keepOwner(fd, path);
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } catch (error) {
    drop();
    throw error;
  } finally {
    closeSync(fd);
  }
  return {
    drop,
    replace: () => {
      renameSync(name, path);
      flushFolder(dirname(path));
    },
    place: () => {
      linkSync(name, path);
      drop();
      flushFolder(dirname(path));
    },
  };
}

/**
 * Replaces the contents of a file, or makes it: it keeps its mode and owner, a new one gets 0644. Of a link, the file that it leads to is
 * replaced. Errors: those of node:fs, and then the file is as it was.
 */
export function replaceFile(path: string, bytes: string | Uint8Array): void {
  const there = statHere(path);
  const place = there === undefined ? path : realpathSync(path);
  const file = writeNewFile(place, bytes, there === undefined ? 0o644 : there.mode & 0o7777);
  try {
    file.replace();
  } finally {
    file.drop();
  }
}

/** The owner of the file that is replaced, where this user may give files away. */
function keepOwner(fd: number, path: string): void {
  const there = statHere(path);
  if (there === undefined || process.geteuid?.() !== 0) return;
  fchownSync(fd, there.uid, there.gid);
}

function flushFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
