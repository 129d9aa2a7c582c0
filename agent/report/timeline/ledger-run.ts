/** The agent's ledger as a run, so that what draws a coldplug draws the agent's work, too. Builds data only. */
import type { Devpath, ModuleName } from '../../base/names.ts';
import type { ColdplugRun, ModuleRecord } from '../../records/coldplug-run.ts';
import type { LedgerEntry } from '../../records/ledger.ts';

/** A pause after which insertions belong to something else than the boot, ms. */
const PAUSE_MS = 20_000;

/**
 * The insertions whose length the ledger has; times count from the first of them. A module waited for those that it needs. Undefined
 * when there is none. `boot`: only up to the first pause of 20 seconds.
 *
 *     ledgerRun(entries, { kernel: '6.1.0-56-amd64', moduleDir: '/lib/modules/6.1.0-56-amd64' })
 */
export function ledgerRun(
  entries: readonly LedgerEntry[],
  { kernel, moduleDir, boot = false }: { readonly kernel: string; readonly moduleDir: string; readonly boot?: boolean },
): ColdplugRun | undefined {
  const timed = entries
    .flatMap((entry) => (entry.ms === undefined ? [] : [{ entry, end: Date.parse(entry.time), ms: entry.ms }]))
    .filter(({ end }) => !Number.isNaN(end))
    .toSorted((a, b) => a.end - a.ms - (b.end - b.ms));
  const [first] = timed;
  if (first === undefined) return undefined;
  const began = first.end - first.ms;
  let last = began;
  const modules: ModuleRecord[] = [];
  for (const { entry, end, ms } of timed) {
    if (boot && end - ms - last > PAUSE_MS) break;
    last = Math.max(last, end);
    modules.push(recordOf(entry, end - ms - began, end - began, needsOf(entry, entries)));
  }
  return {
    kernel,
    moduleDir,
    jobs: 0,
    dryRun: false,
    wallMs: last - began,
    phases: [],
    devices: 0,
    modaliases: [],
    modules,
    present: [],
    blocked: [],
    problems: [],
    uevents: { received: 0, used: 0, gaps: 0, rescans: 0, dropped: 0 },
  };
}

function needsOf({ module }: LedgerEntry, entries: readonly LedgerEntry[]): readonly ModuleName[] {
  return [...new Set(entries.flatMap((other) => (other.dependencyOf === module ? [other.module] : [])))];
}

function recordOf(
  entry: LedgerEntry,
  startedMs: number,
  endedMs: number,
  waitedFor: readonly ModuleName[],
): ModuleRecord {
  const {
    module,
    path = '',
    params = '',
    why = 'target',
    dependencyOf,
    by,
    name = '',
    device = '',
    subsystem = '',
    rule,
  } = entry;
  return {
    module,
    path,
    params,
    why,
    for: dependencyOf,
    requester: {
      devpath: device as Devpath,
      subsystem,
      name,
      by: by === 'device' || by === 'command' || by === 'outside' ? undefined : by,
      rule,
    },
    result: 'inserted',
    waitedFor,
    addedMs: startedMs,
    readyMs: startedMs,
    startedMs,
    endedMs,
  };
}
