import { fnmatch } from '../../base/fnmatch.ts';
import type { ModuleName } from '../../base/names.ts';
import type { BlacklistRule, CommandRule, Config, OptionsRule, SoftdepRule, WeakdepRule } from './config.ts';

/** A configuration's rules by module: thousands of questions are asked of a handful of rules. */
export interface RuleIndex {
  /** The first `blacklist` of exactly this name. */
  blacklist(module: ModuleName): BlacklistRule | undefined;
  /** The first element of `module_blacklist=` of exactly this name. */
  kernelBlacklist(module: ModuleName): BlacklistRule | undefined;
  /** The first `install` whose pattern matches the name; the same for the others. */
  install(module: ModuleName): CommandRule | undefined;
  remove(module: ModuleName): CommandRule | undefined;
  softdep(module: ModuleName): SoftdepRule | undefined;
  weakdep(module: ModuleName): WeakdepRule | undefined;
  /** All `options` for a module's name, or for the alias that it was resolved from, in order; often the same empty list. */
  options(module: ModuleName, alias: string | undefined): readonly OptionsRule[];
}

const indexes = new WeakMap<Config, RuleIndex>();

/** The index of a configuration, made once. */
export function ruleIndex(config: Config): RuleIndex {
  let index = indexes.get(config);
  if (index === undefined) indexes.set(config, (index = makeIndex(config)));
  return index;
}

function makeIndex(config: Config): RuleIndex {
  const blacklists = firstByName(config.blacklists);
  const kernelBlacklists = firstByName(config.kernelBlacklists);
  const options = new Map<string, OptionsRule[]>();
  for (const rule of config.options) {
    const known = options.get(rule.module);
    if (known === undefined) options.set(rule.module, [rule]);
    else known.push(rule);
  }
  return {
    blacklist: (module) => blacklists.get(module),
    kernelBlacklist: (module) => kernelBlacklists.get(module),
    install: firstByPattern(config.installs),
    remove: firstByPattern(config.removes),
    softdep: firstByPattern(config.softdeps),
    weakdep: firstByPattern(config.weakdeps),
    options(module, alias) {
      const own = options.get(module);
      const others = alias === undefined || alias === module ? undefined : options.get(alias);
      if (others === undefined) return own ?? NONE;
      if (own === undefined) return others;
      return config.options.filter((rule) => rule.module === module || rule.module === alias);
    },
  };
}

const NONE: readonly OptionsRule[] = [];

function firstByName(rules: readonly BlacklistRule[]): ReadonlyMap<string, BlacklistRule> {
  const first = new Map<string, BlacklistRule>();
  for (const rule of rules) if (!first.has(rule.module)) first.set(rule.module, rule);
  return first;
}

/** The first rule whose pattern matches; patterns without a wildcard, which is nearly all, are found by name. */
function firstByPattern<Rule extends { readonly pattern: string }>(
  rules: readonly Rule[],
): (module: ModuleName) => Rule | undefined {
  const exact = new Map<string, number>();
  const wild: number[] = [];
  rules.forEach(({ pattern }, index) => {
    if (/[*?[\\]/.test(pattern)) wild.push(index);
    else if (!exact.has(pattern)) exact.set(pattern, index);
  });
  return (module) => {
    const at = exact.get(module);
    for (const index of wild) {
      if (at !== undefined && index > at) break;
      const rule = rules[index];
      if (rule !== undefined && fnmatch(rule.pattern, module)) return rule;
    }
    return at === undefined ? undefined : rules[at];
  };
}
