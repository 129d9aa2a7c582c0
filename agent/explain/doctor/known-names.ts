/** The names of modules, aliases and commands on a host, for checks of rules. Reads only. */
import { fnmatch } from '../../base/fnmatch.ts';
import type { Host } from '../../base/host.ts';
import { moduleName, type ModuleName, type Place } from '../../base/names.ts';
import { relatePatterns } from '../../base/pattern-relation.ts';
import { existsInRoot, namesInRoot } from '../../base/root.ts';
import { nearestWord } from '../../base/spelling.ts';
import type { Sources } from '../../load/sources.ts';
import { createMatcher, type Matcher } from '../../match/matcher.ts';

/** Where modprobe finds commands: the kernel and udevd start it with a PATH such as this. */
const PATH = ['/sbin', '/usr/sbin', '/bin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];

/** Whether a distribution wrote the line: its files serve many kernels, an administrator's are about this one. */
export function isVendors({ file }: Place): boolean {
  return !/\/(etc|run)\/|\/cmdline$/.test(file);
}

/** The names that a host has, for checks of names in rules: modules, their aliases, commands. Each list is built on first use. */
export class KnownNames {
  readonly #host: Host;
  readonly #sources: Sources;
  /** The tree alone, without the administrator's `alias`, `install` and `remove` lines. */
  readonly #tree: Matcher;
  #modules: readonly string[] | undefined;
  #aliases: ReadonlyArray<readonly [pattern: string, module: ModuleName]> | undefined;

  constructor(host: Host, sources: Sources) {
    this.#host = host;
    this.#sources = sources;
    this.#tree = createMatcher(sources.tree.indexes, { aliases: [], commands: [] });
  }

  /** Whether the tree or the kernel itself has a module of this name. */
  isModule(name: string): boolean {
    return this.#tree.dependencies(name as ModuleName) !== undefined || this.#tree.isBuiltin(name as ModuleName);
  }

  /** Whether the kernel itself has it. */
  isBuiltin(name: string): boolean {
    return this.#tree.isBuiltin(name as ModuleName);
  }

  /** Whether the pattern matches the name of a module. */
  matchesModule(pattern: string): boolean {
    return this.#names().some((name) => fnmatch(pattern, name));
  }

  /** The first module that a name leads to by an alias of the tree, or by an `alias` line; undefined when there is none. */
  moduleOf(name: string): ModuleName | undefined {
    for (const matcher of [this.#tree, this.#sources.matcher]) {
      const lookup = matcher.lookup(name);
      const module = lookup.kind === 'found' ? lookup.candidates[0]?.module : undefined;
      if (module !== undefined && this.isModule(module)) return module;
    }
    return undefined;
  }

  /** Whether a request for the name finds anything: a module, an alias, an install command. */
  isFound(name: string): boolean {
    return this.#sources.matcher.lookup(name).kind === 'found';
  }

  /** Whether the tree has anything that the pattern matches: a module, an alias of one. */
  isAnything(pattern: string): boolean {
    if (this.#tree.lookup(pattern).kind === 'found' || this.matchesModule(pattern)) return true;
    return this.#aliasList().some(([alias]) => relatePatterns(pattern, alias) !== 'apart');
  }

  /** Whether a module is found by an alias, of its own or of an `alias` line. */
  hasAlias(module: ModuleName): boolean {
    return (
      this.#aliasList().some(([, each]) => each === module) ||
      this.#sources.config.aliases.some((rule) => rule.module === module)
    );
  }

  /** The module whose name is nearest; undefined when none is near. */
  near(name: string): string | undefined {
    return nearestWord(name, this.#names());
  }

  /** Whether there is such a program, by its path or in the directories of PATH. */
  isProgram(program: string): boolean {
    return program.includes('/') ? this.#exists(program) : PATH.some((folder) => this.#exists(`${folder}/${program}`));
  }

  /** The path of the program whose name is nearest, in the same directory; or its name, in those of PATH. */
  nearProgram(program: string): string | undefined {
    const slash = program.lastIndexOf('/');
    const folders = slash < 0 ? PATH : [program.slice(0, slash)];
    const { root } = this.#host;
    const names = folders.flatMap((folder) => namesInRoot(root, root + folder));
    const near = nearestWord(program.slice(slash + 1), names);
    return near === undefined ? undefined : program.slice(0, slash + 1) + near;
  }

  #exists(path: string): boolean {
    const { root } = this.#host;
    return existsInRoot(root, root + path);
  }

  #names(): readonly string[] {
    const { dep, builtin } = this.#sources.tree.indexes;
    return (this.#modules ??= [...(dep?.entries() ?? []), ...(builtin?.entries() ?? [])].map(({ key }) => key));
  }

  #aliasList(): ReadonlyArray<readonly [pattern: string, module: ModuleName]> {
    const { aliases, builtinAliases } = this.#sources.tree.indexes;
    return (this.#aliases ??= [...(aliases?.entries() ?? []), ...(builtinAliases?.entries() ?? [])].map(
      ({ key, value }) => [key, moduleName(value)],
    ));
  }
}
