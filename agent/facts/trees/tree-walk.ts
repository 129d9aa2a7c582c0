/**
 * Finds the module files below a directory as depmod does: it follows symbolic links to files and directories, and does not enter
 * `build` and `source`, which lead to the kernel's sources. doctor, depmod and `depmod -A` all walk trees through this file, so none
 * sees a module that another does not. Reads only.
 */
import { ERRNO } from '../../base/errno.ts';
import { fromMachineText, toMachineText } from '../../base/machine-text.ts';
import { listInRoot, lookInRoot } from '../../base/root.ts';
import { isModuleFileName } from '../modfiles/module-file-name.ts';

/** Something that could not be walked; the walk continues beside it. Paths are machine text. */
export interface WalkFault {
  /**
   * `directory`: cannot be opened. `entry`: its type cannot be determined. `loop`: a link to a directory above it. `special`: neither
   * file nor directory, `type` has its type bits. `long`: the path has 4,096 bytes or more.
   */
  readonly kind: 'directory' | 'entry' | 'loop' | 'special' | 'long';
  readonly path: string;
  readonly errno: number;
  readonly type: number;
  /** How many directories lie above, the first included. */
  readonly depth: number;
}

/** Options of a walk, and its callbacks. */
export interface Walk {
  /** The tree that links stay in (see base/root.ts); '' for this machine, and for kmod's own commands. */
  readonly root: string;
  /** Names to skip, of files and directories. */
  readonly excludes?: ReadonlySet<string>;
  /** A module file; true ends the walk. */
  readonly file: (path: string, name: string) => boolean;
  readonly fault: (fault: WalkFault) => void;
  /** The rank of the files in a directory. The walk follows another link to a visited directory only if it gives another rank. */
  readonly rank?: (directory: string) => number;
}

/** Linux's limit for a path. */
const PATH_MAX = 4096;
const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Walks below a directory (absolute, machine text), names in ascending order. Returns undefined, or the errno of opening it.
 */
export function walkModules(directory: string, walk: Walk): number | undefined {
  const entries = listDirectory(walk.root, directory);
  if (typeof entries === 'number') {
    walk.fault({ kind: 'directory', path: directory, errno: entries, type: 0, depth: 0 });
    return entries;
  }
  new Walker(walk).entries(directory, entries, [directory]);
  return undefined;
}

class Walker {
  /** Links followed: the rank of what is below them, and their target. */
  readonly #followed = new Set<string>();
  readonly #walk: Walk;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /** `above` are the directories on the way down, this one last. Returns true when the walk is to end. */
  entries(directory: string, entries: readonly Entry[], above: readonly string[]): boolean {
    const { root, excludes = NO_NAMES } = this.#walk;
    const depth = above.length;
    for (const { name, kind } of entries) {
      if (name === 'build' || name === 'source' || excludes.has(name)) continue;
      const path = `${directory}/${name}`;
      const fault = { path, errno: 0, type: 0, depth };
      const found = kind ?? kindOf(root, path);
      if (path.length >= PATH_MAX) this.#walk.fault({ ...fault, kind: 'long' });
      else if (found === 'file') {
        if (isModuleFileName(name) && this.#walk.file(path, name)) return true;
      } else if (found === 'directory') {
        if (this.#enter(path, above, kind === undefined)) return true;
      } else this.#walk.fault({ ...fault, ...found });
    }
    return false;
  }

  #enter(path: string, above: readonly string[], isLink: boolean): boolean {
    if (isLink && !this.#mayFollow(path, above)) return false;
    const entries = listDirectory(this.#walk.root, path);
    if (typeof entries !== 'number') return this.entries(path, entries, [...above, path]);
    this.#walk.fault({ kind: 'directory', path, errno: entries, type: 0, depth: above.length });
    return false;
  }

  /** Whether to follow a link to a directory: not if it makes a cycle, or led to the same files at the same rank before. */
  #mayFollow(path: string, above: readonly string[]): boolean {
    const { root } = this.#walk;
    const target = fileIdentity(root, path);
    if (above.some((directory) => fileIdentity(root, directory) === target)) {
      this.#walk.fault({ kind: 'loop', path, errno: ERRNO.ELOOP, type: 0, depth: above.length });
      return false;
    }
    const way = `${this.#walk.rank?.(path) ?? 0} ${target}`;
    if (this.#followed.has(way)) return false;
    this.#followed.add(way);
    return true;
  }
}

/** An entry of a directory, its name machine text. */
interface Entry {
  readonly name: string;
  /** Undefined: only stat(2) can tell. */
  readonly kind: 'file' | 'directory' | undefined;
}

/** A directory's entries, sorted, or the errno of opendir(3). */
function listDirectory(root: string, path: string): readonly Entry[] | number {
  const dirents = listInRoot(root, fromMachineText(path));
  if (typeof dirents === 'number') return -dirents;
  return dirents
    .map((dirent): Entry => ({
      name: toMachineText(dirent.name),
      kind: dirent.isFile() ? 'file' : dirent.isDirectory() ? 'directory' : undefined,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The type of what a path leads to, or why it is unknown. */
function kindOf(root: string, path: string): 'file' | 'directory' | Pick<WalkFault, 'kind' | 'errno' | 'type'> {
  const stat = lookInRoot(root, fromMachineText(path));
  if (typeof stat === 'number') return { kind: 'entry', errno: -stat, type: 0 };
  if (stat.isFile()) return 'file';
  return stat.isDirectory() ? 'directory' : { kind: 'special', errno: 0, type: Number(stat.mode) & 0o170000 };
}

/** `device:inode` of what a path leads to; '' when there is nothing. */
export function fileIdentity(root: string, path: string): string {
  const stat = lookInRoot(root, fromMachineText(path));
  return typeof stat === 'number' ? '' : `${stat.dev}:${stat.ino}`;
}
