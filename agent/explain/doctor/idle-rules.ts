/** Rules that parse but change nothing, or not what was meant. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleFile, moduleName, moduleNameFromPath, type ModuleName, type Place } from '../../base/names.ts';
import { placeText } from '../../base/words.ts';
import { badParameters } from '../../diagnosis/parameters.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import type { Sources } from '../../load/sources.ts';
import { isGlob } from '../../rules/glob.ts';
import { programsOf } from '../../rules/modprobe/command-programs.ts';
import type { CommandRule, OptionsRule, RuleList, RuleTypes } from '../../rules/modprobe/config.ts';
import { doesNothing } from '../../rules/modprobe/decision.ts';
import { DIRECTIVES, RULE_LISTS } from '../../rules/modprobe/directives.ts';
import type { IdleRule } from './health.ts';
import { idleBootLists } from './idle-boot-lists.ts';
import { idleFiles } from './idle-files.ts';
import { isVendors, KnownNames } from './known-names.ts';

/**
 * Rules that parse but change nothing, or not what was meant: names that no module has, parameters that no module takes, wildcards in
 * the wrong place, commands that do not exist.
 */
export function idleRules(host: Host, sources: Sources): readonly IdleRule[] {
  const context: Context = { host, sources, names: new KnownNames(host, sources) };
  return [
    ...RULE_LISTS.flatMap((list) => idleIn(list, sources.config[list], context)),
    ...idleFiles(host),
    ...idleBootLists(host, context.names),
  ];
}

/** What rules are compared with. */
interface Context {
  readonly host: Host;
  readonly sources: Sources;
  readonly names: KnownNames;
}

/** Why a rule changes nothing, and what may have been meant. */
type Reason = Pick<IdleRule, 'why' | 'suggestion' | 'harmless'>;

const reason = (why: string, suggestion?: string, harmless = false): Reason => ({ why, suggestion, harmless });

function idleIn<List extends RuleList>(
  list: List,
  rules: ReadonlyArray<RuleTypes[List]>,
  context: Context,
): readonly IdleRule[] {
  const { text } = DIRECTIVES[list];
  // depmod's own files come from what modules say.
  const own = rules.filter(({ place }) => !place.file.startsWith(`${context.host.moduleDir}/`));
  const repeated = repeatedIn(list, own);
  return own.flatMap((rule) => {
    const reasons = repeated.get(rule) ?? wildcards(list, rule, context) ?? CHECKS[list]?.(rule, context) ?? [];
    return reasons.map((found) => ({ place: rule.place, text: text(rule), ...found }));
  });
}

/** For lists where the first of several lines about a name counts: the others. (A second `blacklist` line does no harm.) */
function repeatedIn<List extends RuleList>(
  list: List,
  rules: ReadonlyArray<RuleTypes[List]>,
): ReadonlyMap<RuleTypes[List], readonly Reason[]> {
  const { about, counts, wildcards: patterns } = DIRECTIVES[list];
  const repeated = new Map<RuleTypes[List], readonly Reason[]>();
  if (counts === 'all' || !patterns) return repeated;
  const first = new Map<string, Place>();
  for (const rule of rules) {
    const earlier = first.get(about(rule));
    if (earlier === undefined) first.set(about(rule), rule.place);
    else repeated.set(rule, [reason(`an earlier line counts: ${placeText(earlier)}`)]);
  }
  return repeated;
}

/** Wildcards in the wrong place, or without a match; undefined when there is no wildcard, or it may match. */
function wildcards<List extends RuleList>(
  list: List,
  rule: RuleTypes[List],
  { sources, names }: Context,
): readonly Reason[] | undefined {
  const { name, about, wildcards: patterns, matches } = DIRECTIVES[list];
  const pattern = about(rule);
  if (!isGlob(pattern) || isOnCommandLine(rule.place, list)) return undefined;
  if (matches === 'name') return undefined;
  if (patterns) {
    if (pattern.includes(':'))
      return [reason(`${name} is about names of modules: a pattern for aliases matches none of them`)];
    return names.matchesModule(pattern) ? undefined : [reason(`no module's name matches ${pattern}`, undefined, true)];
  }
  // `options` may name the pattern of an `alias` line.
  if (matches === 'either' && sources.config.aliases.some((alias) => alias.pattern === pattern)) return undefined;
  const instead = pattern.includes(':') ? `alias ${pattern} off` : `install ${pattern} /bin/false`;
  return [reason(`${name} takes no wildcards: it names one module`, matches === 'module' ? instead : undefined)];
}

/** Command line parameters are mostly the kernel's own (`acpi.x=1`, `*.dyndbg=+p`). */
function isOnCommandLine(place: Place, list: RuleList): boolean {
  return list === 'options' && place.file.endsWith('/cmdline');
}

/** What each list is checked for, beside what the table says. */
const CHECKS: {
  readonly [List in RuleList]?: (rule: RuleTypes[List], context: Context) => readonly Reason[];
} = {
  blacklists: ({ module, place }, { names }) => {
    const missing = named(module, place, names);
    if (missing.length > 0) return missing;
    if (names.isBuiltin(module)) return [reason(`${module} is built into the kernel: no rule keeps it out`)];
    const why = `${module} has no alias, and blacklist counts only for aliases: requests for it use its name`;
    return names.hasAlias(module) ? [] : [reason(why)];
  },
  kernelBlacklists: ({ module, place }, { names }) => {
    if (module.includes('-')) {
      const why = "the kernel compares letter for letter, and no module's name has a '-'";
      return [reason(why, module.replaceAll('-', '_'))];
    }
    return names.isBuiltin(module) ? [reason(`${module} is built into the kernel`)] : named(module, place, names);
  },
  aliases: ({ module, pattern, place }, { names }) => {
    // `alias x off` is an old way to say that nothing should load for x.
    if (module === 'off') return [];
    const missing = named(module, place, names);
    // A line to a missing module blocks what it matches, perhaps on purpose; but not when the name is nearly right.
    return missing.some(({ suggestion }) => suggestion !== undefined) || !names.isAnything(pattern) ? missing : [];
  },
  options: (rule, context) => parameters(rule, context),
  softdeps: ({ pattern, place, pre, post }, { names }) => {
    if (pre.length + post.length === 0)
      return [reason('it names nothing: the words are pre: and post:, each with its colon')];
    const members = [...pre, ...post].filter((member) => names.moduleOf(member) === undefined);
    return [
      ...(isGlob(pattern) ? [] : named(pattern as ModuleName, place, names)),
      ...members.flatMap((member) => named(moduleName(member), place, names)),
    ];
  },
  installs: (rule, { names }) => commands(rule, names),
  removes: (rule, { names }) => commands(rule, names),
};

/** Why a rule for a module of this name finds none; empty when there is one. */
function named(module: ModuleName, place: Place, names: KnownNames): readonly Reason[] {
  if (names.isModule(module)) return [];
  // `blacklist nouveau.ko`, or a whole path
  if (/\.ko(\.\w+)?$|\//.test(module))
    return [reason("a module's name is wanted here, not a file's", moduleNameFromPath(module))];
  const meant = names.moduleOf(module);
  if (meant !== undefined) return [reason(`${module} is an alias, and the name of a module is wanted here`, meant)];
  const vendor = isVendors(place);
  const suggestion = vendor ? undefined : names.near(module);
  return [reason(`there is no module ${module}`, suggestion, vendor || suggestion === undefined)];
}

/** A missing command makes every load fail; a way to say never is useless if the name is nearly right. */
function commands({ pattern, command, place }: CommandRule, names: KnownNames): readonly Reason[] {
  const missing = doesNothing(command) ? [] : programsOf(command).filter((program) => !names.isProgram(program));
  const near = isGlob(pattern) || !doesNothing(command) ? [] : named(pattern as ModuleName, place, names);
  return [
    ...missing.map((program) =>
      reason(`there is no command ${program}, so it always fails`, names.nearProgram(program)),
    ),
    // The kernel may request a name that is not a module: `install sound-slot-0 /bin/true`.
    ...near.filter(({ suggestion }) => suggestion !== undefined && names.moduleOf(pattern) === undefined),
  ];
}

function parameters({ module, text, place }: OptionsRule, { host, sources, names }: Context): readonly Reason[] {
  const { matcher } = sources;
  const commandLine = place.file.endsWith('/cmdline');
  if (names.isBuiltin(module)) {
    const instead = `write ${module}.PARAMETER=VALUE on its command line`;
    return commandLine ? [] : [reason(`${module} is built into the kernel: ${instead}`)];
  }
  const found = matcher.dependencies(module);
  // Options may be for an alias.
  if (found === undefined)
    return commandLine || matcher.lookup(module).kind === 'found' ? [] : named(module, place, names);
  const file = openModuleFile(host.root, moduleFile(host, found.path));
  if (file.kind !== 'module') return [];
  try {
    return badParameters(file.modinfo, [{ text, place }]).map(({ name, value, kind, type, suggestion }) => {
      const no = `${value ?? 'nothing'} is no value for ${name}, which is of type ${type ?? 'unknown'}`;
      return reason(
        kind === 'unknown' ? `${module} has no parameter ${name}` : `${no}: the kernel refuses the module`,
        suggestion,
      );
    });
  } finally {
    file.close();
  }
}
