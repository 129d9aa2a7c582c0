/** The one place that asks match, rules and plan about a name. Changes nothing. */
import { moduleNameFromPath } from '../base/names.ts';
import type { Candidate, Lookup } from '../match/candidate.ts';
import type { Plan, Step, StepState } from '../plan/plan.ts';
import { decide, type Decision } from '../rules/modprobe/decision.ts';
import type { Sources } from './sources.ts';

/** What is to be done about one module that a name stands for. */
export interface Answer {
  readonly decision: Decision;
  /** Undefined for a module that is built in, or that a rule keeps out. */
  readonly plan: Plan | undefined;
}

/**
 * The way of one name through the rooms: match, rules, plan. `byRule`: a `kmod load` rule names it, so `blacklist` counts
 * even for a module's own name. Everything that loads, and everything that tells what would be loaded, asks here.
 */
export function answer(
  { matcher, config, planner }: Sources,
  name: string,
  byRule: boolean,
): { readonly lookup: Lookup; readonly answers: readonly Answer[] } {
  const lookup = matcher.lookup(name);
  if (lookup.kind !== 'found') return { lookup, answers: [] };
  // An install line that only keeps the module out is a rule, not something to run at every boot and report as failed.
  const decisions = decide(config, lookup, { useBlacklist: byRule, commandsThatDoNothing: 'denied' });
  const answers = decisions.map((decision): Answer => {
    const goesOn = decision.kind === 'load' || decision.kind === 'install-command';
    return { decision, plan: goesOn ? planner.plan(decision.candidate, name) : undefined };
  });
  return { lookup, answers };
}

/** What is to be done about a module file given by its path, as insmod goes about it: no rules, no dependencies, the
 * parameters of the command line. */
export function fileAnswer(path: string, params: string, state?: StepState): Answer {
  const module = moduleNameFromPath(path);
  const step: Step = {
    module,
    path,
    params,
    origins: params === '' ? [] : [{ text: params }],
    why: 'target',
    required: true,
    after: [],
    state,
  };
  const candidate: Candidate = { module, source: 'modules.dep', pattern: module, priority: 0 };
  const plan: Plan = { target: module, steps: [step], printed: [step], blocked: [], notes: [] };
  return { decision: { kind: 'load', candidate, reason: '' }, plan };
}
