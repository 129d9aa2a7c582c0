import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { fsCode } from '../base/error.ts';
import { errnoOf, errnoText } from '../base/errno.ts';
import { nativePath } from './tree-module.ts';

/** A tree's index files, by name: `modules.alias.bin`. */
export type IndexFiles = ReadonlyMap<string, Buffer>;

/** Published, or what could not be done: nothing of the tree has changed then, unless renaming itself failed half way. */
export type Publication = { readonly kind: 'published' } | { readonly kind: 'unpublished'; readonly why: string };

/**
 * The order in which files take their places. Each file is replaced whole; between two of them a reader may meet new files
 * beside old ones, so: first where modules are, then what leads to them by name, symbol and pattern. A reader of that moment
 * finds every module that an old index names and that still exists. modules.dep, by whose age `depmod -A` and plugd's agent
 * tell whether a tree is up to date, comes last: a run that is cut off before it is done again.
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

/** Unfinished files: `.modules.dep.bin.plugd-4711`, where 4711 is the process that writes it. */
const UNFINISHED = /^\.modules\..*\.plugd-(\d+)$/;

/**
 * Puts the files into a directory, which is made if it is not there. All are written and flushed to the disk beside their
 * places first, then renamed one after the other: a full disk, a crash or a power cut leaves the old files as they were.
 */
export function publishIndexes(directory: string, files: IndexFiles): Publication {
  const suffix = `.plugd-${process.pid}`;
  const written: Array<{ readonly unfinished: string | Buffer; readonly place: string | Buffer }> = [];
  try {
    makeDirectory(directory);
    removeLeftovers(directory);
    const names = [...files.keys()].toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
    for (const name of names) {
      const unfinished = nativePath(`${directory}/.${name}${suffix}`);
      written.push({ unfinished, place: nativePath(`${directory}/${name}`) });
      write(unfinished, files.get(name) ?? Buffer.alloc(0));
    }
    for (const { unfinished, place } of written) renameSync(unfinished, place);
    flush(nativePath(directory), 'r');
    return { kind: 'published' };
  } catch (error) {
    for (const { unfinished } of written) rmSync(unfinished, { force: true });
    const errno = errnoOf(error, undefined);
    if (errno === undefined) throw error;
    const { syscall = 'write', path, dest } = error as { syscall?: string; path?: string; dest?: string };
    const where = dest ?? path ?? directory;
    return { kind: 'unpublished', why: `could not ${syscall} ${where}: ${errnoText(errno)}` };
  }
}

/** mkdir -p. Not node's own: that goes round for ever where a directory cannot be made in one that is there (/proc). */
function makeDirectory(place: string): void {
  // As `-o out/` has it: `out//lib/modules`.
  const directory = place.replace(/\/+$/, '');
  if (directory === '' || statSync(nativePath(directory), { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = directory.slice(0, directory.lastIndexOf('/'));
  if (above !== '') makeDirectory(above);
  mkdirSync(nativePath(directory), 0o755);
}

function write(path: string | Buffer, bytes: Buffer): void {
  const fd = openSync(path, 'w', 0o644);
  try {
    for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function flush(path: string | Buffer, flags: string): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What runs that were killed left behind; files of a process that lives are its own. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(nativePath(directory))) {
    const pid = Number(UNFINISHED.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isNaN(pid) && (pid === process.pid || !isAlive(pid))) rmSync(`${directory}/${name}`, { force: true });
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
