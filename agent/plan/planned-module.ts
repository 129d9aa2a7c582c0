/** What the planner knows about each module. Pure: reads its sources, caches answers. */
import { moduleFile, type ModuleName, moduleNameFromPath } from '../base/names.ts';
import type { Candidate } from '../match/candidate.ts';
import type { Matcher } from '../match/matcher.ts';
import type { CommandRule, Config, SoftdepRule } from '../rules/modprobe/config.ts';
import { aliasOf } from '../rules/modprobe/decision.ts';
import { ruleIndex, type RuleIndex } from '../rules/modprobe/rule-index.ts';
import type { Blocked, ParamOrigin, PlanEdge } from './plan.ts';

/** The sources of a planner's facts; they do not change while the planner lives. */
export interface FactSources {
  readonly matcher: Pick<Matcher, 'lookup' | 'dependencies' | 'isBuiltin'>;
  readonly config: Config;
  /** `/lib/modules/6.1.0`: the paths of modules.dep are relative to it. */
  readonly moduleDir: string;
  /** The root of its absolute paths. Default: '', the live machine. */
  readonly root?: string;
  /** false: leave `module_blacklist=` to the kernel, as modprobe does. Default: true. */
  readonly kernelBlacklist?: boolean;
}

/** A module as one lookup found it. The alias matters, because `options` lines may name it instead of the module. */
export interface Found {
  readonly facts: ModuleFacts;
  readonly alias: string | undefined;
  /** Its parameters from `options` lines. */
  readonly origins: readonly ParamOrigin[];
}

/** The modules of a softdep line, and its names that no module has. */
export interface Members {
  readonly pre: readonly Found[];
  readonly post: readonly Found[];
  readonly unknown: readonly string[];
}

const NO_MEMBERS: Members = { pre: [], post: [], unknown: [] };

/** The facts about modules from tree and configuration, each computed on first use. */
export class FactTable {
  readonly sources: FactSources;
  readonly rules: RuleIndex;
  readonly #facts = new Map<ModuleName, ModuleFacts>();
  readonly #found = new Map<string, Found>();
  /** Builtin modules that only modules.builtin.modinfo lists: code that cannot be built as a module, such as tracefs. */
  readonly #builtins = new Set<ModuleName>();

  constructor(sources: FactSources) {
    this.sources = sources;
    this.rules = ruleIndex(sources.config);
  }

  /** A candidate of the lookup of `name`. As in kmod, a configured alias is known by its pattern, any other by the name looked up. */
  ofCandidate(candidate: Candidate, name: string): Found {
    if (candidate.source === 'builtin-alias') this.#builtins.add(candidate.module);
    return this.found(candidate.module, aliasOf(candidate, name));
  }

  isBuiltin(module: ModuleName): boolean {
    return this.#builtins.has(module) || this.sources.matcher.isBuiltin(module);
  }

  /** The module by its own name, or through `alias`. `path` is its path in another module's line of modules.dep. */
  found(module: ModuleName, alias?: string, path?: string): Found {
    const key = alias === undefined ? module : `${module}\\${alias}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      const origins: ParamOrigin[] = [];
      for (const { text, place } of this.rules.counting('options', module, alias))
        if (text !== '') origins.push({ text, place });
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

/** One module, independent of how it was found. Softdeps can form cycles, so links to other modules are resolved on first use. */
export class ModuleFacts {
  readonly name: ModuleName;
  /** Absolute; '' when no line of modules.dep names it. */
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
  /** The last module that was found to reach this one through another dependency. */
  #indirectFor: ModuleFacts | undefined;

  constructor(table: FactTable, name: ModuleName, otherPath: string | undefined) {
    const entry = table.sources.matcher.dependencies(name);
    const path = entry?.path ?? otherPath ?? '';
    this.name = name;
    this.path = path === '' ? '' : moduleFile(table.sources, path);
    this.builtin = table.isBuiltin(name);
    this.install = table.rules.first('installs', name);
    this.softdep = table.rules.first('softdeps', name);
    this.#table = table;
    this.#dependPaths = entry?.depends ?? [];
  }

  /** All its dependencies, direct and indirect, deepest first. */
  get depends(): readonly Found[] {
    this.#depends ??= this.#dependPaths
      .map((path) => this.#table.found(moduleNameFromPath(path), undefined, path))
      .toReversed();
    return this.#depends;
  }

  /** The dependencies that no other dependency needs; edges to these are enough. */
  get direct(): readonly PlanEdge[] {
    if (this.#direct === undefined) {
      const all = this.depends.map(({ facts }) => facts);
      for (const { facts } of this.depends) for (const below of facts.depends) below.facts.#indirectFor = this;
      const direct = all.filter((facts) => facts.#indirectFor !== this);
      // If each dependency is needed by another, modules.dep has a cycle; the plan reports it.
      this.#direct = (direct.length > 0 ? direct : all).map(({ name }) => ({ module: name, required: true }));
    }
    return this.#direct;
  }

  /** The modules of its softdep line; the first line that matches counts, as in kmod. */
  get members(): Members {
    this.#members ??= this.softdep === undefined ? NO_MEMBERS : this.#resolve(this.softdep);
    return this.#members;
  }

  /** True when softdeps make modprobe ignore its install command. */
  get hasSoftdeps(): boolean {
    return this.members.pre.length > 0 || this.members.post.length > 0;
  }

  /** Why it or one of its dependencies cannot be loaded, regardless of state; empty when no reason is known. */
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
    const cycle = this.#findCycle();
    if (cycle !== undefined) {
      blocked.push({ module: this.name, kind: 'cycle', reason: `modules.dep has a cycle: ${cycle.join(' → ')}` });
    }
    const { kernelBlacklist, config } = this.#table.sources;
    if (kernelBlacklist === false || config.kernelBlacklists.length === 0) return blocked;
    for (const facts of [...this.depends.map((found) => found.facts), this]) {
      const rule = this.#table.rules.first('kernelBlacklists', facts.name);
      if (rule === undefined || facts.builtin || (facts.install !== undefined && !facts.hasSoftdeps)) continue;
      const reason = `module_blacklist=${facts.name} on the kernel command line`;
      blocked.push({ module: facts.name, kind: 'kernel-blacklisted', reason, place: rule.place });
    }
    return blocked;
  }

  /** The names of `a → b → a` when its dependencies, or theirs, form a cycle; otherwise undefined. */
  #findCycle(): readonly ModuleName[] | undefined {
    if (this.#isWellFounded()) return undefined;
    const done = new Set<ModuleFacts>();
    const way: Array<{ readonly facts: ModuleFacts; left: readonly ModuleFacts[] }> = [];
    const enter = (facts: ModuleFacts) => way.push({ facts, left: facts.depends.map((found) => found.facts) });
    enter(this);
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      // `depends` is deepest first. Visiting the nearest first describes a cycle by its direct links.
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

  /** True when each list of dependencies is longer than those of its members, as in every modules.dep that depmod writes. */
  #isWellFounded(): boolean {
    const length = this.#dependPaths.length;
    this.#wellFounded ??= this.depends.every(
      ({ facts }) => facts.#dependPaths.length < length && facts.#isWellFounded(),
    );
    return this.#wellFounded;
  }
}
