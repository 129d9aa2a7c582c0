/** A configuration's rules by module. Pure; finds rules, decides nothing. */
import { fnmatch } from '../../base/fnmatch.ts';
import type { Config, RuleList, RuleLists, RuleTypes } from './config.ts';
import { DIRECTIVES, RULE_LISTS } from './directives.ts';

/** A configuration's rules by module: thousands of questions are asked of a handful of rules. */
export interface RuleIndex {
  /**
   * The first rule of a list that is about the name: `first('installs', module)`. Of the lists in which the first one counts
   * it is the only one that does. Undefined when there is none.
   */
  first<List extends RuleList>(list: List, name: string): RuleTypes[List] | undefined;
  /**
   * All rules of a list that count for a module, or for the alias that it was resolved from, in the order of their lines:
   * `counting('options', module, alias)`. Empty when there is none, then often the same list.
   */
  counting<List extends RuleList>(list: List, name: string, alias?: string): ReadonlyArray<RuleTypes[List]>;
}

const indexes = new WeakMap<Config, RuleIndex>();

/** The index of a configuration, made once. */
export function ruleIndex(config: Config): RuleIndex {
  let index = indexes.get(config);
  if (index === undefined) indexes.set(config, (index = makeIndex(config)));
  return index;
}

function makeIndex(config: Config): RuleIndex {
  const finders = Object.fromEntries(RULE_LISTS.map((list) => [list, new Finder(config, list)])) as Finders;
  return {
    first: (list, name) => finders[list].first(name),
    counting: (list, name, alias) => finders[list].counting(name, alias),
  };
}

type Finders = { readonly [List in RuleList]: Finder<List> };

/** Finds rules of one list. Names and patterns without a wildcard, which is nearly all, are found by name. */
class Finder<List extends RuleList> {
  readonly #rules: ReadonlyArray<RuleTypes[List]>;
  readonly #all: boolean;
  /** Positions in the list. */
  readonly #exact = new Map<string, number[]>();
  readonly #wild: Array<readonly [position: number, pattern: string]> = [];

  constructor(lists: RuleLists, list: List) {
    const { about, wildcards, counts } = DIRECTIVES[list];
    this.#rules = lists[list];
    this.#all = counts === 'all';
    this.#rules.forEach((rule, position) => {
      const name = about(rule);
      const known = this.#exact.get(name);
      if (wildcards && /[*?[\\]/.test(name)) this.#wild.push([position, name]);
      else if (known === undefined) this.#exact.set(name, [position]);
      else known.push(position);
    });
  }

  first(name: string): RuleTypes[List] | undefined {
    const exact = this.#exact.get(name)?.[0];
    for (const [position, pattern] of this.#wild) {
      if (exact !== undefined && position > exact) break;
      if (fnmatch(pattern, name)) return this.#rules[position];
    }
    return exact === undefined ? undefined : this.#rules[exact];
  }

  counting(name: string, alias: string | undefined): ReadonlyArray<RuleTypes[List]> {
    if (this.#rules.length === 0) return NONE;
    if (!this.#all) {
      const rule = this.first(name);
      return rule === undefined ? NONE : [rule];
    }
    const names = alias === undefined || alias === name ? [name] : [name, alias];
    const positions = names.flatMap((each) => this.#exact.get(each) ?? []);
    for (const [position, pattern] of this.#wild)
      if (names.some((each) => fnmatch(pattern, each))) positions.push(position);
    if (positions.length === 0) return NONE;
    return positions.toSorted((a, b) => a - b).flatMap((position) => this.#rules[position] ?? []);
  }
}

const NONE: readonly never[] = [];
