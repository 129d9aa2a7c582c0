import type { ModuleName, Place } from '../base/names.ts';

/** What to do for one module that was asked for: steps, and what stands in the way. Never both for the module itself. */
export interface Plan {
  readonly target: ModuleName;
  /** Each module once, in an order in which each comes after everything it needs; empty when the target is blocked. */
  readonly steps: readonly Step[];
  /**
   * The steps as `modprobe --show-depends` prints them: kmod names a module twice when it is needed both as a dependency
   * and by a softdep. (A second insertion finds the module loaded.)
   */
  readonly printed: readonly Step[];
  /** Why the target cannot be loaded; empty when nothing is known to stand in the way. */
  readonly blocked: readonly Blocked[];
  /** What is worth a warning and stops nothing. */
  readonly notes: readonly PlanNote[];
}

/** Why a module is in a plan. */
export type StepReason = 'target' | 'depends' | 'softdep-pre' | 'softdep-post';

/** One module's insertion, or the command that stands in for it. */
export interface Step {
  readonly module: ModuleName;
  /** The file, absolute: `/lib/modules/6.1.0/kernel/net/mii.ko`; '' for a builtin, or a name that only an `install` line knows. */
  readonly path: string;
  /** Its parameters as the kernel gets them: `power_save=1 model=auto`; '' when there are none. */
  readonly params: string;
  /** Where each part of `params` comes from, in order. */
  readonly origins: readonly ParamOrigin[];
  readonly why: StepReason;
  /** The module that needs it or names it as softdep; the target itself has none. */
  readonly for?: ModuleName | undefined;
  /** The softdep line. */
  readonly place?: Place | undefined;
  /** True for the target and all it depends on: if one of them fails, so does the plan. What softdeps add may fail. */
  readonly required: boolean;
  /** The steps of this plan that come before it; only these: steps without a path between them may run at the same time. */
  readonly after: readonly PlanEdge[];
  /** Instead of inserting: the command of an `install` line, with $CMDLINE_OPTS replaced, for `sh -c`. */
  readonly command?: PlannedCommand | undefined;
  /**
   * What the module is now: `live` and `builtin` ones need nothing done (builtin ones are in a plan only with
   * `ignoreLoaded`); a `coming` one is inserted again, and the kernel waits for the first insertion.
   */
  readonly state?: StepState | undefined;
}

export type StepState = 'live' | 'coming' | 'going' | 'builtin';

/** `module` is tried before; `required`: it must also have succeeded. (The scheduler's Edge.) */
export interface PlanEdge {
  readonly module: ModuleName;
  readonly required: boolean;
}

/** `power_save=1` from /etc/modprobe.d/a.conf:3, or, without a place, from the command line of modprobe. */
export interface ParamOrigin {
  readonly text: string;
  readonly place?: Place;
}

export interface PlannedCommand {
  readonly text: string;
  /** The command as it stands in the file. */
  readonly raw: string;
  readonly place: Place;
}

/**
 * - `missing-module`: no line of modules.dep and no `install` line has this name (the target of an `alias` line that does
 *   not exist).
 * - `cycle`: modules.dep says that it needs itself.
 * - `kernel-blacklisted`: `module_blacklist=` names it, and the kernel will refuse it.
 * - `already-loaded`: with `firstTime`.
 */
export type BlockedKind = 'missing-module' | 'cycle' | 'kernel-blacklisted' | 'already-loaded';

export interface Blocked {
  /** The target, or the module it depends on that cannot be loaded. */
  readonly module: ModuleName;
  readonly kind: BlockedKind;
  readonly reason: string;
  readonly place?: Place;
}

/**
 * - `install-ignored`: modprobe ignores the `install` line of a module that has softdeps (kmod#446), and so does plugd.
 * - `softdep-unknown`: no module has the name or alias that a softdep line names.
 * - `softdep-left-out`: a module of a softdep line cannot be loaded, for the reason given.
 */
export interface PlanNote {
  readonly kind: 'install-ignored' | 'softdep-unknown' | 'softdep-left-out';
  readonly module: ModuleName;
  readonly message: string;
  readonly place: Place;
}
