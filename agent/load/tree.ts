/**
 * The module tree of a host, ready for questions: each index is read at its first use, built in memory where depmod left
 * only text, and replaced by its text where it is damaged, so that one bad file costs no device its driver.
 */
import { dirname } from 'node:path';
import { ERRNO } from '../base/errno.ts';
import { PlugdError } from '../base/error.ts';
import { lookInRoot } from '../base/root.ts';
import { faultOf } from '../facts/regular-file.ts';
import { installedReleases, moduleDirOf, type Host } from '../base/host.ts';
import type { LookupKey } from '../base/names.ts';
import { FileProblems, type Problem, type ProblemCode } from '../base/problem.ts';
import {
  aliasIndex,
  builtinAliasIndex,
  builtinIndex,
  depIndex,
  modulePositions,
  type TextIndex,
} from '../indexes/text-index.ts';
import { readModuleTree, TEXT_OF, type IndexName, type ModuleTreeFiles } from '../facts/trees/module-tree.ts';
import type { MatchIndexes } from '../match/matcher.ts';
import { IndexTrie, type Index, type TrieEntry, type TrieMatch } from '../indexes/trie.ts';

/** A host's module tree. */
export interface ModuleTree {
  readonly kind: 'tree';
  readonly files: ModuleTreeFiles;
  readonly indexes: Required<MatchIndexes>;
  /** What was found wrong up to now: indexes are looked at only when they are needed. */
  problems(): readonly Problem[];
}

/** There is no directory of modules for this kernel, or it cannot be looked at. */
export interface NoTree {
  readonly kind: 'no-tree';
  readonly why: 'absent' | 'closed';
  /** `there are no modules for kernel 6.1.0: no directory /lib/modules/6.1.0` */
  readonly reason: string;
  /** What to do, with the releases that have a tree. */
  readonly remedy: string;
}

/** The module tree of `host.moduleDir`. */
export function findTree(host: Host): ModuleTree | NoTree {
  const files = readModuleTree(host);
  return files === undefined ? noTree(host) : treeOf(files);
}

/** The tree of files that are at hand: those of a boot image. */
export function treeOf(files: ModuleTreeFiles): ModuleTree {
  const problems: Problem[] = [];
  const open = (name: IndexName) => new TreeIndex(name, files, problems);
  const indexes = {
    dep: open('modules.dep'),
    symbols: open('modules.symbols'),
    aliases: open('modules.alias'),
    builtin: open('modules.builtin'),
    builtinAliases: open('modules.builtin.alias'),
  };
  return { kind: 'tree', files, indexes, problems: () => problems };
}

/** The same for who cannot go on without it. Errors: `no-modules-directory`. */
export function openTree(host: Host): ModuleTree {
  const found = findTree(host);
  if (found.kind === 'no-tree') throw noTreeError(found);
  return found;
}

/** The error of a missing tree: its code is `no-modules-directory`. */
export function noTreeError({ reason, remedy }: NoTree): PlugdError {
  return new PlugdError('no-modules-directory', reason, { remedy });
}

/** What says that this process may not look somewhere. */
const DENIED: readonly number[] = [ERRNO.EACCES, ERRNO.EPERM];

function noTree(host: Host): NoTree {
  const others = installedReleases(host.root).filter((release) => release !== host.kernel);
  const there = dirname(moduleDirOf(host.root, others[0] ?? host.kernel));
  const looked = lookInRoot(host.root, host.moduleDir);
  if (typeof looked === 'number' && looked !== -ERRNO.ENOENT)
    return {
      kind: 'no-tree',
      why: 'closed',
      reason: `the modules of kernel ${host.kernel} cannot be looked at: ${host.moduleDir}: ${faultOf(-looked).why}`,
      remedy: DENIED.includes(-looked) ? 'run it as root' : 'correct the path',
    };
  return {
    kind: 'no-tree',
    why: 'absent',
    reason: `there are no modules for kernel ${host.kernel}: no directory ${host.moduleDir}`,
    remedy:
      others.length === 0
        ? `install the kernel's modules package; ${there} has no modules for any kernel`
        : `${there} has modules for ${others.join(', ')}: reboot into one of them, or name it with --kernel`,
  };
}

/** One index of the tree: the .bin file, or what its text says where that is missing or damaged. */
class TreeIndex implements Index {
  readonly #name: IndexName;
  readonly #files: ModuleTreeFiles;
  readonly #problems: Problem[];
  #index: Index | undefined;
  #isText = false;

  constructor(name: IndexName, files: ModuleTreeFiles, problems: Problem[]) {
    this.#name = name;
    this.#files = files;
    this.#problems = problems;
  }

  exact(key: string): string | undefined {
    try {
      return (this.#index ??= this.#open()).exact(key);
    } catch (error) {
      return this.#instead(error).exact(key);
    }
  }

  search(key: LookupKey, repeats = false): readonly TrieMatch[] {
    try {
      return (this.#index ??= this.#open()).search(key, repeats);
    } catch (error) {
      return this.#instead(error).search(key, repeats);
    }
  }

  *entries(): Generator<TrieEntry, void, undefined> {
    let entries: readonly TrieEntry[];
    try {
      entries = [...(this.#index ??= this.#open()).entries()];
    } catch (error) {
      entries = [...this.#instead(error).entries()];
    }
    yield* entries;
  }

  #open(): Index {
    const file = `${this.#files.dir}/${this.#name}.bin`;
    const bytes = this.#files.readIndex(this.#name);
    if (bytes === undefined) return this.#fromText() ?? this.#nothing();
    if (bytes.length === 0 && !(this.#name.startsWith('modules.builtin') && this.#hasNoText())) {
      // Of the builtin indexes depmod itself leaves empty files where there is no text, of the others only a crash or a full disk does.
      throw new PlugdError('corrupt-index', 'the file is empty', { file, remedy: 'rebuild the indexes: depmod' });
    }
    return new IndexTrie(bytes, file);
  }

  #hasNoText(): boolean {
    return (this.#files.readText(TEXT_OF[this.#name]) ?? '') === '';
  }

  /** The index that goes on in place of a damaged one; errors that are not of the file are thrown on. */
  #instead(error: unknown): Index {
    if (!(error instanceof PlugdError) || !(error.code === 'corrupt-index' || error.code === 'unreadable')) throw error;
    const before = this.#problems.length;
    const text = this.#isText ? undefined : this.#textAfter(error);
    const file = `${this.#files.dir}/${this.#name}.bin`;
    const instead = text === undefined ? 'what it holds is not found' : `${TEXT_OF[this.#name]} is used instead`;
    // In front of what is wrong with the text.
    this.#problems.splice(before, 0, {
      file,
      line: 0,
      column: 0,
      severity: 'error',
      code: error.code === 'unreadable' ? 'unreadable' : 'damaged',
      message: `${error.what}; ${instead}`,
    });
    return (this.#index = text ?? NOTHING);
  }

  #textAfter(error: PlugdError): Index | undefined {
    try {
      return this.#fromText();
    } catch (second) {
      if (second instanceof PlugdError && second.code === 'unreadable') return undefined;
      throw error;
    }
  }

  #fromText(): Index | undefined {
    const name = TEXT_OF[this.#name];
    const text = this.#files.readText(name);
    if (text === undefined) return undefined;
    this.#isText = true;
    const { builder, leftOut } = this.#build(text);
    const problems = new FileProblems(`${this.#files.dir}/${name}`, this.#problems);
    for (const { line, text: part, why } of leftOut)
      problems.add(() => this.#problemOf(name, line, 'malformed', `'${part.slice(0, 200)}' is left out: ${why}`));
    problems.end();
    return new IndexTrie(builder.build(), `${this.#files.dir}/${name}`);
  }

  #build(text: string): TextIndex {
    switch (this.#name) {
      case 'modules.dep':
        return depIndex(text);
      case 'modules.builtin':
        return builtinIndex(text);
      case 'modules.builtin.alias':
        return builtinAliasIndex(text);
      default:
        return aliasIndex(text, this.#positions());
    }
  }

  #positions(): ReadonlyMap<string, number> {
    const text = this.#files.readText('modules.dep');
    if (text !== undefined) return modulePositions(text);
    const dep = new TreeIndex('modules.dep', this.#files, []);
    return new Map([...dep.entries()].map(({ key, priority }) => [key, priority]));
  }

  #nothing(): Index {
    // A kernel may have no builtin modules, and depmod may never have written symbols; without these two nothing is found.
    if (this.#name === 'modules.dep' || this.#name === 'modules.alias') {
      this.#problem(
        this.#name,
        0,
        'missing',
        `neither ${this.#name}.bin nor ${this.#name} is there; make them: depmod`,
      );
    }
    return NOTHING;
  }

  #problem(name: string, line: number, code: ProblemCode, message: string): void {
    this.#problems.push(this.#problemOf(name, line, code, message));
  }

  #problemOf(name: string, line: number, code: ProblemCode, message: string): Problem {
    return { file: `${this.#files.dir}/${name}`, line, column: 0, severity: 'error', code, message };
  }
}

const NOTHING = new IndexTrie(Buffer.alloc(0), '');
