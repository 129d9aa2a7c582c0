/**
 * The order of insertion of one module and all that it needs, as modprobe has it (libkmod's kmod_module_get_probe_list):
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
import type { PlanEdge, PlanNote, StepReason } from './plan.ts';
import type { Found, ModuleFacts } from './planned-module.ts';

/** One position of a module in the order of insertion; the same for every plan that begins at the same module. */
export interface Item {
  readonly found: Found;
  readonly why: StepReason;
  readonly for: ModuleName | undefined;
  readonly place: Place | undefined;
  /** No earlier item is of this module. */
  first: boolean;
  required: boolean;
  after: readonly PlanEdge[];
}

/** The order of insertion that begins at one module, whatever is loaded. */
export interface Sequence {
  /** In kmod's order, duplicates included. */
  readonly items: readonly Item[];
  readonly notes: readonly PlanNote[];
}

/** How deep softdeps of softdeps are followed; only a hostile configuration nests deeper. */
const DEEPEST = 500;

/**
 * The order in which a module and what it needs are inserted. `ignoreCommands` leaves out the softdeps of the target itself.
 */
export function sequenceOf(target: Found, ignoreCommands: boolean): Sequence {
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
