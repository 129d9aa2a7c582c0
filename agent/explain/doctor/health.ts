/**
 * The types and tables of `plugd doctor`: facts in, findings out. Each check is an object of the tables in health-kernel.ts,
 * health-tree.ts and health-rules.ts; health-facts.ts reads the facts.
 */
import type { ModuleName, Place } from '../../base/names.ts';
import type { KernelConfig } from '../../facts/kernel/kernel-config.ts';
import type { SecureBoot } from '../../facts/kernel/lockdown.ts';
import type { KeyringName } from '../../facts/kernel/keyring.ts';
import type { LoosePath } from '../../facts/config/permissions.ts';
import type { Taint } from '../../facts/kernel/taint.ts';
import type { Problem } from '../../base/problem.ts';
import type { ModuleReadiness } from '../../dkms/tree/readiness.ts';
import type { KernelEvidence } from '../../diagnosis/evidence.ts';
import type { OwnFile } from '../dkms/own-files.ts';
import type { Enrolment } from '../../trust/enrolment/enrolment.ts';

/**
 * - `ok`: as it should be.
 * - `warning`: worth knowing; everything still works.
 * - `wrong`: something does not work, or will not.
 * - `unknown`: could not be determined.
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

/** Hears what is read, and how much of it, often. */
export type Tell = (what: string, done: number, total?: number) => void;

/** One check; `run` returns undefined where it does not apply (another root, another kernel). */
export interface Check<Facts = HealthFacts> {
  readonly id: string;
  readonly title: string;
  run(facts: Facts): Finding | undefined;
}

/** The findings of these checks, in order, without those that do not apply. */
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
  /** Lines of modules.dep whose file is missing. */
  readonly missing: readonly string[];
  /** Module files that are not in modules.dep. */
  readonly unlisted: readonly string[];
  /** Module files that are newer than modules.dep. */
  readonly newer: readonly string[];
  /** What cannot be read, and why: `/lib/modules/1.0/kernel/l.ko: a symbolic link that leads to itself`. */
  readonly unreadable: readonly string[];
  /** Missing or damaged indexes. */
  readonly problems: readonly Problem[];
}

/** A line of configuration that probably does not do what its author meant. */
export interface IdleRule {
  readonly place: Place;
  readonly text: string;
  /** Why it has no effect: `there is no module nouveu`. */
  readonly why: string;
  readonly suggestion: string | undefined;
  /** It names a module that this tree lacks, but that may exist for another kernel. */
  readonly harmless: boolean;
  /** Another file of the same name hides the whole file, which the administrator may have intended. */
  readonly hidden?: boolean;
}

/** What of plugd is installed outside its package, and what of it is of another version, in words. */
export interface PartFacts {
  /** Units that systemd would use. */
  readonly units: number;
  readonly others: readonly string[];
}

/** Firmware files that a module names. */
export interface FirmwareFacts {
  readonly module: ModuleName;
  readonly named: number;
  readonly missing: readonly string[];
  /** Those of them that the kernel could not load, according to its log. */
  readonly failed: readonly string[];
}

/** The facts that checks of a module tree use; it may be another kernel's. */
export type TreeHealth = Pick<
  HealthFacts,
  | 'root'
  | 'kernel'
  | 'moduleDir'
  | 'tree'
  | 'closed'
  | 'releases'
  | 'live'
  | 'running'
  | 'outOfTree'
  | 'ownFiles'
  | 'enforced'
>;

/** The machine, or the tree, under examination. */
export interface HealthFacts {
  readonly root: string;
  readonly kernel: string;
  readonly moduleDir: string;
  /** Defined when the tree examined is the running kernel's; then its state counts. */
  readonly live: KernelEvidence | undefined;
  /** The running release; undefined for another root. */
  readonly running: string | undefined;
  /** Releases with a folder of modules. */
  readonly releases: readonly string[];
  readonly config: KernelConfig | undefined;
  readonly secureBoot: SecureBoot;
  readonly taints: readonly Taint[] | undefined;
  /** /proc/sys/kernel/modprobe: the program that the kernel starts; undefined where the kernel has no such file. */
  readonly helper: { readonly path: string; readonly there: boolean } | undefined;
  readonly tree: TreeFacts | undefined;
  /** Why its folder cannot be looked at, which may or may not be there; undefined where it can, or is certainly not there. */
  readonly closed?: { readonly reason: string; readonly remedy: string } | undefined;
  /** The modules that dkms knows, and how they stand with this kernel. */
  readonly outOfTree: readonly ModuleReadiness[];
  /** Those of them that are installed. */
  readonly ownFiles: readonly OwnFile[];
  /** Only modules signed with a trusted key load, or would with the next kernel. */
  readonly enforced: boolean;
  readonly configuration: readonly Problem[];
  readonly idleRules: readonly IdleRule[];
  readonly loose: readonly LoosePath[];
  readonly udevd: { readonly running: boolean; readonly loads: Place | undefined };
  /** plugd's own agent runs. */
  readonly agent: boolean;
  /** Lines of its policy that are not in force yet; undefined when it does not say. */
  readonly pending?: readonly string[] | undefined;
  /** Units, helper and agent of plugd itself; undefined for what is no live machine. */
  readonly parts?: PartFacts | undefined;
  readonly firmwareFolders: readonly string[];
  readonly firmware: readonly FirmwareFacts[];
  /** Devices whose driver could be loaded but is not, in words. */
  readonly waiting: readonly string[];
  readonly securityfs: boolean;
  /** The keyrings whose keys vouch for modules. */
  readonly vouching: ReadonlySet<KeyringName>;
  /** Where the key that modules built here are signed with stands; undefined for another machine. */
  readonly enrolment?: EnrolmentHealth | undefined;
}

/** Where a key stands on its way to being trusted, and the next step; '' where there is none. */
export interface EnrolmentHealth {
  readonly state: Enrolment;
  readonly next: string;
}
