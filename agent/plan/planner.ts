/**
 * Plans: what loading one module takes, given the present state of the machine, or what blocks it. The order of the steps is
 * that of sequence.ts.
 */
import type { ModuleName, Place } from '../base/names.ts';
import type { Candidate } from '../match/candidate.ts';
import { FactTable, type FactSources, type Found, type ModuleFacts } from './planned-module.ts';
import type { Blocked, ParamOrigin, Plan, PlannedCommand, Step } from './plan.ts';
import { sequenceOf, type Sequence } from './sequence.ts';

/** The input of a planner. */
export interface PlannerInput extends FactSources {
  /** A module's present state; undefined when it is not loaded. The planner asks again for every plan. */
  state(module: ModuleName): 'live' | 'coming' | 'going' | undefined;
}

/** How to make a plan. The defaults suit a device that needs its driver. */
export interface PlanOptions {
  /** Plan as if no module were loaded, with builtin ones as steps: `modprobe --show-depends`. */
  readonly ignoreLoaded?: boolean;
  /** Ignore the target's own install command and softdeps: `modprobe --ignore-install`. */
  readonly ignoreCommands?: boolean;
  /** Block a target that is already loaded: `modprobe --first-time`. */
  readonly firstTime?: boolean;
  /** Parameters of the target, after the configured ones: `modprobe foo a=1` → `a=1`. */
  readonly extraParams?: string;
}

/** Makes plans, and reuses what it learns about a module. A new tree or configuration needs a new planner. */
export interface Planner {
  /** The plan for one candidate of the lookup of `name`. */
  plan(candidate: Candidate, name: string, options?: PlanOptions): Plan;
}

/** A planner over a tree, a configuration and the kernel's state. */
export function createPlanner(input: PlannerInput): Planner {
  const table = new FactTable(input);
  const sequences = new Map<Found, Sequence>();
  return {
    plan(candidate, name, options = {}) {
      const target = table.ofCandidate(candidate, name);
      const state = target.facts.builtin ? 'builtin' : input.state(target.facts.name);
      if (options.ignoreLoaded !== true && (state === 'live' || state === 'builtin')) {
        return planOfLoaded(target, state, options.firstTime === true);
      }
      const blocked = options.ignoreCommands === true ? blockedWithoutCommand(target.facts) : target.facts.blocked;
      if (blocked.length > 0) return { target: target.facts.name, steps: [], printed: [], blocked, notes: [] };
      let sequence = options.ignoreCommands === true ? undefined : sequences.get(target);
      if (sequence === undefined) {
        sequence = sequenceOf(target, options.ignoreCommands === true);
        if (options.ignoreCommands !== true) sequences.set(target, sequence);
      }
      return planOf(target, sequence, input, options);
    },
  };
}

function planOf(target: Found, sequence: Sequence, input: PlannerInput, options: PlanOptions): Plan {
  const steps: Step[] = [];
  const printed: Step[] = [];
  const extra = options.extraParams !== undefined && options.extraParams !== '' ? options.extraParams : undefined;
  for (const item of sequence.items) {
    const { found } = item;
    const { facts } = found;
    const state = facts.builtin ? 'builtin' : input.state(facts.name);
    if (state === 'builtin' && options.ignoreLoaded !== true) continue;
    const isTarget = found === target;
    const origins = isTarget && extra !== undefined ? [...found.origins, { text: extra }] : found.origins;
    const ignored = facts.hasSoftdeps || (isTarget && options.ignoreCommands === true);
    // All steps have one object shape, even with properties undefined: a boot makes hundreds of plans.
    const step: Step = {
      module: facts.name,
      path: facts.path,
      params: origins.length === 0 ? '' : origins.map(({ text }) => text).join(' '),
      origins,
      why: item.why,
      for: item.for,
      place: item.place,
      required: item.required,
      after: item.after,
      command: facts.install === undefined || ignored ? undefined : commandOf(facts.install, origins),
      state,
    };
    printed.push(step);
    if (item.first) steps.push(step);
  }
  const { notes } = sequence;
  return {
    target: target.facts.name,
    steps,
    printed: printed.length === steps.length ? steps : printed,
    blocked: [],
    notes,
  };
}

function commandOf(
  { command, place }: { command: string; place: Place },
  origins: readonly ParamOrigin[],
): PlannedCommand {
  return { text: command.replaceAll('$CMDLINE_OPTS', () => kmodOptions(origins)), raw: command, place };
}

/**
 * Parameters as kmod prints them and inserts them into commands: with a space after the configured ones even when none from the
 * command line follow: `insmod /x.ko a=1 `.
 */
export function kmodOptions(origins: readonly ParamOrigin[]): string {
  const text = origins.map((origin) => origin.text).join(' ');
  return origins.length > 0 && origins.at(-1)?.place !== undefined ? `${text} ` : text;
}

function planOfLoaded({ facts, origins }: Found, state: 'live' | 'builtin', firstTime: boolean): Plan {
  const target = facts.name;
  if (firstTime) {
    const reason = `${target} is ${state === 'live' ? 'loaded already' : 'built into the kernel'}`;
    const blocked: Blocked = { module: target, kind: 'already-loaded', reason };
    return { target, steps: [], printed: [], blocked: [blocked], notes: [] };
  }
  if (state === 'builtin') return { target, steps: [], printed: [], blocked: [], notes: [] };
  const params = origins.map(({ text }) => text).join(' ');
  const step: Step = {
    module: target,
    path: facts.path,
    params,
    origins,
    why: 'target',
    required: true,
    after: [],
    state,
  };
  return { target, steps: [step], printed: [step], blocked: [], notes: [] };
}

/** With -i an install command cannot replace a missing file. */
function blockedWithoutCommand(facts: ModuleFacts): readonly Blocked[] {
  if (facts.path !== '' || facts.builtin) return facts.blocked;
  return [{ module: facts.name, kind: 'missing-module', reason: `modules.dep has no module ${facts.name}` }];
}
