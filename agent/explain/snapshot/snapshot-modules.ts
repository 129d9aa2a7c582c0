/** The modules that a snapshot tells of: those that are loaded, and those that its devices lead to. Reads lists; changes nothing. */
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import { listModules } from '../module-list.ts';
import type { Snapshot, SnapshotModule } from './snapshot.ts';

/** Who leads to a module. */
interface Wanted {
  readonly devices: Set<number>;
  readonly neededBy: Set<ModuleName>;
}

/** In the order of their names; none without a module tree. */
export function snapshotModules(
  host: Host,
  { devices, noTree, recorded }: Pick<Snapshot, 'devices' | 'noTree' | 'recorded'>,
  ledger: ReadonlyMap<ModuleName, LedgerEntry>,
): readonly SnapshotModule[] {
  if (noTree !== undefined) return [];
  const wanted = wantedModules(devices);
  return listModules(host).flatMap(({ module, state, users, rules }): readonly SnapshotModule[] => {
    const who = wanted.get(module);
    const now = recorded === undefined || state === 'builtin' ? state : 'absent';
    if (who === undefined && (now === 'absent' || now === 'builtin')) return [];
    return [
      {
        module,
        state: now === 'absent' ? 'planned' : now,
        ...(users === undefined || now === 'absent' ? {} : { users }),
        rules,
        devices: [...(who?.devices ?? [])],
        neededBy: [...(who?.neededBy ?? [])].toSorted(),
        ledger: ledger.get(module),
      },
    ];
  });
}

function wantedModules(devices: Snapshot['devices']): ReadonlyMap<ModuleName, Wanted> {
  const wanted = new Map<ModuleName, Wanted>();
  devices.forEach(({ requests }, i) => {
    for (const { verdict, steps } of requests.flatMap(({ candidates }) => candidates)) {
      if (!isServed(verdict)) continue;
      for (const step of steps) {
        if (step.refusal !== undefined) continue;
        const who = wanted.get(step.module) ?? { devices: new Set(), neededBy: new Set() };
        wanted.set(step.module, who);
        who.devices.add(i);
        if (step.for !== undefined) who.neededBy.add(step.for);
      }
    }
  });
  return wanted;
}
