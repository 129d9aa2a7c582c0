/** Who asked for each module: the agent's ledger (docs/control-socket.schema.json). */
import type { ModuleName, Place } from '../base/names.ts';
import type { ModuleRecord } from './coldplug-run.ts';

/**
 * Who asked: a device, the kernel, a person, a line of modules-load.d; `command`: a program or person that called modprobe in the initramfs; `outside`: not
 * plugd, and nobody told it who.
 */
export type Asker = 'device' | 'kernel' | 'person' | 'boot-list' | 'command' | 'outside';

/** One module that came to be loaded since the agent began. */
export interface LedgerEntry {
  /** When its insertion ended, ISO 8601. */
  readonly time: string;
  readonly module: ModuleName;
  readonly by: Asker;
  /** What was asked for: the modalias, `fs-ext4`, a module's name; undefined for `outside`. */
  readonly name?: string | undefined;
  readonly device?: string | undefined;
  readonly subsystem?: string | undefined;
  /** The udev rule or the line of modules-load.d. */
  readonly rule?: Place | undefined;
  /** The module that needs it, and how; undefined for the one that was asked for. */
  readonly dependencyOf?: ModuleName | undefined;
  readonly why?: ModuleRecord['why'] | undefined;
  readonly path?: string | undefined;
  readonly params?: string | undefined;
  /** How long its insertion took, ms. */
  readonly ms?: number | undefined;
  /** The command that inserted it before the agent began, in the initramfs as a rule; undefined for the agent itself. */
  readonly early?: 'coldplug' | 'modprobe' | undefined;
}

/** The entry of an inserted module. */
export function ledgerEntry(record: ModuleRecord, time: string): LedgerEntry {
  const { requester } = record;
  return {
    time,
    module: record.module,
    by: requester.by ?? 'device',
    name: requester.name,
    device: requester.devpath === '' ? undefined : requester.devpath,
    subsystem: requester.subsystem === '' ? undefined : requester.subsystem,
    rule: requester.rule,
    dependencyOf: record.for,
    why: record.why,
    path: record.path,
    params: record.params === '' ? undefined : record.params,
    ms: took(record),
  };
}

/** How long it took, in ms to the hundredth; undefined for what has not both begun and ended. */
function took({ startedMs, endedMs }: ModuleRecord): number | undefined {
  if (startedMs === undefined || endedMs === undefined) return undefined;
  return Math.round((endedMs - startedMs) * 100) / 100;
}
