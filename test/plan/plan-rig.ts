/** Planners over trees, configurations and kernel states written as text. */
import { moduleName, type ModuleName } from '../../agent/base/names.ts';
import { createMatcher } from '../../agent/match/matcher.ts';
import type { Index } from '../../agent/indexes/trie.ts';
import type { Plan } from '../../agent/plan/plan.ts';
import type { FactSources } from '../../agent/plan/planned-module.ts';
import { createPlanner, type PlanOptions } from '../../agent/plan/planner.ts';
import { emptyConfig } from '../../agent/rules/modprobe/config.ts';
import { parseKernelCommandLine } from '../../agent/rules/modprobe/kernel-command-line.ts';
import { configuredNames } from '../../agent/rules/modprobe/merged-config.ts';
import { parseModprobeConf } from '../../agent/rules/modprobe/modprobe-conf.ts';

/** A tree: each module's dependencies, nearest first, all of them as depmod writes them. */
export const TREE: Readonly<Record<string, string>> = {
  a: '',
  b: 'a',
  c: 'b a',
  d: 'a',
  'e-e': 'd c b a',
  x: '',
  y: '',
  z: 'y',
  p1: 'p2',
  p2: 'p1',
  q1: 'q2 q3',
  q2: 'q3 q1',
  q3: 'q1 q2',
  r1: 'r1',
  s1: 'p1 p2',
};

/** What a plan is made from, as text. */
export interface Given {
  readonly conf?: string;
  readonly commandLine?: string;
  readonly loaded?: Readonly<Record<string, 'live' | 'coming' | 'going'>>;
  readonly builtin?: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly builtinAliases?: Readonly<Record<string, string>>;
  readonly options?: PlanOptions;
  readonly kernelBlacklist?: boolean;
  readonly tree?: Readonly<Record<string, string>>;
}

function indexOf(entries: Readonly<Record<string, string>>): Index {
  const normalised = Object.entries(entries).map(([key, value]) => [moduleName(key) as string, value] as const);
  const map = new Map(normalised);
  return {
    exact: (key) => map.get(key),
    search: (key) => (map.get(key)?.split(' ') ?? []).map((value, priority) => ({ value, priority, pattern: key })),
    entries: () => normalised.map(([key, value]) => ({ key, value, priority: 0 })),
  };
}

/** The facts of a planner over what is given. */
export function factSources(given: Given): FactSources {
  const config = emptyConfig();
  parseModprobeConf({ file: 'conf', text: given.conf ?? '' }, config);
  parseKernelCommandLine({ file: 'cmdline', text: given.commandLine ?? '' }, config);
  const path = (name: string) => (name === '' ? '' : `kernel/${name}.ko`);
  const lines = Object.entries(given.tree ?? TREE).map(([name, depends]) => [
    name,
    `${path(name)}: ${depends.split(' ').map(path).join(' ')}`,
  ]);
  const indexes = {
    dep: indexOf({
      ...Object.fromEntries(lines),
      outside: '/opt/outside.ko:',
      gap: 'kernel/gap.ko: kernel/nowhere.ko.xz',
    }),
    aliases: indexOf(given.aliases ?? {}),
    builtinAliases: indexOf(given.builtinAliases ?? {}),
    builtin: indexOf(Object.fromEntries((given.builtin ?? []).map((name) => [name, '']))),
  };
  return {
    matcher: createMatcher(indexes, configuredNames(config)),
    config,
    moduleDir: '/m',
    ...(given.kernelBlacklist === undefined ? {} : { kernelBlacklist: given.kernelBlacklist }),
  };
}

/** A planner of the plans for a name, one for each candidate. */
export function open(given: Given): (name: string, options?: PlanOptions) => Plan[] {
  const sources = factSources(given);
  const planner = createPlanner({ ...sources, state: (module: ModuleName) => given.loaded?.[module] });
  return (name, options = given.options) => {
    const lookup = sources.matcher.lookup(name);
    return lookup.kind === 'found' ? lookup.candidates.map((candidate) => planner.plan(candidate, name, options)) : [];
  };
}
