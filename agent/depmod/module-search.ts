import { readdirSync, statSync, type Dirent } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../base/errno.ts';
import { moduleNameFromPath, type ModuleName } from '../base/names.ts';
import type { DepmodConfig } from './depmod-conf.ts';
import { inOneLine, whyNotListed } from './line-text.ts';
import type { Say } from './message.ts';
import { nativePath, toMachineText } from '../base/machine-text.ts';
import { isModuleFileName } from '../facts/modfiles/module-file-name.ts';
import type { TreeModule } from './tree-module.ts';

/** The tree could not be read at all; `errno` is what opendir(3) said. */
export interface SearchFailure {
  readonly kind: 'failed';
  readonly errno: number;
}

/** The module files that count, each name once, in no particular order. */
export interface FoundModules {
  readonly kind: 'found';
  readonly modules: ReadonlyMap<ModuleName, TreeModule>;
}

/**
 * Searches the tree and then the external directories for module files. Of several files of one module the configuration
 * decides which counts. Directory entries are taken in the order of their names, so that files of equal rank are always
 * decided the same way (kmod takes them as the file system gives them); such a tie is a warning.
 */
export function searchModules(moduleDir: string, config: DepmodConfig, say: Say): FoundModules | SearchFailure {
  const search = new Search(moduleDir, config, say);
  const errno = search.directory(moduleDir);
  if (errno !== 0) return { kind: 'failed', errno };
  for (const external of config.externals) search.directory(external);
  return { kind: 'found', modules: search.modules };
}

/** Module files named one by one, absolute and latin1; or a sentence that says what is wrong with one. */
export function findNamedModules(
  files: readonly string[],
  moduleDir: string,
):
  | { readonly kind: 'named'; readonly modules: readonly TreeModule[] }
  | { readonly kind: 'failed'; readonly why: string } {
  const modules = new Map<ModuleName, TreeModule>();
  for (const file of files) {
    const path = toMachineText(file);
    if (!path.startsWith('/')) return { kind: 'failed', why: `${path}: not absolute path.` };
    const kind = kindOf(path);
    if (typeof kind === 'object' && 'errno' in kind) {
      return { kind: 'failed', why: `could not create module ${path}: ${errnoText(kind.errno)}` };
    }
    const module = moduleAt(path, moduleDir);
    const why = whyNotListed(module.listed);
    if (why !== undefined) return { kind: 'failed', why: `${inOneLine(path)}: a path with ${why} cannot be listed` };
    const known = modules.get(module.name);
    if (known !== undefined) {
      const what = known.path === path ? 'add' : 'create';
      return { kind: 'failed', why: `could not ${what} module ${path}: ${errnoText(ERRNO.EEXIST)}` };
    }
    modules.set(module.name, module);
  }
  return { kind: 'named', modules: [...modules.values()] };
}

function moduleAt(path: string, moduleDir: string): TreeModule {
  const inTree = path.startsWith(`${moduleDir}/`);
  return { name: moduleNameFromPath(path), path, listed: inTree ? path.slice(moduleDir.length + 1) : path };
}

/** Linux's limit for a path. */
const PATH_MAX = 4096;

class Search {
  readonly modules = new Map<ModuleName, TreeModule>();
  /** Links followed: the rank of what is below them, and their target. */
  readonly #followed = new Set<string>();
  readonly #moduleDir: string;
  readonly #config: DepmodConfig;
  readonly #say: Say;

  constructor(moduleDir: string, config: DepmodConfig, say: Say) {
    this.#moduleDir = moduleDir;
    this.#config = config;
    this.#say = say;
  }

  /** Searches below a directory: 0, or the errno that opening it gave. */
  directory(path: string): number {
    const entries = readDirectory(path);
    if (typeof entries === 'number') {
      this.#say('error', `could not open directory ${path}: ${errnoText(entries)}`);
      return entries;
    }
    this.#entries(path, entries, [path]);
    return 0;
  }

  /** `above` are the directories on the way down, this one last. */
  #entries(directory: string, entries: readonly Entry[], above: readonly string[]): void {
    // The descriptor that kmod has open at this depth, which its messages name.
    const descriptor = above.length + 2;
    for (const entry of entries) {
      const { name } = entry;
      if (name === 'build' || name === 'source' || this.#config.excludes.has(name)) continue;
      const path = `${directory}/${name}`;
      if (path.length >= PATH_MAX) {
        this.#say('error', `path is too long ${path}`);
        continue;
      }
      const kind = entry.kind ?? kindOf(path);
      if (kind === 'file') this.#file(path, name);
      else if (kind === 'directory') this.#subdirectory(path, name, above, entry.kind === undefined, descriptor);
      else if ('errno' in kind) this.#say('error', `fstatat(${descriptor}, ${name}): ${errnoText(kind.errno)}`);
      else this.#say('error', `unsupported file type ${path}: ${kind.type.toString(8)}`);
    }
  }

  #subdirectory(path: string, name: string, above: readonly string[], isLink: boolean, descriptor: number): void {
    if (isLink && !this.#mayFollow(path, above)) return;
    const entries = readDirectory(path);
    if (typeof entries === 'number') {
      this.#say('error', `openat(${descriptor}, ${name}, O_RDONLY): ${errnoText(entries)}`);
    } else {
      this.#entries(path, entries, [...above, path]);
    }
  }

  /** A link to a directory is followed unless that makes a circle, or led to the same files at the same rank before. */
  #mayFollow(path: string, above: readonly string[]): boolean {
    const target = identity(path);
    if (above.some((directory) => identity(directory) === target)) {
      this.#say('error', `failed ${path}: a symbolic link to a directory above it`);
      return false;
    }
    const way = `${this.#rank(moduleAt(`${path}/x`, this.#moduleDir))} ${target}`;
    if (this.#followed.has(way)) return false;
    this.#followed.add(way);
    return true;
  }

  #file(path: string, fileName: string): void {
    if (!isModuleFileName(fileName)) return;
    const found = moduleAt(path, this.#moduleDir);
    const { name } = found;
    if (name === '') {
      this.#say('error', `could not get modname from path ${path}`);
      this.#say('error', `failed ${path}: ${errnoText(ERRNO.EINVAL)}`);
      return;
    }
    const why = whyNotListed(found.listed);
    if (why !== undefined) {
      this.#say('error', `left out, since its path has ${why}: ${inOneLine(path)}`);
      return;
    }
    const known = this.modules.get(name);
    if (known !== undefined) {
      const order = this.#compare(known, found);
      if (order === 'equal' && identity(known.path) !== identity(path)) {
        this.#say('warning', `${known.path} and ${path} have the same rank: the first counts (see search in depmod.d)`);
      }
      if (order !== 'new') return;
    }
    this.modules.set(name, found);
  }

  /** Which of two files of one module counts. */
  #compare(old: TreeModule, found: TreeModule): 'old' | 'new' | 'equal' {
    for (const override of this.#config.overrides) {
      if (this.#withoutExtension(found) === override) return 'new';
      if (this.#withoutExtension(old) === override) return 'old';
    }
    const [oldRank, newRank] = [this.#rank(old), this.#rank(found)];
    return oldRank === newRank ? 'equal' : newRank > oldRank ? 'new' : 'old';
  }

  /** `updates/ixgbe.ko.xz` → `updates/ixgbe`, as an override names it; undefined outside of the tree. */
  #withoutExtension({ name, path, listed }: TreeModule): string | undefined {
    return path === listed ? undefined : listed.slice(0, listed.lastIndexOf('/') + 1 + name.length);
  }

  /** The position of the last place of `search` that covers the file, else that of `built-in`, else -1. */
  #rank({ path, listed }: TreeModule): number {
    let position = 0;
    let rank = -1;
    let builtIn = -1;
    for (const place of this.#config.searches) {
      if (place.kind === 'built-in') {
        builtIn = position;
      } else if (place.kind === 'external') {
        for (const external of this.#config.externals) {
          if (path.startsWith(`${external}/`)) rank = position;
          position++;
        }
      } else if (path !== listed && listed.startsWith(`${place.path}/`)) {
        rank = position;
      }
      position++;
    }
    return rank < 0 ? builtIn : rank;
  }
}

/** An entry of a directory, its name latin1. */
export interface Entry {
  readonly name: string;
  /** Undefined: only stat(2) tells. */
  readonly kind: 'file' | 'directory' | undefined;
}

/** A directory's entries, names in latin1 and sorted, or the errno of opendir(3). */
export function readDirectory(path: string): readonly Entry[] | number {
  let entries: Dirent[];
  try {
    entries = readdirSync(nativePath(path), { encoding: 'latin1', withFileTypes: true });
  } catch (error) {
    return errnoOf(error, ERRNO.EIO);
  }
  return entries
    .map((entry): Entry => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : undefined,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a link leads to: a file, a directory, or something else by its type bits; or the errno of stat(2). */
function kindOf(path: string): 'file' | 'directory' | { readonly type: number } | { readonly errno: number } {
  try {
    const stat = statSync(nativePath(path));
    return stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : { type: stat.mode & 0o170000 };
  } catch (error) {
    return { errno: errnoOf(error, ERRNO.EIO) };
  }
}

function identity(path: string): string {
  const stat = statSync(nativePath(path), { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.dev}:${stat.ino}`;
}
