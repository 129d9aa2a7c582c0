/**
 * Decides when the agent goes over to changed files. A generation is what its answers are made from, as one reading found it: the module
 * tree, modprobe.d, udev's rules. Reads only; the caller asks again after each change. A changed file makes a new generation, but only
 * with a module tree that is whole; of modprobe.d and rules each file counts as it is. depmod renames its files into place one after the other, a package manager unpacks for
 * seconds, others write in place; so a tree counts as whole when
 *
 *   - no unfinished file of a depmod at work lies beside it,
 *   - nothing changed while it was read,
 *   - every index can be read to its end,
 *   - every module that an alias or symbol names is in modules.dep (or built in), or no more are missing than in the last generation.
 *
 * Until then the last generation goes on, from memory.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { PlugdError } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { statHere } from '../base/root.ts';
import { moduleName } from '../base/names.ts';
import { readModprobeConfig, readUdevRules, watchedConfigDirectories } from '../facts/config/config-text.ts';
import { readModuleTree } from '../facts/trees/module-tree.ts';
import type { PlannerInput } from '../plan/planner.ts';
import { problemLine } from '../report/problem-line.ts';
import type { OptionsRule } from '../rules/modprobe/config.ts';
import { openSources, type Sources } from '../load/sources.ts';
import type { ModuleTree } from '../load/tree.ts';

/** What a look for changes found. */
export type GenerationCheck =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'new'; readonly sources: Sources }
  /** Something is different, but it cannot be used (yet); `why` is a sentence part. */
  | { readonly kind: 'unfinished'; readonly why: string };

/** Names that depmods give to files they are still writing: kmod's `modules.dep.4711.123.456`, plugd's, busybox's. */
const UNFINISHED =
  /^\.?modules\.(dep|alias|symbols|softdep|weakdep|builtin|devname)\b.*(\.\d+\.\d+\.\d+|\.plugd-\d+|\.tmp|\.temp)$/;
/** After this time without a write, such a file counts as left behind by a crash. */
const LEFT_BEHIND_MS = 60_000;

/** The current generation. */
export class Generations {
  readonly #host: Host;
  readonly #state: PlannerInput['state'];
  readonly #more: readonly OptionsRule[];
  #sources: Sources;
  #stamp: string;
  #orphans: number | undefined;
  #number = 1;
  /** Files were different and could not be used; when they are again what they were, that is news too. */
  #strayed = false;

  /** Reads the first, whatever state it is in: there is nothing better yet. `more`: see findSources(). Errors: `no-modules-directory`. */
  constructor(host: Host, state: PlannerInput['state'], more: readonly OptionsRule[] = []) {
    this.#host = host;
    this.#state = state;
    this.#more = more;
    this.#stamp = stampOf(host);
    this.#sources = openSources(host, state, more);
    touchAll(this.#sources.tree);
  }

  /** 1 is the first. */
  get number(): number {
    return this.#number;
  }

  get sources(): Sources {
    return this.#sources;
  }

  /** Looks for changes; a new generation becomes the current one. `force` makes one though no file is different. */
  check(force = false): GenerationCheck {
    const stamp = stampOf(this.#host);
    if (stamp === this.#stamp && !force && !this.#strayed) return { kind: 'unchanged' };
    this.#strayed = true;
    const writing = unfinishedFile(this.#host.moduleDir);
    if (writing !== undefined) return { kind: 'unfinished', why: `depmod is at work (${writing})` };
    let sources: Sources;
    let orphans: number;
    try {
      sources = openSources(this.#host, this.#state, this.#more);
      orphans = readWhole(sources);
    } catch (error) {
      if (!(error instanceof PlugdError)) throw error;
      return { kind: 'unfinished', why: error.message };
    }
    const damage = sources.tree.problems()[0];
    if (damage !== undefined) return { kind: 'unfinished', why: problemLine(damage) };
    if (orphans > 0 && orphans > (this.#orphans ??= readWhole(this.#sources))) {
      return { kind: 'unfinished', why: `${orphans} modules that aliases or symbols name are not in modules.dep` };
    }
    if (stampOf(this.#host) !== stamp) return { kind: 'unfinished', why: 'it changed while it was read' };
    this.#sources = sources;
    this.#stamp = stamp;
    this.#orphans = orphans;
    this.#number++;
    this.#strayed = false;
    return { kind: 'new', sources };
  }
}

/** Directories in which a change may make a new generation, there or not. */
export function watchedPaths(host: Host): readonly string[] {
  return [host.moduleDir, ...watchedConfigDirectories(host)];
}

/** Indexes are read when they are first asked for: all at once now, so that one generation is of one moment. */
function touchAll(tree: ModuleTree): void {
  for (const index of Object.values(tree.indexes)) index?.exact('');
}

/** Reads every index to its end; answers how many modules aliases and symbols name that modules.dep does not have. */
function readWhole({ tree, matcher }: Sources): number {
  touchAll(tree);
  const { aliases, symbols, dep, builtin, builtinAliases } = tree.indexes;
  const orphans = new Set<string>();
  const known = new Map<string, boolean>();
  for (const index of [aliases, symbols]) {
    for (const { value } of index?.entries() ?? []) {
      let there = known.get(value);
      if (there === undefined) {
        const module = moduleName(value);
        there = matcher.dependencies(module) !== undefined || matcher.isBuiltin(module);
        known.set(value, there);
      }
      if (!there) orphans.add(value);
    }
  }
  for (const index of [dep, builtin, builtinAliases]) for (const _ of index?.entries() ?? []);
  return orphans.size;
}

function unfinishedFile(moduleDir: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(moduleDir);
  } catch {
    return undefined;
  }
  return names.find((name) => {
    if (!UNFINISHED.test(name)) return false;
    const stat = statHere(`${moduleDir}/${name}`);
    return stat !== undefined && Date.now() - stat.mtimeMs < LEFT_BEHIND_MS;
  });
}

/** Differs as soon as something that answers are made from does. */
function stampOf(host: Host): string {
  const hash = createHash('sha1');
  hash.update(readModuleTree(host)?.generation() ?? 'none');
  for (const { texts, unread } of [readModprobeConfig(host), readUdevRules(host)]) {
    for (const { file, text } of texts) hash.update(`${file}\0${text}\0`, 'latin1');
    for (const { file, why } of unread) hash.update(`${file}\0${why}\0`);
  }
  return hash.digest('hex');
}
