/**
 * Puts the modules of a package in place all together. Each file is first written beside its place and flushed; then a journal says what
 * is to be renamed, and from that moment on the installation counts: a run that is cut off is finished by the next one, and before that
 * moment it is taken back. Writes below the kernel's tree and the DKMS tree only.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';

/** A file that moves: the kernel's module that is put aside, or a new one that takes its place. */
export interface Move {
  readonly from: string;
  readonly to: string;
}

/** A module that goes to the kernel's tree. */
export interface PlacedModule {
  /** The built file in the DKMS tree. */
  readonly file: string;
  /** Where it goes. */
  readonly to: string;
}

/** Everything one installation does to files. */
export interface Placement {
  /** Modules that are put aside, before their places are taken. */
  readonly originals: readonly Move[];
  readonly modules: readonly PlacedModule[];
  /** Symbolic links to the DKMS tree instead of copies. */
  readonly symlinks: boolean;
  /** The link that says which version is installed, and what it names. */
  readonly link: string;
  readonly target: string;
}

interface Journal {
  readonly state: 'preparing' | 'ready';
  readonly originals: readonly Move[];
  readonly moves: readonly Move[];
  readonly link: string;
  readonly target: string;
}

/** The journal's name in the folder of a build. */
const JOURNAL = '.plugd-install';

/**
 * Installs the files. `folder` is the build's (`/var/lib/dkms/NAME/VERSION/KERNEL/ARCH`): the journal lies there. Errors: those of node:fs;
 * then nothing has changed.
 */
export function place(folder: string, placement: Placement): void {
  const token = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const moves = placement.modules.map(({ to }) => ({ from: `${dirname(to)}/.${basename(to)}.plugd-${token}`, to }));
  const { originals, link, target } = placement;
  const journal: Journal = { state: 'preparing', originals, moves, link, target };
  writeJournal(folder, journal);
  try {
    for (const [i, { file }] of placement.modules.entries()) {
      const to = moves[i]?.from ?? '';
      mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
      if (placement.symlinks) symlinkSync(file, to);
      else copyDurably(file, to);
    }
    for (const { to } of originals) mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
    writeJournal(folder, { ...journal, state: 'ready' });
  } catch (error) {
    undo(folder, journal);
    throw error;
  }
  finish(folder, journal);
}

/** Finishes or takes back an installation that was cut off; undefined when there is none, or its journal cannot be read. */
export function recover(folder: string): 'finished' | 'undone' | undefined {
  const journal = readJournal(folder);
  if (journal === undefined) return undefined;
  if (journal.state === 'ready') {
    finish(folder, journal);
    return 'finished';
  }
  undo(folder, journal);
  return 'undone';
}

/** Does what the journal says. Each step may have been done before. */
function finish(folder: string, { originals, moves, link, target }: Journal): void {
  for (const { from, to } of originals) {
    if (existsSync(to) || !existsSync(from)) continue;
    writeFileSync(`${to}.origin`, `${from}\n`);
    moveFile(from, to);
  }
  for (const { from, to } of moves) if (isThere(from)) renameSync(from, to);
  const fresh = `${link}.plugd-${process.pid}`;
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, link);
  for (const parent of new Set(moves.map(({ to }) => dirname(to)))) flushFolder(parent);
  rmSync(`${folder}/${JOURNAL}`, { force: true });
}

function undo(folder: string, { moves }: Journal): void {
  for (const { from } of moves) rmSync(from, { force: true });
  rmSync(`${folder}/${JOURNAL}`, { force: true });
}

/** Across file systems a rename is a copy; the original stays until the copy is on the disk. */
export function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const beside = `${to}.plugd-${process.pid}`;
    copyDurably(from, beside);
    renameSync(beside, to);
    rmSync(from);
  }
}

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const fd = openSync(to, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function flushFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function isThere(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ELOOP';
  }
}

function writeJournal(folder: string, journal: Journal): void {
  const path = `${folder}/${JOURNAL}`;
  const beside = `${path}.${process.pid}`;
  const fd = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, `${JSON.stringify(journal)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(beside, path);
}

function readJournal(folder: string): Journal | undefined {
  try {
    const journal = JSON.parse(readFileSync(`${folder}/${JOURNAL}`, 'utf8')) as Partial<Journal>;
    const isMove = (move: unknown): move is Move =>
      typeof (move as Partial<Move>).from === 'string' && typeof (move as Partial<Move>).to === 'string';
    if (!Array.isArray(journal.moves) || !Array.isArray(journal.originals)) return undefined;
    if (![...journal.moves, ...journal.originals].every(isMove)) return undefined;
    if (typeof journal.link !== 'string' || typeof journal.target !== 'string') return undefined;
    return journal.state === 'ready' || journal.state === 'preparing' ? (journal as Journal) : undefined;
  } catch {
    return undefined;
  }
}
