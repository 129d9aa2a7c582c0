/**
 * Plans what `modprobe -r` removes, and in which order (rmmod_do_module in kmod's tools/modprobe.c):
 *
 *     the module's post softdeps, last first
 *     with `removeHolders`: the modules that hold it
 *     the module, unless something uses it
 *     each of its dependencies that nothing else uses
 *     its pre softdeps, last first
 *
 * A `remove` command replaces the removal of the module and of its dependencies, and runs even if the module is not loaded.
 * kmod does not remember which modules it is working on, and recurses until it crashes on two modules that are each other's
 * softdep. Here a module whose turn has begun does not begin again.
 */
import type { ModuleName } from '../base/names.ts';
import type { Candidate } from '../match/candidate.ts';
import type { CommandRule } from '../rules/modprobe/config.ts';
import { FactTable, type FactSources, type Found } from './planned-module.ts';
import type { PlannedCommand } from './plan.ts';

/** The input of a removal planner. */
export interface RemovalInput extends FactSources {
  /** A module's present state; undefined when it is not loaded. */
  state(module: ModuleName): 'live' | 'coming' | 'going' | undefined;
  /** /sys/module/NAME/refcnt; undefined where there is none. */
  refcount(module: ModuleName): number | undefined;
  /** The names in /sys/module/NAME/holders, in the directory's own order. */
  holders(module: ModuleName): readonly ModuleName[];
}

/** How to plan a removal. */
export interface RemovalOptions {
  /** `--remove-holders`. */
  readonly removeHolders?: boolean;
  /** `--ignore-remove`: ignore commands and softdeps of all modules of the plan. */
  readonly ignoreCommands?: boolean;
  /** `--show-depends`: plan as if every module were loaded and none in use. */
  readonly ignoreLoaded?: boolean;
  /** `--first-time`: refuse a module that is not loaded. */
  readonly firstTime?: boolean;
  /** `--wait`: try a module in use anyway; it may be free by then. */
  readonly wait?: boolean;
  /** Continue after a refusal (`-a` and `-q`); without it, the first refusal is the last step. */
  readonly goOn?: boolean;
  /** Keep today's reference counts, as `modprobe -r -n` does; without it, they fall with each removed holder. */
  readonly countsStay?: boolean;
}

export type RemovalReason = 'target' | 'holder' | 'unused' | 'softdep-pre' | 'softdep-post';

/** The properties that every step has. */
interface RemovalBase {
  readonly module: ModuleName;
  readonly why: RemovalReason;
  /** The module whose removal brought this one; absent for the target. */
  readonly for?: ModuleName;
  /** If it fails, the plan fails; the failure of any other step is ignored. */
  readonly required: boolean;
  /** Index of the step to continue with when this one fails; `steps.length` for none. */
  readonly otherwise: number;
}

export type RemovalStep =
  | (RemovalBase & { readonly kind: 'remove' })
  | (RemovalBase & { readonly kind: 'command'; readonly command: PlannedCommand })
  | (RemovalBase & { readonly kind: 'refused'; readonly because: 'builtin' | 'not-loaded' })
  | (RemovalBase & {
      readonly kind: 'refused';
      readonly because: 'in-use';
      readonly refcount: number;
      readonly holders: readonly ModuleName[];
    });

export interface RemovalPlan {
  readonly target: ModuleName;
  /** Empty when there is nothing to do. */
  readonly steps: readonly RemovalStep[];
}

/** Makes removal plans over a tree, a configuration and the kernel's state. */
export interface RemovalPlanner {
  /** The plan for one candidate of the lookup of `name`. */
  plan(candidate: Candidate, name: string, options?: RemovalOptions): RemovalPlan;
}

/** A planner of removals. All plans share its knowledge of tree and configuration; it asks the kernel again for each. */
export function createRemovalPlanner(input: RemovalInput): RemovalPlanner {
  const table = new FactTable(input);
  return {
    plan(candidate, name, options = {}) {
      const target = table.ofCandidate(candidate, name);
      const removal = new Removal(table, input, options);
      removal.module(target, 'target', undefined);
      return { target: target.facts.name, steps: removal.steps };
    },
  };
}

/** Stands for an `otherwise` that is not known yet. */
const OPEN = -1;

type Writable<T> = T extends unknown ? { -readonly [Key in keyof T]: T[Key] } : never;

class Removal {
  readonly steps: Array<Writable<RemovalStep>> = [];
  readonly #table: FactTable;
  readonly #input: RemovalInput;
  readonly #options: RemovalOptions;
  readonly #begun = new Set<ModuleName>();
  /** Begun, but not removed yet. */
  readonly #pending = new Set<ModuleName>();
  readonly #removed = new Set<ModuleName>();
  /** A refusal has ended the plan. */
  #over = false;

  constructor(table: FactTable, input: RemovalInput, options: RemovalOptions) {
    this.#table = table;
    this.#input = input;
    this.#options = options;
  }

  /** Plans one module and everything that goes with it; false when it, or a module that must go before it, is refused. */
  module(found: Found, why: RemovalReason, wanting: ModuleName | undefined): boolean {
    const { name } = found.facts;
    if (this.#begun.has(name) || this.#removed.has(name)) return true;
    this.#begun.add(name);
    this.#pending.add(name);
    const from = this.steps.length;
    const fine = this.#part(found, {
      module: name,
      why,
      ...(wanting === undefined ? {} : { for: wanting }),
      required: why === 'target' || why === 'holder',
      otherwise: OPEN,
    });
    this.#pending.delete(name);
    // A holder's failure ends the turn of the module it holds, whose end is not known yet.
    if (why !== 'holder') {
      for (let at = from; at < this.steps.length; at++) {
        const step = this.steps[at];
        if (step?.otherwise === OPEN) step.otherwise = this.steps.length;
      }
    }
    return fine && !this.#over;
  }

  #part(found: Found, base: RemovalBase): boolean {
    const { facts } = found;
    const { ignoreCommands, ignoreLoaded, removeHolders, wait } = this.#options;
    const rule = ignoreCommands === true ? undefined : this.#table.rules.first('removes', facts.name);
    const members = ignoreCommands === true ? { pre: [], post: [] } : facts.members;
    const asIs = rule !== undefined || ignoreLoaded === true;
    if (!asIs && facts.builtin) {
      return base.why === 'target' ? this.#refuse({ ...base, kind: 'refused', because: 'builtin' }) : true;
    }
    if (!asIs && this.#input.state(facts.name) === undefined) {
      return this.#options.firstTime === true
        ? this.#refuse({ ...base, kind: 'refused', because: 'not-loaded' })
        : true;
    }
    this.#softdeps(members.post, 'softdep-post', facts.name);
    if (removeHolders === true && base.why === 'target') {
      for (const holder of this.#input.holders(facts.name).toReversed()) {
        if (this.#over || !this.module(this.#table.found(holder), 'holder', facts.name)) return false;
      }
    }
    if (this.#over) return false;
    const refcount = asIs || wait === true ? 0 : (this.#refcount(facts.name) ?? 0);
    if (refcount > 0) {
      const holders = this.#holders(facts.name);
      return this.#refuse({ ...base, kind: 'refused', because: 'in-use', refcount, holders });
    }
    if (rule === undefined) {
      this.#remove({ ...base, kind: 'remove' });
      for (const { facts: depend } of facts.depends) {
        if (this.#pending.has(depend.name) || this.#removed.has(depend.name)) continue;
        if (this.#refcount(depend.name) !== 0) continue;
        const otherwise = this.steps.length + 1;
        this.#remove({
          kind: 'remove',
          module: depend.name,
          why: 'unused',
          for: facts.name,
          required: false,
          otherwise,
        });
      }
    } else {
      this.#remove({ ...base, kind: 'command', command: commandOf(rule) });
    }
    this.#softdeps(members.pre, 'softdep-pre', facts.name);
    return true;
  }

  #softdeps(members: readonly Found[], why: 'softdep-pre' | 'softdep-post', wanting: ModuleName): void {
    for (const member of members.toReversed()) if (!this.#over) this.module(member, why, wanting);
  }

  #remove(step: RemovalStep): void {
    this.steps.push(step);
    if (step.kind === 'remove') this.#removed.add(step.module);
  }

  #refuse(step: RemovalStep): false {
    this.steps.push(step);
    this.#over = this.#options.goOn !== true;
    return false;
  }

  #holders(module: ModuleName): readonly ModuleName[] {
    const holders = this.#input.holders(module);
    return this.#options.countsStay === true ? holders : holders.filter((holder) => !this.#removed.has(holder));
  }

  /** The count at this point of the plan: each removed holder lowers it by one. */
  #refcount(module: ModuleName): number | undefined {
    const refcount = this.#input.refcount(module);
    if (refcount === undefined || this.#options.countsStay === true) return refcount;
    return refcount - (this.#input.holders(module).length - this.#holders(module).length);
  }
}

/** A removal has no options, so $CMDLINE_OPTS is empty. */
function commandOf({ command, place }: CommandRule): PlannedCommand {
  return { text: command.replaceAll('$CMDLINE_OPTS', ''), raw: command, place };
}
