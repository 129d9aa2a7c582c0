import { nearestWord } from '../../base/spelling.ts';
import type { ModuleName, Place } from '../../base/names.ts';
import { moduleNameFromPath } from '../../base/names.ts';
import type { Host } from '../../base/host.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import type { IdleRule } from './health.ts';
import { badParameters } from '../../diagnosis/parameters.ts';
import type { CommandRule } from '../../rules/modprobe/config.ts';
import { isGlob } from '../../rules/glob.ts';
import { idleFiles, idleLists } from './idle-files.ts';
import type { Sources } from '../../load/sources.ts';

/** Rules that can be understood and yet change nothing: names that no module has, parameters that no module takes, and the like. */
export function idleRules(host: Host, sources: Sources): readonly IdleRule[] {
  const { config } = sources;
  const search = new Search(host, sources);
  const idle: IdleRule[] = [];
  const add = (place: Place, text: string, found: Reason | undefined) => {
    // What depmod writes is made of what modules say.
    if (found !== undefined && !place.file.startsWith(`${host.moduleDir}/`)) idle.push({ place, text, ...found });
  };
  for (const { module, place } of config.blacklists) add(place, `blacklist ${module}`, search.blacklist(module, place));
  for (const { module, place } of config.kernelBlacklists)
    add(place, `module_blacklist=${module}`, search.kernelBlacklist(module, place));
  for (const { module, place, pattern } of config.aliases) {
    // `alias x off` is an old way to say that nothing is to be loaded for x.
    if (module !== 'off') add(place, `alias ${pattern} ${module}`, search.named(module, place));
  }
  for (const { module, place, text } of config.options)
    for (const found of search.options(module, text, place)) add(place, `options ${module} ${text}`, found);
  commands(config.installs, 'install', add);
  commands(config.removes, 'remove', add);
  for (const { pattern, place, pre, post } of config.softdeps) {
    const empty = pre.length + post.length === 0;
    if (empty) add(place, `softdep ${pattern}`, EMPTY_SOFTDEP);
    else if (!isGlob(pattern)) add(place, `softdep ${pattern}`, search.named(pattern as ModuleName, place));
  }
  return [...idle, ...idleFiles(host), ...idleLists(host, sources)];
}

const EMPTY_SOFTDEP: Reason = {
  why: 'it names nothing: the words are pre: and post:, each with its colon',
  suggestion: undefined,
  harmless: false,
};

type Reason = Pick<IdleRule, 'why' | 'suggestion' | 'harmless'>;

function commands(
  rules: readonly CommandRule[],
  word: string,
  add: (place: Place, text: string, found: Reason) => void,
): void {
  const first = new Map<string, Place>();
  for (const { pattern, command, place } of rules) {
    const earlier = first.get(pattern);
    if (earlier === undefined) first.set(pattern, place);
    else
      add(place, `${word} ${pattern} ${command}`, {
        why: `an earlier line counts: ${earlier.file}:${earlier.line}`,
        suggestion: undefined,
        harmless: false,
      });
  }
}

class Search {
  readonly #host: Host;
  readonly #sources: Sources;
  #names: readonly string[] | undefined;
  #aliased: ReadonlySet<string> | undefined;

  constructor(host: Host, sources: Sources) {
    this.#host = host;
    this.#sources = sources;
  }

  /** Why a rule for a module of this name finds none; undefined when there is one. */
  named(module: ModuleName, place: Place): Reason | undefined {
    const { matcher } = this.#sources;
    if (matcher.dependencies(module) !== undefined || matcher.isBuiltin(module)) return undefined;
    // `blacklist nouveau.ko`, or a whole path
    if (/\.ko(\.\w+)?$|\//.test(module)) {
      const why = "a module's name is wanted here, not a file's";
      return { why, suggestion: moduleNameFromPath(module), harmless: false };
    }
    this.#names ??= [...(this.#sources.tree.indexes.dep?.entries() ?? [])].map(({ key }) => key);
    // Distributions write rules for many kernels; an administrator's file is about this one.
    const vendor = !/\/(etc|run)\/|\/cmdline$/.test(place.file);
    const suggestion = vendor ? undefined : nearestWord(module, this.#names);
    return { why: `there is no module ${module}`, suggestion, harmless: vendor || suggestion === undefined };
  }

  blacklist(module: ModuleName, place: Place): Reason | undefined {
    const missing = this.named(module, place);
    if (missing !== undefined) return missing;
    if (this.#sources.matcher.isBuiltin(module)) {
      return {
        why: `${module} is built into the kernel: no rule keeps it out`,
        suggestion: undefined,
        harmless: false,
      };
    }
    this.#aliased ??= new Set(
      [...(this.#sources.tree.indexes.aliases?.entries() ?? [])].map(({ value }) => value.replaceAll('-', '_')),
    );
    if (this.#aliased.has(module) || this.#sources.config.aliases.some((rule) => rule.module === module))
      return undefined;
    return {
      why: `${module} has no alias, and blacklist counts only for aliases: who asks for it asks by its name`,
      suggestion: undefined,
      harmless: false,
    };
  }

  kernelBlacklist(module: ModuleName, place: Place): Reason | undefined {
    if (module.includes('-')) {
      const meant = module.replaceAll('-', '_');
      return {
        why: "the kernel compares letter for letter, and no module's name has a '-'",
        suggestion: meant,
        harmless: false,
      };
    }
    return this.#sources.matcher.isBuiltin(module)
      ? { why: `${module} is built into the kernel`, suggestion: undefined, harmless: false }
      : this.named(module, place);
  }

  options(module: ModuleName, text: string, place: Place): readonly Reason[] {
    const { matcher } = this.#sources;
    if (matcher.isBuiltin(module)) {
      const why = `${module} is built into the kernel: write ${module}.PARAMETER=VALUE on its command line`;
      return place.file.endsWith('/cmdline') ? [] : [{ why, suggestion: undefined, harmless: false }];
    }
    const found = matcher.dependencies(module);
    if (found === undefined) {
      // Options may be for an alias; and what is on the command line is mostly the kernel's own (`acpi.x=1`).
      const missing =
        place.file.endsWith('/cmdline') || matcher.lookup(module).kind === 'found'
          ? undefined
          : this.named(module, place);
      return missing === undefined ? [] : [missing];
    }
    const file = openModuleFile(found.path.startsWith('/') ? found.path : `${this.#host.moduleDir}/${found.path}`);
    if (file.kind !== 'module') return [];
    try {
      return badParameters(file.modinfo, [{ text, place }]).map(({ name, value, kind, type, suggestion }) => ({
        why:
          kind === 'unknown'
            ? `${moduleNameFromPath(found.path)} has no parameter ${name}`
            : `${value ?? 'nothing'} is no value for ${name}, which is of type ${type ?? 'unknown'}: the kernel refuses the module`,
        suggestion,
        harmless: false,
      }));
    } finally {
      file.close();
    }
  }
}
