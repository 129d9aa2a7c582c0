/**
 * What `plugd doctor` looks at and says: facts in, findings out. Each check is an object of the tables in health-kernel.ts,
 * health-tree.ts and health-rules.ts; health-facts.ts reads the facts.
 */
import type { ModuleName, Place } from '../../base/names.ts';
import type { KernelConfig } from '../../facts/kernel/kernel-config.ts';
import type { SecureBoot } from '../../facts/kernel/lockdown.ts';
import type { LoosePath } from '../../facts/config/permissions.ts';
import type { Taint } from '../../facts/kernel/taint.ts';
import type { Problem } from '../../base/problem.ts';
import type { KernelEvidence } from '../../diagnosis/evidence.ts';

/**
 * - `ok`: as it should be.
 * - `warning`: worth knowing; nothing is kept from working by it now.
 * - `wrong`: something does not, or will not, work.
 * - `unknown`: it could not be found out.
 */
export type HealthState = 'ok' | 'warning' | 'wrong' | 'unknown';

/** What one check found. */
export interface Finding {
  readonly state: HealthState;
  /** One sentence. */
  readonly summary: string;
  readonly evidence?: readonly string[] | undefined;
  readonly remedy?: string | undefined;
}

/** One check; `run` gives undefined where it does not apply (another root, another kernel). */
export interface Check<Facts = HealthFacts> {
  readonly id: string;
  readonly title: string;
  run(facts: Facts): Finding | undefined;
}

/** What these checks find, in their order; those that do not apply are left out. */
export function findings<Facts>(checks: ReadonlyArray<Check<Facts>>, facts: Facts): readonly CheckResult[] {
  return checks.flatMap((check) => {
    const finding = check.run(facts);
    return finding === undefined ? [] : [{ id: check.id, title: check.title, ...finding }];
  });
}

/** A check's answer, as it is shown and printed as JSON. */
export interface CheckResult extends Finding {
  readonly id: string;
  readonly title: string;
}

/** The module tree. */
export interface TreeFacts {
  readonly modules: number;
  /** Lines of modules.dep whose file is not there. */
  readonly missing: readonly string[];
  /** Module files that modules.dep does not have. */
  readonly unlisted: readonly string[];
  /** Module files that are newer than modules.dep. */
  readonly newer: readonly string[];
  /** What cannot be looked at, and why: `/lib/modules/1.0/kernel/l.ko: a symbolic link that leads to itself`. */
  readonly unreadable: readonly string[];
  /** Missing or damaged indexes. */
  readonly problems: readonly Problem[];
}

/** A line of configuration that does not do what its author will have meant. */
export interface IdleRule {
  readonly place: Place;
  readonly text: string;
  /** Why it has no effect: `there is no module nouveu`. */
  readonly why: string;
  readonly suggestion: string | undefined;
  /** It names a module that this tree does not have, which may be meant for another kernel. */
  readonly harmless: boolean;
  /** The whole file is hidden by one of the same name, as an administrator may well have meant. */
  readonly hidden?: boolean;
}

/** Firmware files that a module names. */
export interface FirmwareFacts {
  readonly module: ModuleName;
  readonly named: number;
  readonly missing: readonly string[];
  /** The kernel said that it could not load one of them. */
  readonly failed: readonly string[];
}

/** What the checks of a module tree look at, which may be another kernel's. */
export type TreeHealth = Pick<HealthFacts, 'root' | 'kernel' | 'moduleDir' | 'tree' | 'releases' | 'live' | 'running'>;

/** The machine, or the tree, under examination. */
export interface HealthFacts {
  readonly root: string;
  readonly kernel: string;
  readonly moduleDir: string;
  /** The kernel that runs is the one whose tree is looked at, and its state counts. */
  readonly live: KernelEvidence | undefined;
  /** The release that runs here; undefined for another root. */
  readonly running: string | undefined;
  /** Releases with a folder of modules. */
  readonly releases: readonly string[];
  readonly config: KernelConfig | undefined;
  readonly secureBoot: SecureBoot;
  readonly taints: readonly Taint[] | undefined;
  /** /proc/sys/kernel/modprobe: the program that the kernel starts; undefined where the kernel has no such file. */
  readonly helper: { readonly path: string; readonly there: boolean } | undefined;
  readonly tree: TreeFacts | undefined;
  readonly configuration: readonly Problem[];
  readonly idleRules: readonly IdleRule[];
  readonly loose: readonly LoosePath[];
  readonly udevd: { readonly running: boolean; readonly loads: Place | undefined };
  /** plugd's own agent runs. */
  readonly agent: boolean;
  readonly firmwareFolders: readonly string[];
  readonly firmware: readonly FirmwareFacts[];
  /** Devices with a driver that could be loaded and is not, as words. */
  readonly waiting: readonly string[];
  readonly securityfs: boolean;
}
