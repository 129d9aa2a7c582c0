/** Everything about one module, as plain data: what `plugd why` tells. */
import type { Devpath, Modalias, ModuleName, Place } from '../base/names.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type { RuleReport } from './investigation.ts';
import type { LedgerEntry } from './ledger.ts';

/** A device that asks for the module. */
export interface AskingDevice {
  readonly devpath: Devpath;
  readonly subsystem: string;
  readonly name: string;
  /** The MODALIAS, or the name in a load rule, that leads to the module. */
  readonly asks: Modalias | string;
  readonly pattern: string;
  readonly driver?: string | undefined;
  /** The bound driver is in this module. */
  readonly driven: boolean;
}

/**
 * One way in which a module can come to be loaded.
 *
 * - `allowed`: nothing stands against it.
 * - `blocked`: a rule keeps it out.
 * - `command`: a command runs instead of the insertion.
 * - `no-way`: there is no such way (no alias, no module that needs it, no initramfs).
 */
export interface WayIn {
  readonly way: string;
  readonly answer: 'allowed' | 'blocked' | 'command' | 'no-way' | 'unknown';
  readonly because: string;
  readonly place?: Place | undefined;
}

/** What the module is now. */
export interface PresentState {
  readonly kind: 'live' | 'coming' | 'going' | 'builtin' | 'absent' | 'unknown-module';
  /** How many use it: /sys/module/NAME/refcnt. */
  readonly users?: number | undefined;
  /** Loaded modules that use it. */
  readonly holders: readonly ModuleName[];
  /** `OE` */
  readonly taint?: string | undefined;
}

/** The package of dkms that a module is of, and how it stands with the kernel. */
export interface OwnPackage {
  /** `v4l2loopback/0.12.7` */
  readonly name: string;
  readonly state: 'installed' | 'older' | 'built' | 'failed' | 'no-headers' | 'not-built' | 'broken';
  /** The state in words, with the first error of a failed build, and the kernels that have it. */
  readonly because: string;
  /** What brings it to this kernel; absent when it is there. */
  readonly remedy?: string | undefined;
}

/** All that `plugd why` tells of a module. */
export interface Reasons {
  readonly asked: string;
  readonly module: ModuleName;
  /** What the word that was asked is an alias of, `module` being the first of them; absent for a module's own name. */
  readonly aliasOf?: readonly ModuleName[];
  readonly kernel: string;
  readonly moduleDir: string;
  readonly path?: string | undefined;
  readonly description?: string | undefined;
  readonly state: PresentState;
  /** What the agent's ledger has of it; undefined when no agent runs, or may not be asked. */
  readonly ledger: readonly LedgerEntry[] | undefined;
  readonly devices: readonly AskingDevice[];
  /** Modules of the tree that need it. */
  readonly neededBy: readonly ModuleName[];
  readonly aliases: readonly string[];
  /** Absent for a module that dkms does not build. */
  readonly dkms?: OwnPackage | undefined;
  readonly rules: readonly RuleReport[];
  readonly ways: readonly WayIn[];
  /** Why the kernel would refuse it; only while it is not loaded. */
  readonly refusal?: Diagnosis | undefined;
  /** Options of rules that the loaded module does not have: `power_save=1 (…) is not in effect: power_save is 0 now`. */
  readonly idleOptions: readonly string[];
  /** A module whose name is near, when there is none of this name. */
  readonly suggestion?: string | undefined;
}
