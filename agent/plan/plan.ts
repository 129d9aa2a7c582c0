/** Plans: steps in order, or what blocks them. Pure. */
import type { ModuleName, Place } from '../base/names.ts';

/** What to do for one requested module: the steps, or the reasons that block it. Never both for the module itself. */
export interface Plan {
  readonly target: ModuleName;
  /** Each module once, after everything it needs; empty when the target is blocked. */
  readonly steps: readonly Step[];
  /**
   * The steps as `modprobe --show-depends` prints them. kmod names a module twice when both a dependency and a softdep need it.
   * (A second insertion finds the module loaded.)
   */
  readonly printed: readonly Step[];
  /** Why the target cannot be loaded; empty when no reason is known. */
  readonly blocked: readonly Blocked[];
  /** Warnings; none of them blocks the plan. */
  readonly notes: readonly PlanNote[];
}

/** Why a module is in a plan. */
export type StepReason = 'target' | 'depends' | 'softdep-pre' | 'softdep-post';

/** One module's insertion, or the command that replaces it. */
export interface Step {
  readonly module: ModuleName;
  /** The file, absolute: `/lib/modules/6.1.0/kernel/net/mii.ko`; '' for a builtin, or a name that only an `install` line has. */
  readonly path: string;
  /** Its parameters, as passed to the kernel: `power_save=1 model=auto`; '' when there are none. */
  readonly params: string;
  /** The source of each part of `params`, in order. */
  readonly origins: readonly ParamOrigin[];
  readonly why: StepReason;
  /** The module that needs it or names it as a softdep; the target itself has none. */
  readonly for?: ModuleName | undefined;
  /** The softdep line. */
  readonly place?: Place | undefined;
  /** True for the target and all its dependencies: if one of them fails, the plan fails. Modules that softdeps add may fail. */
  readonly required: boolean;
  /** The steps of this plan that must run before it. Steps without a path between them may run at the same time. */
  readonly after: readonly PlanEdge[];
  /** Runs instead of the insertion: the command of an `install` line, with $CMDLINE_OPTS replaced, for `sh -c`. */
  readonly command?: PlannedCommand | undefined;
  /**
   * The module's present state. `live` and `builtin` modules need no insertion (a plan has builtin ones only with
   * `ignoreLoaded`). A `coming` module is inserted again, and the kernel waits for the first insertion.
   */
  readonly state?: StepState | undefined;
}

/** What the kernel says of a module; one that is not loaded has no state. */
export type StepState = 'live' | 'coming' | 'going' | 'builtin';

/** `module` is tried first; `required`: it must also have succeeded. */
export interface PlanEdge {
  readonly module: ModuleName;
  readonly required: boolean;
}

/** `power_save=1` from /etc/modprobe.d/a.conf:3; without a place, from modprobe's command line. */
export interface ParamOrigin {
  readonly text: string;
  readonly place?: Place;
}

/** A shell command that stands in for an insertion or a removal, and the line that says so. */
export interface PlannedCommand {
  readonly text: string;
  /** The command as written in the file. */
  readonly raw: string;
  readonly place: Place;
}

/**
 * - `missing-module`: no line of modules.dep and no `install` line has this name (an `alias` line leads to a module that does not
 *   exist).
 * - `cycle`: according to modules.dep, it needs itself.
 * - `kernel-blacklisted`: `module_blacklist=` names it, so the kernel will refuse it.
 * - `already-loaded`: only with `firstTime`.
 */
export type BlockedKind = 'missing-module' | 'cycle' | 'kernel-blacklisted' | 'already-loaded';

/** Why there is no plan, and which module stands in the way. */
export interface Blocked {
  /** The target, or the module it depends on that cannot be loaded. */
  readonly module: ModuleName;
  readonly kind: BlockedKind;
  readonly reason: string;
  readonly place?: Place;
}

/**
 * - `install-ignored`: modprobe ignores the `install` line of a module that has softdeps (kmod#446), and so does plugd.
 * - `softdep-unknown`: no module has the name or alias in a softdep line.
 * - `softdep-left-out`: a module in a softdep line cannot be loaded, for the given reason.
 */
export interface PlanNote {
  readonly kind: 'install-ignored' | 'softdep-unknown' | 'softdep-left-out';
  readonly module: ModuleName;
  readonly message: string;
  readonly place: Place;
}
