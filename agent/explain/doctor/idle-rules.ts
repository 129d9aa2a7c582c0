import { nearestWord } from '../../base/spelling.ts';
import { moduleFile, type ModuleName, moduleNameFromPath, type Place } from '../../base/names.ts';
import type { Host } from '../../base/host.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import type { IdleRule } from './health.ts';
import { badParameters } from '../../diagnosis/parameters.ts';
import { placeText } from '../../base/words.ts';
import type { RuleList, RuleTypes } from '../../rules/modprobe/config.ts';
import { DIRECTIVES, RULE_LISTS } from '../../rules/modprobe/directives.ts';
import { isGlob } from '../../rules/glob.ts';
import { idleBootLists } from './idle-boot-lists.ts';
import { idleFiles } from './idle-files.ts';
import type { Sources } from '../../load/sources.ts';

/** Rules that can be understood and yet change nothing: names that no module has, parameters that no module takes, and the like. */
export function idleRules(host: Host, sources: Sources): readonly IdleRule[] {
  const search = new Search(host, sources);
  return [
    ...RULE_LISTS.flatMap((list) => idleIn(list, sources.config[list])),
    ...idleFiles(host),
    ...idleBootLists(host, sources),
  ];

  function idleIn<List extends RuleList>(list: List, rules: ReadonlyArray<RuleTypes[List]>): readonly IdleRule[] {
    const { text } = DIRECTIVES[list];
    const check = CHECKS[list];
    // What depmod writes is made of what modules say.
    const own = rules.filter(({ place }) => !place.file.startsWith(`${host.moduleDir}/`));
    const repeated = repeatedIn(list, own);
    return own.flatMap((rule) =>
      [...(repeated.get(rule) ?? []), ...(check?.(rule, search) ?? [])].map((found) => ({
        place: rule.place,
        text: text(rule),
        ...found,
      })),
    );
  }
}

/** Why a rule changes nothing, and what may have been meant. */
type Reason = Pick<IdleRule, 'why' | 'suggestion' | 'harmless'>;

const reason = (why: string, suggestion?: string, harmless = false): Reason => ({ why, suggestion, harmless });

/** What each list is looked at for, beside what the table says. */
const CHECKS: { readonly [List in RuleList]?: (rule: RuleTypes[List], search: Search) => readonly Reason[] } = {
  blacklists: ({ module, place }, search) => search.blacklist(module, place),
  kernelBlacklists: ({ module, place }, search) => search.kernelBlacklist(module, place),
  // `alias x off` is an old way to say that nothing is to be loaded for x.
  aliases: ({ module, place }, search) => (module === 'off' ? [] : search.named(module, place)),
  options: ({ module, place, text }, search) => search.options(module, text, place),
  softdeps: ({ pattern, place, pre, post }, search) =>
    pre.length + post.length === 0
      ? [reason('it names nothing: the words are pre: and post:, each with its colon')]
      : isGlob(pattern)
        ? []
        : search.named(pattern as ModuleName, place),
};

/** Where the first of several lines about the same name counts: the others. (A second `blacklist` line does no harm.) */
function repeatedIn<List extends RuleList>(
  list: List,
  rules: ReadonlyArray<RuleTypes[List]>,
): ReadonlyMap<RuleTypes[List], readonly Reason[]> {
  const { about, counts, wildcards } = DIRECTIVES[list];
  const repeated = new Map<RuleTypes[List], readonly Reason[]>();
  if (counts === 'all' || !wildcards) return repeated;
  const first = new Map<string, Place>();
  for (const rule of rules) {
    const earlier = first.get(about(rule));
    if (earlier === undefined) first.set(about(rule), rule.place);
    else repeated.set(rule, [reason(`an earlier line counts: ${placeText(earlier)}`)]);
  }
  return repeated;
}

/** What a tree has, for names in rules. */
class Search {
  readonly #host: Host;
  readonly #sources: Sources;
  #names: readonly string[] | undefined;
  #aliased: ReadonlySet<string> | undefined;

  constructor(host: Host, sources: Sources) {
    this.#host = host;
    this.#sources = sources;
  }

  /** Why a rule for a module of this name finds none; empty when there is one. */
  named(module: ModuleName, place: Place): readonly Reason[] {
    const { matcher } = this.#sources;
    if (matcher.dependencies(module) !== undefined || matcher.isBuiltin(module)) return [];
    // `blacklist nouveau.ko`, or a whole path
    if (/\.ko(\.\w+)?$|\//.test(module))
      return [reason("a module's name is wanted here, not a file's", moduleNameFromPath(module))];
    this.#names ??= [...(this.#sources.tree.indexes.dep?.entries() ?? [])].map(({ key }) => key);
    // Distributions write rules for many kernels; an administrator's file is about this one.
    const vendor = !/\/(etc|run)\/|\/cmdline$/.test(place.file);
    const suggestion = vendor ? undefined : nearestWord(module, this.#names);
    return [reason(`there is no module ${module}`, suggestion, vendor || suggestion === undefined)];
  }

  blacklist(module: ModuleName, place: Place): readonly Reason[] {
    const missing = this.named(module, place);
    if (missing.length > 0) return missing;
    if (this.#sources.matcher.isBuiltin(module))
      return [reason(`${module} is built into the kernel: no rule keeps it out`)];
    this.#aliased ??= new Set(
      [...(this.#sources.tree.indexes.aliases?.entries() ?? [])].map(({ value }) => value.replaceAll('-', '_')),
    );
    if (this.#aliased.has(module) || this.#sources.config.aliases.some((rule) => rule.module === module)) return [];
    return [reason(`${module} has no alias, and blacklist counts only for aliases: requests for it use its name`)];
  }

  kernelBlacklist(module: ModuleName, place: Place): readonly Reason[] {
    if (module.includes('-')) {
      const why = "the kernel compares letter for letter, and no module's name has a '-'";
      return [reason(why, module.replaceAll('-', '_'))];
    }
    return this.#sources.matcher.isBuiltin(module)
      ? [reason(`${module} is built into the kernel`)]
      : this.named(module, place);
  }

  options(module: ModuleName, text: string, place: Place): readonly Reason[] {
    const { matcher } = this.#sources;
    const commandLine = place.file.endsWith('/cmdline');
    if (matcher.isBuiltin(module)) {
      const instead = `write ${module}.PARAMETER=VALUE on its command line`;
      return commandLine ? [] : [reason(`${module} is built into the kernel: ${instead}`)];
    }
    const found = matcher.dependencies(module);
    if (found === undefined) {
      // Options may be for an alias; and what is on the command line is mostly the kernel's own (`acpi.x=1`).
      return commandLine || matcher.lookup(module).kind === 'found' ? [] : this.named(module, place);
    }
    const file = openModuleFile(moduleFile(this.#host, found.path));
    if (file.kind !== 'module') return [];
    try {
      return badParameters(file.modinfo, [{ text, place }]).map(({ name, value, kind, type, suggestion }) => {
        const no = `${value ?? 'nothing'} is no value for ${name}, which is of type ${type ?? 'unknown'}`;
        return reason(
          kind === 'unknown'
            ? `${moduleNameFromPath(found.path)} has no parameter ${name}`
            : `${no}: the kernel refuses the module`,
          suggestion,
        );
      });
    } finally {
      file.close();
    }
  }
}
