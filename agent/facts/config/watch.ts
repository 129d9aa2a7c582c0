/**
 * Notices that files or directories changed, without polling: inotify(7) through fs.watch, on each directory and on its parent.
 *
 * inotify has habits that callers must not see. An atomic replacement causes two events, a copy hundreds. A watch stays with the
 * directory's inode, so it says nothing about a directory that was removed and made again, or swapped by a rename. A directory that
 * does not exist yet cannot be watched. So an event is only a reason to look: after a moment's silence this file compares the
 * watches with what is there now, and calls the caller once. The caller finds out whether anything that counts is different.
 */
import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { CLOCK, type Clock } from '../../base/clock.ts';
import { reason } from '../../base/error.ts';
import { statInRoot } from '../../base/root.ts';

export interface WatchOptions {
  /** Absolute paths of directories, whose entries count, or of files; each may come and go. */
  readonly paths: readonly string[];
  /** Called once after changes, when nothing has happened for `quietMs`, at the latest `limitMs` after the first. */
  changed(): void;
  /** A path cannot be watched (limits of inotify), so its changes will go unnoticed. Called once per path. */
  problem(message: string): void;
  /** Default: 100. */
  readonly quietMs?: number;
  /** Default: 5,000, so that constant writing in a directory does not put off the call for good. */
  readonly limitMs?: number;
  /** The machine's when left out. */
  readonly clock?: Clock;
}

/** What is being watched. */
export interface Watch {
  close(): void;
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly inode: string;
  /** Names of entries that count; undefined: all. */
  names: ReadonlySet<string> | undefined;
}

/**
 * Watches until close(). It reports changes made after this call, so read the watched paths after it, not before. It does not
 * keep the process alive.
 */
export function watchPaths(options: WatchOptions): Watch {
  return new PathWatch(options);
}

class PathWatch implements Watch {
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  /** By directory. */
  readonly #watched = new Map<string, Watched>();
  readonly #told = new Set<string>();
  /** Directories that may have been replaced: a new one can have the old one's inode number. */
  readonly #replaced = new Set<string>();
  /** Calls the timer off; undefined when none runs. */
  #callOff: (() => void) | undefined;
  #firstMs = 0;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
    this.#refresh();
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** Sets the watches that the paths need now; repeats when a directory appeared before its parent was watched. */
  #refresh(): void {
    for (let round = 0; round < 5; round++) if (!this.#adjust()) return;
  }

  /** Returns whether anything changed. */
  #adjust(): boolean {
    const before = [...this.#watched.values()];
    const wanted = wantedDirectories(this.#options.paths);
    for (const [directory, { watcher, inode }] of this.#watched) {
      if (wanted.has(directory) && inodeOf(directory) === inode && !this.#replaced.has(directory)) continue;
      watcher.close();
      this.#watched.delete(directory);
    }
    this.#replaced.clear();
    for (const [directory, names] of wanted) {
      const known = this.#watched.get(directory);
      if (known === undefined) this.#watch(directory, names);
      else known.names = names;
    }
    const after = [...this.#watched.values()];
    return after.length !== before.length || after.some((one, i) => one !== before[i]);
  }

  #watch(directory: string, names: ReadonlySet<string> | undefined): void {
    const inode = inodeOf(directory);
    if (inode === undefined) return;
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => this.#event(directory, name));
      watcher.on('error', () => this.#schedule());
      this.#watched.set(directory, { watcher, inode, names });
    } catch (error) {
      // It may have disappeared in between; its parent is watched too, and will report its return.
      if (inodeOf(directory) === undefined || this.#told.has(directory)) return;
      this.#told.add(directory);
      this.#options.problem(`${directory}: changes will not be noticed: ${reason(error)}`);
    }
  }

  #event(directory: string, name: string | null): void {
    if (this.#closed) return;
    // When the directory itself is removed or moved, the event carries the directory's name.
    const own = name === directory.slice(directory.lastIndexOf('/') + 1);
    if (own) this.#replaced.add(directory);
    const child = name === null ? undefined : `${directory === '/' ? '' : directory}/${name}`;
    if (child !== undefined && this.#watched.has(child)) this.#replaced.add(child);
    const names = this.#watched.get(directory)?.names;
    if (names === undefined || name === null || names.has(name) || own) this.#schedule();
  }

  #schedule(): void {
    const now = this.#clock.now();
    const { quietMs = 100, limitMs = 5000 } = this.#options;
    if (this.#callOff === undefined) this.#firstMs = now;
    else this.#callOff();
    const wait = Math.max(0, Math.min(quietMs, this.#firstMs + limitMs - now));
    this.#callOff = this.#clock.after(wait, () => {
      this.#callOff = undefined;
      this.#refresh();
      this.#options.changed();
    });
  }
}

/** Each directory to watch, and the names of its entries that count (undefined: all). */
function wantedDirectories(paths: readonly string[]): Map<string, Set<string> | undefined> {
  const wanted = new Map<string, Set<string> | undefined>();
  for (const path of paths) {
    if (statInRoot('', path)?.isDirectory() === true) wanted.set(path, undefined);
    // The nearest directory above that exists: it reports when the next one below appears or is replaced.
    let child = path;
    for (;;) {
      const parent = dirname(child);
      if (parent === child) break;
      const names = wanted.get(parent);
      if (!wanted.has(parent)) wanted.set(parent, new Set([child.slice(child.lastIndexOf('/') + 1)]));
      else names?.add(child.slice(child.lastIndexOf('/') + 1));
      if (inodeOf(parent) !== undefined) break;
      wanted.delete(parent);
      child = parent;
    }
  }
  return wanted;
}

/** Device and inode of what a path leads to; undefined when there is nothing. */
function inodeOf(path: string): string | undefined {
  const stat = statInRoot('', path);
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
