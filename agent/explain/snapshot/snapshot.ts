/** What `plugd report` shows of a machine or a recording, as plain data. report/page/ makes a page of it. */
import type { ModuleName } from '../../base/names.ts';
import type { ModuleReadiness } from '../../dkms/tree/readiness.ts';
import type { ColdplugRun } from '../../records/coldplug-run.ts';
import type { DeviceRow } from '../../records/device-row.ts';
import type { RequestReport } from '../../records/investigation.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import type { ModuleRow } from '../../records/module-row.ts';
import type { Fate } from '../../records/replay.ts';
import type { CheckResult } from '../doctor/health.ts';
import type { KeyRow } from '../signatures/key-row.ts';

/** One device with everything that is known of it. */
export interface SnapshotDevice extends DeviceRow {
  /** Vendor and product, where a list of names has them. */
  readonly hardware?: string | undefined;
  /** What it is to its user: `Ethernet`. */
  readonly kind: string;
  /** What it asks for and what that leads to; empty without a module tree. */
  readonly requests: readonly RequestReport[];
  readonly evidence: readonly string[];
  readonly remedy?: string | undefined;
  /** Of a recorded device: what its driver would come to with this tree. */
  readonly fate?: Fate | undefined;
  /** Why, for all that is not simply kept. */
  readonly because?: string | undefined;
}

/** One module that is loaded, or that some device leads to. */
export interface SnapshotModule {
  readonly module: ModuleName;
  /** `planned`: not loaded, and some device leads to it. */
  readonly state: ModuleRow['state'] | 'planned';
  readonly users?: number | undefined;
  readonly rules: ModuleRow['rules'];
  /** Devices that lead to it, as positions in the snapshot's devices. */
  readonly devices: readonly number[];
  /** Modules that need it, among those that devices lead to. */
  readonly neededBy: readonly ModuleName[];
  /** The agent's entry, or undefined when no agent runs or something else loaded it. */
  readonly ledger?: LedgerEntry | undefined;
}

/** A machine, or a recording of one, at one moment. Texts are machine text unless they say otherwise. */
export interface Snapshot {
  /** The model, or what the recording is called; a person's text. */
  readonly title: string;
  /** The release whose module tree counts. */
  readonly kernel: string;
  /** '/' for the machine itself; a person's text. */
  readonly root: string;
  readonly architecture?: string | undefined;
  /** When it was made, ISO 8601. */
  readonly made: string;
  /** Of a recording: its file, the kernel that ran there and when, as far as it says. */
  readonly recorded?:
    | { readonly file: string; readonly kernel?: string | undefined; readonly date?: string | undefined }
    | undefined;
  /** Why there is no module tree to judge by; undefined when there is one. */
  readonly noTree?: string | undefined;
  /** Of a recording: those of the tree; empty where there is none. */
  readonly checks: readonly CheckResult[];
  readonly devices: readonly SnapshotDevice[];
  readonly modules: readonly SnapshotModule[];
  /** A coldplug, or the boot as the agent's ledger has it; undefined when neither is known. */
  readonly run?: ColdplugRun | undefined;
  /** Modules that dkms knows. */
  readonly outOfTree: readonly ModuleReadiness[];
  /** Keys that this machine knows; empty for another one. */
  readonly keys: readonly KeyRow[];
}
