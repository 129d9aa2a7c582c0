/**
 * What has happened, for everybody who wants to know: one line in the log, one entry in the ledger, one count in the figures,
 * one item for each monitor. The loader tells it; it decides nothing.
 */
import type { ModuleName } from '../base/names.ts';
import type { LoaderObserver } from '../pipeline/loader.ts';
import type { AgentFailure, AgentStatus } from '../report/agent-status.ts';
import { causeText } from '../report/cause.ts';
import type { BlockedRecord, ModuleRecord, Requester } from '../report/coldplug-run.ts';
import { ledgerEntry, type LedgerEntry } from '../report/ledger.ts';
import type { Log } from '../report/log.ts';
import { InsertionTimes } from '../report/metrics.ts';

/** Something plugd did or found, as monitors get it. */
export type DecisionEvent =
  | { readonly event: 'inserted' | 'already-loaded' | 'command' | 'failed' | 'skipped'; readonly record: ModuleRecord }
  | { readonly event: 'blocked'; readonly record: BlockedRecord };

const COUNTED = {
  inserted: 'inserted',
  'already-loaded': 'alreadyLoaded',
  command: 'commands',
  failed: 'failed',
  skipped: 'skipped',
} as const;
/** Entries of the ledger that are kept; a machine has some hundred modules. */
const LONGEST_LEDGER = 10_000;
const LAST_FAILURES = 10;

/** The chronicle of one agent. */
export class Chronicle implements LoaderObserver {
  readonly #log: Log;
  readonly ledger: LedgerEntry[] = [];
  readonly failures: AgentFailure[] = [];
  readonly times = new InsertionTimes();
  readonly counts = { inserted: 0, alreadyLoaded: 0, commands: 0, failed: 0, skipped: 0, blocked: 0 };
  /** Each is told of every decision. */
  readonly listeners = new Set<(decision: DecisionEvent) => void>();
  /** Each is told of every new entry. */
  readonly readers = new Set<(entry: LedgerEntry) => void>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** LoaderObserver: a module's end. */
  ended(record: ModuleRecord): void {
    const { result, module } = record;
    if (result === 'planned' || result === 'unfinished') return;
    const took = record.startedMs === undefined ? undefined : (record.endedMs ?? record.startedMs) - record.startedMs;
    this.counts[COUNTED[result]]++;
    const why = failureText(record);
    const fields = {
      event: result,
      module,
      ...fieldsOf(record.requester),
      for: record.for,
      why: record.why,
      cause: record.cause,
      ms: took === undefined ? undefined : round(took),
      // From the moment it was asked for to the system call.
      waitMs:
        record.startedMs === undefined
          ? undefined
          : round(record.startedMs - (record.requester.askedMs ?? record.addedMs)),
      params: record.params === '' ? undefined : record.params,
    };
    if (result === 'inserted' || result === 'command') {
      if (result === 'inserted' && took !== undefined) this.times.add(took);
      this.enter(ledgerEntry(record, new Date().toISOString()));
      this.#log.line(
        'info',
        result === 'inserted' ? `inserted ${module}` : `ran the install command of ${module}`,
        fields,
      );
    } else if (result === 'already-loaded') {
      this.#log.line('debug', `${module} was loaded already`, fields);
    } else {
      const { name, devpath } = record.requester;
      this.failures.push({ time: new Date().toISOString(), module, why, name, device: devpath });
      if (this.failures.length > LAST_FAILURES) this.failures.shift();
      // An init that finds no hardware says so; there is nothing to be done about it.
      this.#log.line(record.cause === 'no-device' ? 'info' : 'warn', `${module}: ${why}`, fields);
    }
    for (const listener of this.listeners) listener({ event: result, record });
  }

  /** LoaderObserver: a module that a rule keeps out. */
  blocked(record: BlockedRecord): void {
    this.counts.blocked++;
    const { place, reason, kind, module } = record;
    const at = place === undefined ? '' : ` (${place.file}:${place.line})`;
    this.#log.line('info', `blocked ${module}: ${reason}${at}`, {
      event: 'blocked',
      kind,
      module,
      ...fieldsOf(record.requester),
      reason,
      rule: place === undefined ? undefined : `${place.file}:${place.line}`,
    });
    for (const listener of this.listeners) listener({ event: 'blocked', record });
  }

  /** A module that somebody else loaded. */
  outside(module: ModuleName): void {
    this.enter({ time: new Date().toISOString(), module, by: 'outside' });
    this.#log.line('debug', `${module} was loaded, not by plugd`, { event: 'outside', module });
  }

  /** Adds an entry to the ledger. */
  enter(entry: LedgerEntry): void {
    if (this.ledger.length === LONGEST_LEDGER) this.ledger.shift();
    this.ledger.push(entry);
    for (const reader of this.readers) reader(entry);
  }

  /** The counts for the status. */
  insertions(): AgentStatus['insertions'] {
    return { ...this.counts };
  }
}

/** `unknown-symbol (ENOENT): …`; '' for a record of no failure. */
export function failureText(record: ModuleRecord): string {
  if (record.result !== 'failed' && record.result !== 'skipped') return '';
  const words = record.cause === undefined ? 'refused' : causeText(record.cause, record.errno);
  return record.detail === undefined ? words : `${words}; ${record.detail}`;
}

function fieldsOf({ devpath, subsystem, name, by, rule }: Requester): Readonly<Record<string, string | undefined>> {
  return {
    by: by ?? 'device',
    device: devpath === '' ? undefined : devpath,
    subsystem: subsystem === '' ? undefined : subsystem,
    [by === undefined && rule === undefined ? 'modalias' : 'name']: name,
    askedBy: rule === undefined ? undefined : `${rule.file}:${rule.line}`,
  };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
