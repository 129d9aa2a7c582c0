/**
 * Turns one module into the steps that load it, in modprobe's order (libkmod's kmod_module_get_probe_list):
 *
 *     dependencies, deepest first, each between its own softdeps
 *     the module's pre softdeps, each with its dependencies and softdeps
 *     the module
 *     its post softdeps, likewise
 *
 * A module whose turn has begun does not begin again, which breaks softdep cycles. With the target's commands ignored
 * (`modprobe -i`), its softdeps are left out.
 */
import type { ModuleName, Place } from '../base/names.ts';
import type { Candidate } from '../match/candidate.ts';
import { FactTable, type FactSources, type Found, type ModuleFacts } from './planned-module.ts';
import type { Blocked, ParamOrigin, Plan, PlanEdge, PlanNote, PlannedCommand, Step, StepReason } from './plan.ts';

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

/** One position of a module in the order of insertion; the same for every plan that begins at the same module. */
interface Item {
  readonly found: Found;
  readonly why: StepReason;
  readonly for: ModuleName | undefined;
  readonly place: Place | undefined;
  /** No earlier item is of this module. */
  first: boolean;
  required: boolean;
  after: readonly PlanEdge[];
}

interface Sequence {
  /** In kmod's order, duplicates included. */
  readonly items: readonly Item[];
  readonly notes: readonly PlanNote[];
}

/** How deep softdeps of softdeps are followed; only a hostile configuration nests deeper. */
const DEEPEST = 500;

function sequenceOf(target: Found, ignoreCommands: boolean): Sequence {
  const items: Item[] = [];
  const notes: PlanNote[] = [];
  // For each module, the modules that softdeps put before it.
  const softEdges = new Map<ModuleName, Set<ModuleName>>();
  const begun = new Set<Found>();
  const noted = new Set<ModuleFacts>();

  const add = (found: Found, why: StepReason, wanting: ModuleName | undefined, place: Place | undefined) =>
    items.push({ found, why, for: wanting, place, first: true, required: false, after: NO_EDGES });

  let depth = 0;
  const begin = (found: Found, why: StepReason, wanting: ModuleName | undefined, place: Place | undefined) => {
    if (begun.has(found)) return;
    begun.add(found);
    const { facts } = found;
    for (const depend of facts.depends) withSoftdeps(depend, 'depends', facts.name, undefined);
    if (ignoreCommands && found === target) add(found, why, wanting, place);
    else withSoftdeps(found, why, wanting, place);
  };

  const withSoftdeps = (found: Found, why: StepReason, wanting: ModuleName | undefined, place: Place | undefined) => {
    const { facts } = found;
    const rule = facts.softdep;
    if (rule === undefined) {
      add(found, why, wanting, place);
      return;
    }
    if (!noted.has(facts)) {
      noted.add(facts);
      noteSoftdeps(facts, rule.place, notes);
    }
    const soft = (members: readonly Found[], side: 'softdep-pre' | 'softdep-post') => {
      for (const member of members) {
        if (member.facts.blocked.length > 0) continue;
        const [before, after] = side === 'softdep-pre' ? [member.facts, facts] : [facts, member.facts];
        const edges = softEdges.get(after.name);
        if (edges === undefined) softEdges.set(after.name, new Set([before.name]));
        else edges.add(before.name);
        if (depth === DEEPEST) continue;
        depth++;
        begin(member, side, facts.name, rule.place);
        depth--;
      }
    };
    soft(facts.members.pre, 'softdep-pre');
    add(found, why, wanting, place);
    soft(facts.members.post, 'softdep-post');
  };

  begin(target, 'target', undefined, undefined);
  connect(target.facts, items, softEdges);
  return { items, notes };
}

const NO_EDGES: readonly PlanEdge[] = [];

/**
 * Gives each item the edges that its position allows: an edge to a later item would close a softdep cycle. Builtin modules get no
 * edges, because nothing has to wait for them.
 */
function connect(
  target: ModuleFacts,
  items: readonly Item[],
  softEdges: ReadonlyMap<ModuleName, ReadonlySet<ModuleName>>,
): void {
  const firsts = new Map<ModuleName, Item>();
  for (const item of items) {
    const { name, direct } = item.found.facts;
    item.required = item.found.facts === target || target.depends.some(({ facts }) => facts === item.found.facts);
    const first = firsts.get(name);
    if (first !== undefined) {
      item.first = false;
      item.after = first.after;
      continue;
    }
    const soft = softEdges.get(name);
    item.after = direct.every(({ module }) => firsts.has(module))
      ? direct
      : direct.filter(({ module }) => firsts.has(module));
    if (soft !== undefined) item.after = withSoftEdges(item.after, soft, firsts);
    firsts.set(name, item);
  }
}

function withSoftEdges(
  edges: readonly PlanEdge[],
  soft: ReadonlySet<ModuleName>,
  firsts: ReadonlyMap<ModuleName, Item>,
): readonly PlanEdge[] {
  const all = [...edges];
  for (const module of soft) {
    const first = firsts.get(module);
    if (first === undefined || first.found.facts.builtin || edges.some((edge) => edge.module === module)) continue;
    all.push({ module, required: false });
  }
  return all;
}

function noteSoftdeps(facts: ModuleFacts, place: Place, notes: PlanNote[]): void {
  const { name, install, members } = facts;
  if (install !== undefined && facts.hasSoftdeps) {
    const message = `'install ${install.pattern} ${install.command}' has no effect: modprobe ignores it for a module with softdeps`;
    notes.push({ kind: 'install-ignored', module: name, message, place: install.place });
  }
  for (const unknown of members.unknown) {
    notes.push({ kind: 'softdep-unknown', module: name, message: `no module has the name or alias ${unknown}`, place });
  }
  for (const { facts: member } of [...members.pre, ...members.post]) {
    const [blocked] = member.blocked;
    if (blocked === undefined) continue;
    notes.push({
      kind: 'softdep-left-out',
      module: name,
      message: `${member.name} is left out: ${blocked.reason}`,
      place,
    });
  }
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
