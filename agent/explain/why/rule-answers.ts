/** What modprobe.d and the kernel command line say to one way of loading a module. No I/O. */
import type { ModuleName } from '../../base/names.ts';
import type { Sources } from '../../load/sources.ts';
import type { Candidate, CandidateSource } from '../../match/candidate.ts';
import type { WayIn } from '../../records/reasons.ts';
import type { Config } from '../../rules/modprobe/config.ts';
import { decide, doesNothing } from '../../rules/modprobe/decision.ts';
import { DIRECTIVES } from '../../rules/modprobe/directives.ts';
import { redirectionOfAll } from '../../rules/modprobe/redirection.ts';
import { ruleIndex } from '../../rules/modprobe/rule-index.ts';

/** A way's answer, without its name. */
export type WayAnswer = Omit<WayIn, 'way'>;

/** For a module that was found through `source`. With `useBlacklist`, `blacklist` also counts for its own name. */
export function answerFor(
  config: Config,
  module: ModuleName,
  source: CandidateSource,
  useBlacklist: boolean,
): WayAnswer {
  const [decision] = decide(
    config,
    { candidates: [{ module, source, pattern: module, priority: 0 }] },
    { useBlacklist },
  );
  if (decision?.kind === 'install-command') return command(config, module);
  if (decision === undefined || decision.kind === 'builtin' || decision.kind === 'load') {
    const idle = ruleIndex(config).first('blacklists', module) !== undefined;
    return { answer: 'allowed', because: idle ? 'blacklist does not count here' : '' };
  }
  return { answer: 'blocked', because: decision.reason, place: decision.place };
}

/** What decides about names: the rules, and whether the module that an `alias` line leads to exists. */
export interface NameRules {
  readonly config: Config;
  readonly has: (module: ModuleName) => boolean;
}

/**
 * For names that lead to the module, if no `alias` line leads them elsewhere: `names` may be patterns. Otherwise as `found`.
 */
export function answerByNames(
  { config, has }: NameRules,
  module: ModuleName,
  names: readonly string[],
  found: WayAnswer,
): WayAnswer {
  const { kind, rules } = redirectionOfAll(config, names, module);
  const rule = rules.find((each) => has(each.module)) ?? rules[0];
  if (rule === undefined || (kind === 'some' && found.answer !== 'allowed')) return found;
  const instead = has(rule.module) ? `${rule.module} is loaded instead` : 'nothing is loaded';
  const because = `${DIRECTIVES.aliases.text(rule)}: ${instead}`;
  return kind === 'all'
    ? { answer: 'blocked', because, place: rule.place }
    : { answer: 'allowed', because: `but not by all of its aliases: ${because}`, place: rule.place };
}

/** The candidate for a module in a name's lookup; undefined when the name leads elsewhere, or nowhere. */
export function candidateOf(
  { matcher }: Pick<Sources, 'matcher'>,
  name: string,
  module: ModuleName,
): Candidate | undefined {
  const lookup = matcher.lookup(name);
  return lookup.kind === 'found' ? lookup.candidates.find((candidate) => candidate.module === module) : undefined;
}

/** As a dependency, or a softdep: a module's own install line counts, its blacklist does not. */
export function answerAsDependency(config: Config, module: ModuleName): WayAnswer {
  const kernel = answerOfKernel(config, module);
  if (kernel.answer === 'blocked') return kernel;
  const rules = ruleIndex(config);
  const softdep = rules.first('softdeps', module);
  if (rules.first('installs', module) !== undefined && (softdep?.pre.length ?? 0) + (softdep?.post.length ?? 0) === 0)
    return command(config, module);
  const idle = rules.first('blacklists', module) !== undefined;
  return { answer: 'allowed', because: idle ? 'blacklist does not count here' : '' };
}

/** For ways that ask only the kernel, such as insmod. */
export function answerOfKernel(config: Config, module: ModuleName): WayAnswer {
  const rule = ruleIndex(config).first('kernelBlacklists', module);
  return rule === undefined
    ? { answer: 'allowed', because: '' }
    : { answer: 'blocked', because: DIRECTIVES.kernelBlacklists.text(rule), place: rule.place };
}

function command(config: Config, module: ModuleName): WayAnswer {
  const rule = ruleIndex(config).first('installs', module);
  if (rule === undefined) return { answer: 'allowed', because: '' };
  const text = DIRECTIVES.installs.text(rule);
  return { answer: doesNothing(rule.command) ? 'blocked' : 'command', because: text, place: rule.place };
}
