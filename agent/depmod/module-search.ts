/** Finds the module files that count. Reads only. */
import { ERRNO, errnoText } from '../base/errno.ts';
import { toMachineText } from '../base/machine-text.ts';
import type { Host } from '../base/host.ts';
import { insideOf, lookInRoot } from '../base/root.ts';
import { moduleNameFromPath, type ModuleName } from '../base/names.ts';
import { readDepmodConfig } from '../facts/config/config-text.ts';
import { fileIdentity, walkModules, type WalkFault } from '../facts/trees/tree-walk.ts';
import { parseDepmodConfig, type DepmodConfig } from './depmod-conf.ts';
import { inOneLine, whyNotListed } from './line-text.ts';
import type { Say } from './message.ts';
import type { ReadPlace } from './tree-text.ts';
import type { TreeModule } from './tree-module.ts';

/** The tree could not be read at all; `errno` is opendir(3)'s. */
export interface SearchFailure {
  readonly kind: 'failed';
  readonly errno: number;
}

/** The module files that count, each name once, in no particular order. */
export interface FoundModules {
  readonly kind: 'found';
  readonly modules: ReadonlyMap<ModuleName, TreeModule>;
}

/** Where to search. */
export interface SearchPlace extends ReadPlace {
  /** The release that depmod.d's lines refer to. */
  readonly kernel: string;
  /** Directories or files of configuration instead of depmod.d (-C). */
  readonly configPaths?: readonly string[] | undefined;
}

/**
 * Searches the tree and then the external directories of depmod.d for module files. The configuration decides which of several files
 * of one module counts. It takes directory entries in the order of their names, so files of equal rank always get the same decision
 * (kmod takes the file system's order); such a tie causes a warning. As in kmod, the configuration is this machine's, whatever the root.
 */
export function searchModules(place: SearchPlace, say: Say): FoundModules | SearchFailure {
  const { root, moduleDir, kernel, configPaths } = place;
  const { texts, unread } = readDepmodConfig(
    { root: '', kernel, moduleDir, sysfs: '/sys', proc: '/proc' },
    { paths: configPaths },
  );
  for (const { file, why } of unread) say('error', `file parse ${file}: ${why}`);
  const search = new Search(root, moduleDir, parseDepmodConfig(texts, kernel, say), say);
  const errno = search.run((fault) => say('error', faultText(fault)));
  return errno === undefined ? { kind: 'found', modules: search.modules } : { kind: 'failed', errno };
}

/** Drops messages that another check reports. */
const silent: Say = () => undefined;

/**
 * The modules that depmod would list for a host, in no order: with the configuration of its root, whose `external` directories are
 * paths inside it, too. Links stay inside. Empty when it has no tree.
 */
export function findModules(
  { root, moduleDir, kernel, sysfs, proc }: Host,
  fault: (fault: WalkFault) => void,
): readonly TreeModule[] {
  const directory = toMachineText(moduleDir);
  const { texts } = readDepmodConfig({ root, moduleDir, kernel, sysfs, proc });
  const config = parseDepmodConfig(texts, kernel, silent);
  const externals = config.externals.map((path) =>
    insideOf(root, path) === undefined ? toMachineText(root) + path : path,
  );
  const search = new Search(root, directory, { ...config, externals }, silent);
  search.run(fault);
  return [...search.modules.values()];
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
    const stat = lookInRoot('', file);
    if (typeof stat === 'number')
      return { kind: 'failed', why: `could not create module ${path}: ${errnoText(-stat)}` };
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

class Search {
  readonly modules = new Map<ModuleName, TreeModule>();
  readonly #root: string;
  readonly #moduleDir: string;
  readonly #config: DepmodConfig;
  readonly #say: Say;

  constructor(root: string, moduleDir: string, config: DepmodConfig, say: Say) {
    this.#root = root;
    this.#moduleDir = moduleDir;
    this.#config = config;
    this.#say = say;
  }

  /** Searches the tree and the external directories. Returns undefined, or the errno of opening the tree. */
  run(fault: (fault: WalkFault) => void): number | undefined {
    const walk = (directory: string) =>
      walkModules(directory, {
        root: this.#root,
        excludes: this.#config.excludes,
        file: (file) => this.#file(file),
        fault,
        rank: (below) => this.#rank(moduleAt(`${below}/x`, this.#moduleDir)),
      });
    const errno = walk(this.#moduleDir);
    if (errno === undefined) for (const external of this.#config.externals) walk(external);
    return errno;
  }

  /** Returns false: the walk continues. */
  #file(path: string): boolean {
    const found = moduleAt(path, this.#moduleDir);
    const { name } = found;
    if (name === '') {
      this.#say('error', `could not get modname from path ${path}`);
      this.#say('error', `failed ${path}: ${errnoText(ERRNO.EINVAL)}`);
      return false;
    }
    const why = whyNotListed(found.listed);
    if (why !== undefined) {
      this.#say('error', `left out, since its path has ${why}: ${inOneLine(path)}`);
      return false;
    }
    const known = this.modules.get(name);
    if (known !== undefined) {
      const order = this.#compare(known, found);
      if (order === 'equal' && fileIdentity(this.#root, known.path) !== fileIdentity(this.#root, path)) {
        this.#say('warning', `${known.path} and ${path} have the same rank: the first counts (see search in depmod.d)`);
      }
      if (order !== 'new') return false;
    }
    this.modules.set(name, found);
    return false;
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

/** kmod's messages for these faults. */
function faultText({ kind, path, errno, type, depth }: WalkFault): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const descriptor = depth + 2;
  const texts: Readonly<Record<WalkFault['kind'], string>> = {
    directory:
      depth === 0
        ? `could not open directory ${path}: ${errnoText(errno)}`
        : `openat(${descriptor}, ${name}, O_RDONLY): ${errnoText(errno)}`,
    entry: `fstatat(${descriptor}, ${name}): ${errnoText(errno)}`,
    loop: `failed ${path}: a symbolic link to a directory above it`,
    special: `unsupported file type ${path}: ${type.toString(8)}`,
    long: `path is too long ${path}`,
  };
  return texts[kind];
}
