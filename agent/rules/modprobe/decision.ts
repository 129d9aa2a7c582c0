/** What the administrator's rules decide about a candidate. Pure. */
import { lookupKey, type Place } from '../../base/names.ts';
import type { Candidate } from '../../match/candidate.ts';
import type { Config, DecisionKind } from './config.ts';
import { ruleIndex } from './rule-index.ts';

/**
 * Whether a candidate may be loaded, and what decided.
 *
 * - `load`: nothing stands against it.
 * - `builtin`: it is part of the kernel; there is nothing to do.
 * - `blacklisted`: a `blacklist` line or `modprobe.blacklist=`. Devices do not get it by their alias; it is
 *   still loaded for a module that depends on it, or by name.
 * - `kernel-blacklisted`: `module_blacklist=`; the kernel would refuse it.
 * - `install-command`: an `install` line stands in for its insertion; the planner has the command.
 * - `denied`: an `install` line whose command does nothing (`/bin/false`): a way to say never. Only with
 *   `commandsThatDoNothing: 'denied'`; modprobe runs such a command like any other.
 */
export interface Decision {
  readonly kind: DecisionKind;
  readonly candidate: Candidate;
  /** A sentence part: `blacklist nouveau`; '' for `load`. */
  readonly reason: string;
  /** The rule that decided; absent for `load` and `builtin`. */
  readonly place?: Place;
}

/** The decisions by which a rule keeps a module out. */
export type KeptOut = 'blacklisted' | 'kernel-blacklisted' | 'denied';

/** Whether a decision keeps its module out: it is neither built in, nor loaded, nor replaced by a command that runs. */
export function isKeptOut(kind: Decision['kind']): kind is KeptOut {
  return kind === 'blacklisted' || kind === 'kernel-blacklisted' || kind === 'denied';
}

export interface DecisionOptions {
  /**
   * `blacklist` also counts for a module that was named by its own name: `modprobe -b`, and what udev's `kmod load NAME`
   * does. Without it only those reached through an alias are kept out.
   */
  readonly useBlacklist?: boolean;
  /** What an `install` line with a command such as `/bin/false` is: a rule that says never, or, when absent, a command to run. */
  readonly commandsThatDoNothing?: 'denied';
}

/**
 * One decision for each candidate, in their order. As in kmod, `blacklist` compares whole names, and only the module that
 * was asked for: not those it needs.
 */
export function decide(
  config: Config,
  { candidates }: { readonly candidates: readonly Candidate[] },
  options: DecisionOptions = {},
): readonly Decision[] {
  const rules = ruleIndex(config);
  return candidates.map((candidate): Decision => {
    const { module, source } = candidate;
    if (source === 'modules.builtin' || source === 'builtin-alias') {
      return { kind: 'builtin', candidate, reason: `${module} is built into the kernel` };
    }
    const blacklist = rules.first('blacklists', module);
    if (blacklist !== undefined && (options.useBlacklist === true || isThroughAlias(candidate))) {
      return { kind: 'blacklisted', candidate, reason: `blacklist ${module}`, place: blacklist.place };
    }
    const install = rules.first('installs', module);
    const softdep = install === undefined ? undefined : rules.first('softdeps', module);
    if (install !== undefined && (softdep === undefined || softdep.pre.length + softdep.post.length === 0)) {
      const { pattern, command, place } = install;
      if (options.commandsThatDoNothing === 'denied' && doesNothing(command))
        return { kind: 'denied', candidate, reason: `install ${pattern} ${command.trim()}`, place };
      return { kind: 'install-command', candidate, reason: `install ${pattern}`, place };
    }
    const kernel = rules.first('kernelBlacklists', module);
    if (kernel !== undefined) {
      return { kind: 'kernel-blacklisted', candidate, reason: `module_blacklist=${module}`, place: kernel.place };
    }
    return { kind: 'load', candidate, reason: '' };
  });
}

/** Whether a candidate was found by something other than its own name; kmod remembers the alias then. */
export function isThroughAlias({ source }: Candidate): boolean {
  return (
    source === 'config-alias' ||
    source === 'modules.alias' ||
    source === 'modules.symbols' ||
    source === 'builtin-alias'
  );
}

/**
 * The alias by which `name` led to a candidate, which `options` lines may name instead of the module; undefined for its own
 * name. kmod remembers the pattern of an `alias` line, and of the tree's aliases what was asked for.
 */
export function aliasOf(candidate: Candidate, name: string): string | undefined {
  if (!isThroughAlias(candidate)) return undefined;
  return candidate.source === 'config-alias' ? candidate.pattern : lookupKey(name);
}

/** Commands that stand in for an insertion and do nothing: people's way to say never. */
const NOTHING = /^(\/usr)?(\/s?bin\/)?(false|true|:)\s*(#.*)?$/;

/** Whether an install command keeps the module out and does nothing else: `/bin/false`, `/bin/true`, `:`. */
export function doesNothing(command: string): boolean {
  return NOTHING.test(command.trim());
}
