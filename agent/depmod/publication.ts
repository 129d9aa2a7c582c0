/** Writes index files so that no reader sees half a tree. Changes only the given directory; never follows a link out of its root. */
import { closeSync, constants, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { errnoOf, errnoText } from '../base/errno.ts';
import { fsCode } from '../base/error.ts';
import { holdDirectory, type HeldDirectory } from './held-directory.ts';

/** A tree's index files, by name: `modules.alias.bin`. */
export type IndexFiles = ReadonlyMap<string, Buffer>;

/** Published, or why not: then nothing of the tree has changed, unless a rename itself failed half way. */
export type Publication = { readonly kind: 'published' } | { readonly kind: 'unpublished'; readonly why: string };

/**
 * The order in which files take their places. Each is replaced as a whole, but between two renames a reader may meet new files beside
 * old ones. So first come the paths of modules, then what leads to them by name, symbol and pattern. A reader at that moment finds every
 * module that an old index names and that still exists. modules.dep comes last, since its age tells `depmod -A` and plugd's agent
 * whether a tree is up to date: a run that is cut off before it is repeated.
 */
const ORDER = [
  'modules.dep.bin',
  'modules.softdep',
  'modules.weakdep',
  'modules.devname',
  'modules.builtin.bin',
  'modules.builtin.alias.bin',
  'modules.symbols',
  'modules.symbols.bin',
  'modules.alias',
  'modules.alias.bin',
  'modules.dep',
];

/**
 * Unfinished files: `.modules.dep.bin.plugd-4711-9f86d081884c7d65`, where 4711 is the process that writes it. The rest is random:
 * an attacker cannot guess the name to put a link there, and O_EXCL refuses one that exists.
 */
const UNFINISHED = /^\.modules\..*\.plugd-(\d+)(?:-[0-9a-f]{16})?$/;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Puts the files into a directory, which it makes if needed. It first writes all files beside their places and flushes them to the disk,
 * then renames them one by one: a full disk, a crash or a power cut leaves the old files as they were. `root` is the tree that it must
 * not leave ('' for this machine): see holdDirectory.
 */
export function publishIndexes(directory: string, files: IndexFiles, root = ''): Publication {
  // For `-o out/` this is `out//lib/modules`.
  const held = holdDirectory(root, directory, { create: true });
  if (held.kind !== 'held') return { kind: 'unpublished', why: held.why };
  try {
    return publish(held, files);
  } finally {
    held.close();
  }
}

function publish(directory: HeldDirectory, files: IndexFiles): Publication {
  const written: Array<{ readonly unfinished: string; readonly name: string }> = [];
  let doing = { call: 'open', name: '' };
  try {
    removeLeftovers(directory);
    const names = [...files.keys()].toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
    for (const name of names) {
      const unfinished = `.${name}.plugd-${process.pid}-${randomBytes(8).toString('hex')}`;
      doing = { call: 'open', name: `/${unfinished}` };
      const fd = openSync(directory.at(unfinished), NEW_FILE, 0o644);
      written.push({ unfinished, name });
      doing = { call: 'write', name: '' };
      fill(fd, files.get(name) ?? Buffer.alloc(0));
    }
    for (const { unfinished, name } of written) {
      doing = { call: 'rename', name: `/${name}` };
      renameSync(directory.at(unfinished), directory.at(name));
    }
    doing = { call: 'fsync', name: '' };
    flush(directory.at('.'));
    return { kind: 'published' };
  } catch (error) {
    for (const { unfinished } of written) rmSync(directory.at(unfinished), { force: true });
    const errno = errnoOf(error, undefined);
    if (errno === undefined) throw error;
    const { call, name } = doing;
    return { kind: 'unpublished', why: `could not ${call} ${directory.path}${name}: ${errnoText(errno)}` };
  }
}

/** Writes everything and closes the file. */
function fill(fd: number, bytes: Buffer): void {
  try {
    for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function flush(directory: string | Buffer): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Removes what killed runs left behind, but not the files of a process that is alive. */
function removeLeftovers(directory: HeldDirectory): void {
  for (const name of readdirSync(directory.at('.'), 'latin1')) {
    const pid = Number(UNFINISHED.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || (pid !== process.pid && isAlive(pid))) continue;
    try {
      rmSync(directory.at(name), { force: true });
    } catch (error) {
      // A directory of that name is not ours; it does no harm.
      if (errnoOf(error, undefined) === undefined) throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return fsCode(error) === 'EPERM';
  }
}
