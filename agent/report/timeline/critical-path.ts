/** The chain of modules that a run ended with. Pure. */
import type { ModuleRecord } from '../../records/coldplug-run.ts';

/** A module that was tried: it has a beginning and an end. */
export type Timed = ModuleRecord & { readonly startedMs: number; readonly endedMs: number };

/** Whether a record has both times. */
export function isTimed(record: ModuleRecord): record is Timed {
  return record.startedMs !== undefined && record.endedMs !== undefined;
}

/**
 * The chain of causes behind the module that ended last, first cause first: what it waited for longest, or, when it waited
 * for nothing, the module whose driver made its device appear. Empty when nothing was tried.
 *
 *     criticalPath(run.modules).map(({ module }) => module)   // ['virtio', 'virtio_pci', 'virtio_net']
 */
export function criticalPath(records: readonly ModuleRecord[]): readonly Timed[] {
  const known = records.filter(isTimed);
  const byName = new Map(known.map((record) => [record.module, record]));
  const path: Timed[] = [];
  let at: Timed | undefined = latest(known);
  while (at !== undefined && !path.includes(at)) {
    path.unshift(at);
    const current: Timed = at;
    const needed = current.waitedFor.map((name) => byName.get(name)).filter((record) => record !== undefined);
    at = latest(needed) ?? latest(known.filter((record) => gaveBirth(record, current)));
  }
  return path;
}

function gaveBirth(parent: Timed, child: Timed): boolean {
  return (
    parent.why === 'target' &&
    parent.startedMs < child.addedMs &&
    child.requester.devpath !== parent.requester.devpath &&
    child.requester.devpath.startsWith(`${parent.requester.devpath}/`)
  );
}

function latest(records: readonly Timed[]): Timed | undefined {
  let last: Timed | undefined;
  for (const record of records) if (last === undefined || record.endedMs > last.endedMs) last = record;
  return last;
}
