/** Configurations: lists of rules. Pure; every rule has its file and line. */
import type { ModuleName, Place } from '../../base/names.ts';
import type { Problem } from '../../base/problem.ts';

/**
 * The lists of a configuration and what each holds; directives.ts has a row for each.
 *
 * First match wins for install, remove, softdep and weakdep (whatever the manual says); alias, options and blacklist add up.
 */
export interface RuleTypes {
  readonly blacklists: BlacklistRule;
  /**
   * Names after the kernel's own `module_blacklist=`, as written: the kernel refuses them with EPERM, no matter who asks. It
   * compares letter for letter, so a name with '-' never takes effect.
   */
  readonly kernelBlacklists: BlacklistRule;
  readonly installs: CommandRule;
  readonly removes: CommandRule;
  readonly aliases: AliasRule;
  readonly options: OptionsRule;
  readonly softdeps: SoftdepRule;
  readonly weakdeps: WeakdepRule;
}

/** The name of a list of rules: `blacklists`. */
export type RuleList = keyof RuleTypes;

/** The rules of each list, in the order in which they count. */
export type RuleLists = { readonly [List in RuleList]: ReadonlyArray<RuleTypes[List]> };

/**
 * The administrator's rules, merged from modprobe.d, modules.softdep, modules.weakdep and the kernel command line, each
 * with its place. Order is kmod's: files by name, lines as written, the kernel command line last.
 */
export interface Config extends RuleLists {
  readonly problems: readonly Problem[];
}

/** `alias PATTERN MODULE`; both words normalised. */
export interface AliasRule {
  readonly pattern: string;
  readonly module: ModuleName;
  readonly place: Place;
}
/** `blacklist MODULE`, or one element of `modprobe.blacklist=` (then `place.file` is the command line's file, line 1). */
export interface BlacklistRule {
  readonly module: ModuleName;
  /** The element of `modprobe.blacklist=` as it stands there, if normalising changed it: kmod compares with this. */
  readonly verbatim?: string;
  readonly place: Place;
}
/** `install NAME COMMAND…` or `remove NAME COMMAND…`; NAME may be a wildcard, COMMAND is the raw rest of the line. */
export interface CommandRule {
  readonly pattern: string;
  readonly command: string;
  readonly place: Place;
}
/** `options MODULE-or-alias a=1 b=2`; `text` is the rest of the line with TABs turned into blanks. */
export interface OptionsRule {
  readonly module: ModuleName;
  readonly text: string;
  readonly place: Place;
}
/** `softdep NAME pre: a b post: c`; NAME may be a wildcard, members keep their spelling. */
export interface SoftdepRule {
  readonly pattern: string;
  readonly pre: readonly string[];
  readonly post: readonly string[];
  readonly place: Place;
}
/** `weakdep NAME a b`: what an image builder may include; never loads anything. */
export interface WeakdepRule {
  readonly pattern: string;
  readonly members: readonly string[];
  readonly place: Place;
}

/** Lists that grow; what parsers write to. */
export type GrowingLists = { readonly [List in RuleList]: Array<RuleTypes[List]> };

/** A Config that grows. */
export interface GrowingConfig extends GrowingLists {
  readonly problems: Problem[];
}

/** A configuration without a rule. */
export function emptyConfig(): GrowingConfig {
  return {
    blacklists: [],
    kernelBlacklists: [],
    installs: [],
    removes: [],
    aliases: [],
    options: [],
    softdeps: [],
    weakdeps: [],
    problems: [],
  };
}

/** What the rules make of a module that is asked for; decision.ts explains each. */
export type DecisionKind = 'load' | 'builtin' | 'install-command' | 'blacklisted' | 'kernel-blacklisted' | 'denied';
