import { lookupKey, moduleNameFromPath, type ModuleName } from '../base/names.ts';
import type { Candidate } from '../match/candidate.ts';
import type { Matcher } from '../match/matcher.ts';
import type { CommandRule, Config, SoftdepRule } from '../rules/modprobe/config.ts';
import { isThroughAlias } from '../rules/modprobe/decision.ts';
import { ruleIndex, type RuleIndex } from '../rules/modprobe/rule-index.ts';
import type { Blocked, ParamOrigin, PlanEdge } from './plan.ts';

/** Where a planner's facts come from; all of it stays as it is while the planner lives. */
export interface FactSources {
  readonly matcher: Pick<Matcher, 'lookup' | 'dependencies' | 'isBuiltin'>;
  readonly config: Config;
  /** `/lib/modules/6.1.0`: what the paths of modules.dep are relative to. */
  readonly moduleDir: string;
  /** False leaves `module_blacklist=` to the kernel, as modprobe does; true when absent. */
  readonly kernelBlacklist?: boolean;
}

/** A module as one lookup found it: the alias matters, because `options` lines may name it instead of the module. */
export interface Found {
  readonly facts: ModuleFacts;
  readonly alias: string | undefined;
  /** What `options` lines give it. */
  readonly origins: readonly ParamOrigin[];
}

/** The modules of a softdep line, and the names in it that nothing has. */
export interface Members {
  readonly pre: readonly Found[];
  readonly post: readonly Found[];
  readonly unknown: readonly string[];
}

const NO_MEMBERS: Members = { pre: [], post: [], unknown: [] };

/** What tree and configuration say about modules, each found out when it is first asked for. */
export class FactTable {
  readonly sources: FactSources;
  readonly rules: RuleIndex;
  readonly #facts = new Map<ModuleName, ModuleFacts>();
  readonly #found = new Map<string, Found>();
  /** Built-in modules that only modules.builtin.modinfo has: those that cannot be modules, such as tracefs. */
  readonly #builtins = new Set<ModuleName>();

  constructor(sources: FactSources) {
    this.sources = sources;
    this.rules = ruleIndex(sources.config);
  }

  /** A candidate of the lookup of `name`. Like kmod: a configured alias is remembered by its pattern, others as looked up. */
  ofCandidate(candidate: Candidate, name: string): Found {
    if (candidate.source === 'builtin-alias') this.#builtins.add(candidate.module);
    if (!isThroughAlias(candidate)) return this.found(candidate.module);
    return this.found(candidate.module, candidate.source === 'config-alias' ? candidate.pattern : lookupKey(name));
  }

  isBuiltin(module: ModuleName): boolean {
    return this.#builtins.has(module) || this.sources.matcher.isBuiltin(module);
  }

  /** The module by its own name, or as `alias` led to it. `path` is where another module's line of modules.dep has it. */
  found(module: ModuleName, alias?: string, path?: string): Found {
    const key = alias === undefined ? module : `${module}\\${alias}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      const origins: ParamOrigin[] = [];
      for (const { text, place } of this.rules.options(module, alias)) if (text !== '') origins.push({ text, place });
      found = { facts: this.#factsOf(module, path), alias, origins };
      this.#found.set(key, found);
    }
    return found;
  }

  #factsOf(module: ModuleName, path: string | undefined): ModuleFacts {
    let facts = this.#facts.get(module);
    if (facts === undefined) this.#facts.set(module, (facts = new ModuleFacts(this, module, path)));
    return facts;
  }
}

/** One module, whoever asks for it. Softdeps may lead in circles, so what leads to other modules is found out late. */
export class ModuleFacts {
  readonly name: ModuleName;
  /** Absolute; '' when no line of modules.dep has it. */
  readonly path: string;
  readonly builtin: boolean;
  readonly install: CommandRule | undefined;
  readonly softdep: SoftdepRule | undefined;
  readonly #table: FactTable;
  readonly #dependPaths: readonly string[];
  #depends: readonly Found[] | undefined;
  #direct: readonly PlanEdge[] | undefined;
  #members: Members | undefined;
  #blocked: readonly Blocked[] | undefined;
  #wellFounded: boolean | undefined;
  /** The module that was last found to get this one through another. */
  #broughtTo: ModuleFacts | undefined;

  constructor(table: FactTable, name: ModuleName, otherPath: string | undefined) {
    const { matcher, moduleDir } = table.sources;
    const entry = matcher.dependencies(name);
    const path = entry?.path ?? otherPath ?? '';
    this.name = name;
    this.path = path === '' || path.startsWith('/') ? path : `${moduleDir}/${path}`;
    this.builtin = table.isBuiltin(name);
    this.install = table.rules.install(name);
    this.softdep = table.rules.softdep(name);
    this.#table = table;
    this.#dependPaths = entry?.depends ?? [];
  }

  /** All it depends on, directly or not, deepest first. */
  get depends(): readonly Found[] {
    this.#depends ??= this.#dependPaths
      .map((path) => this.#table.found(moduleNameFromPath(path), undefined, path))
      .toReversed();
    return this.#depends;
  }

  /** The dependencies that no other dependency brings with it: edges from these are enough. */
  get direct(): readonly PlanEdge[] {
    if (this.#direct === undefined) {
      const all = this.depends.map(({ facts }) => facts);
      for (const { facts } of this.depends) for (const below of facts.depends) below.facts.#broughtTo = this;
      const direct = all.filter((facts) => facts.#broughtTo !== this);
      // Where every one is brought by another, modules.dep is in circles; the plan says so.
      this.#direct = (direct.length > 0 ? direct : all).map(({ name }) => ({ module: name, required: true }));
    }
    return this.#direct;
  }

  /** The modules of its softdep line: the first that matches, as in kmod. */
  get members(): Members {
    this.#members ??= this.softdep === undefined ? NO_MEMBERS : this.#resolve(this.softdep);
    return this.#members;
  }

  /** Whether softdeps make modprobe ignore its install command. */
  get hasSoftdeps(): boolean {
    return this.members.pre.length > 0 || this.members.post.length > 0;
  }

  /** Why it or something it depends on cannot be loaded, whatever its state; empty when nothing is known. */
  get blocked(): readonly Blocked[] {
    this.#blocked ??= this.#findBlocks();
    return this.#blocked;
  }

  #resolve({ pre, post }: SoftdepRule): Members {
    const unknown: string[] = [];
    const resolve = (names: readonly string[]) =>
      names.flatMap((name) => {
        const lookup = this.#table.sources.matcher.lookup(name);
        if (lookup.kind === 'found')
          return lookup.candidates.map((candidate) => this.#table.ofCandidate(candidate, name));
        unknown.push(name);
        return [];
      });
    return { pre: resolve(pre), post: resolve(post), unknown };
  }

  #findBlocks(): Blocked[] {
    const blocked: Blocked[] = [];
    if (this.builtin) return blocked;
    if (this.path === '' && (this.install === undefined || this.hasSoftdeps)) {
      const reason = `modules.dep has no module ${this.name}`;
      return [{ module: this.name, kind: 'missing-module', reason }];
    }
    const circle = this.#circle();
    if (circle !== undefined) {
      blocked.push({
        module: this.name,
        kind: 'cycle',
        reason: `modules.dep leads in a circle: ${circle.join(' → ')}`,
      });
    }
    const { kernelBlacklist, config } = this.#table.sources;
    if (kernelBlacklist === false || config.kernelBlacklists.length === 0) return blocked;
    for (const facts of [...this.depends.map((found) => found.facts), this]) {
      const rule = this.#table.rules.kernelBlacklist(facts.name);
      if (rule === undefined || facts.builtin || (facts.install !== undefined && !facts.hasSoftdeps)) continue;
      const reason = `module_blacklist=${facts.name} on the kernel command line`;
      blocked.push({ module: facts.name, kind: 'kernel-blacklisted', reason, place: rule.place });
    }
    return blocked;
  }

  /** `a → b → a` when its dependencies, or theirs, lead back. */
  #circle(): readonly ModuleName[] | undefined {
    if (this.#isWellFounded()) return undefined;
    const done = new Set<ModuleFacts>();
    const way: Array<{ readonly facts: ModuleFacts; left: readonly ModuleFacts[] }> = [];
    const enter = (facts: ModuleFacts) => way.push({ facts, left: facts.depends.map((found) => found.facts) });
    enter(this);
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      // Depends are deepest first; going to the nearest first names a circle by its own links.
      const next = last.left.at(-1);
      if (next === undefined) {
        done.add(last.facts);
        way.pop();
        continue;
      }
      last.left = last.left.slice(0, -1);
      const seen = way.findIndex(({ facts }) => facts === next);
      if (seen >= 0) return [...way.slice(seen).map(({ facts }) => facts.name), next.name];
      if (!done.has(next)) enter(next);
    }
    return undefined;
  }

  /** True when each list of dependencies is longer than those of its members, as it is wherever depmod wrote it. */
  #isWellFounded(): boolean {
    const length = this.#dependPaths.length;
    this.#wellFounded ??= this.depends.every(
      ({ facts }) => facts.#dependPaths.length < length && facts.#isWellFounded(),
    );
    return this.#wellFounded;
  }
}
