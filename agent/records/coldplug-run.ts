/**
 * What a coldplug did, as plain data: the summary, the chart and `--json` are all made from this.
 * Times are milliseconds since the run began (process start, where it is known).
 */
import type { Devpath, Modalias, ModuleName, Place } from '../base/names.ts';
import type { Problem } from '../base/problem.ts';
import type { BlockedKind } from '../plan/plan.ts';
import type { KeptOut } from '../rules/modprobe/decision.ts';
import type { Waiting } from './waiting.ts';
import type { Cause } from '../diagnosis/cause.ts';

/** Why a module was wanted. */
export interface Requester {
  /** '' when no device asked. */
  readonly devpath: Devpath;
  readonly subsystem: string;
  /** The string that named it: a modalias, the name in a `kmod load` rule, what the kernel asked for (`fs-ext4`). */
  readonly name: string;
  /** Who asked, when it was no device: the kernel itself, a person at the agent's socket, a line of modules-load.d. */
  readonly by?: 'kernel' | 'person' | 'boot-list' | undefined;
  /** When it was asked for. */
  readonly askedMs?: number | undefined;
  /** The udev rule that asked, when it was not the device's own modalias. */
  readonly rule?: Place | undefined;
}

/** One module of the graph. */
export interface ModuleRecord {
  readonly module: ModuleName;
  readonly path: string;
  readonly params: string;
  readonly why: 'target' | 'depends' | 'softdep-pre' | 'softdep-post';
  /** The module that needs it, when it is not the target. */
  readonly for?: ModuleName | undefined;
  readonly requester: Requester;
  readonly result: 'inserted' | 'already-loaded' | 'command' | 'failed' | 'skipped' | 'planned' | 'unfinished';
  readonly cause?: Cause | undefined;
  readonly errno?: number | undefined;
  /** Which call answered with it; `insert` when absent. */
  readonly during?: 'open' | 'decompress' | 'insert' | undefined;
  /** Facts that explain the cause, each a sentence, and what to do about it. */
  readonly evidence?: readonly string[] | undefined;
  readonly remedy?: string | undefined;
  /** Words that go with the cause: what failed, or which module it was waiting for. */
  readonly detail?: string | undefined;
  readonly waitedFor: readonly ModuleName[];
  readonly addedMs: number;
  readonly readyMs?: number | undefined;
  readonly startedMs?: number | undefined;
  readonly endedMs?: number | undefined;
}

/** A module that a rule keeps out, or that has no plan. */
export interface BlockedRecord {
  readonly module: ModuleName;
  /** `denied` also stands for the agent's policy. */
  readonly kind: KeptOut | BlockedKind;
  readonly reason: string;
  readonly place?: Place | undefined;
  readonly requester: Requester;
}

/** One distinct modalias of the machine and what it led to. */
export interface ModaliasRecord {
  readonly modalias: Modalias;
  readonly verdict: 'matched' | 'builtin' | 'no-match' | 'malformed';
  readonly modules: readonly ModuleName[];
}

/** Counts of the kernel's own requests: `found` of them with all modules loaded, `failed` with one that is not. */
export interface KernelRequests {
  readonly received: number;
  readonly found: number;
  readonly notFound: number;
  readonly failed: number;
}

/**
 * What the main thread was at: `start` Node and plugd start, `rules` indexes and configuration are opened, `devices` sysfs is
 * read and modules are planned, `settle` insertions and devices that appear are waited for.
 */
export interface Phase {
  readonly name: 'start' | 'rules' | 'devices' | 'settle';
  readonly startedMs: number;
  readonly endedMs: number;
}

/** A coldplug from beginning to end. */
export interface ColdplugRun {
  readonly kernel: string;
  readonly moduleDir: string;
  readonly jobs: number;
  readonly dryRun: boolean;
  readonly wallMs: number;
  /** From the start of the process to the first finit_module. */
  readonly firstInsertMs?: number | undefined;
  /** One after the other; insertions go on meanwhile. */
  readonly phases: readonly Phase[];
  readonly devices: number;
  readonly modaliases: readonly ModaliasRecord[];
  readonly modules: readonly ModuleRecord[];
  /** Modules that devices ask for and that were loaded before the run. */
  readonly present: readonly ModuleName[];
  readonly blocked: readonly BlockedRecord[];
  readonly problems: readonly Problem[];
  readonly uevents: {
    readonly received: number;
    readonly used: number;
    readonly gaps: number;
    readonly rescans: number;
    readonly dropped: number;
  };
  /** What the kernel itself asked for meanwhile, by name; undefined where modprobe answered it. */
  readonly kernelRequests?: KernelRequests | undefined;
  /** What it still waited for when its time was over; undefined when it settled. */
  readonly unsettled?: readonly Waiting[] | undefined;
}

/**
 * Whether a module is not loaded because a driver found no device (ENODEV): its own init, or that of one among `known`, which it
 * needs. That is no failure: such drivers look for themselves whether their hardware is there.
 */
export function isWithoutDevice({ cause, result, detail }: ModuleRecord, known: ReadonlySet<string>): boolean {
  return cause === 'no-device' || (result === 'skipped' && detail !== undefined && known.has(detail));
}

/**
 * The modules whose init found no device (ENODEV), and those that were skipped because they need one of these: isWithoutDevice()
 * for records in any order.
 */
export function withoutDevice(modules: readonly ModuleRecord[]): ReadonlySet<ModuleName> {
  const found = new Set<ModuleName>();
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const record of modules) if (isWithoutDevice(record, found)) found.add(record.module);
  }
  return found;
}

/** Whether a module failed: what a rule keeps out, or an init that found no hardware, has not. */
export function hasFailures(modules: readonly ModuleRecord[]): boolean {
  return modules.some((record) => record.result === 'failed' && record.cause !== 'no-device');
}
