/**
 * Records what happened: one line in the log, one entry in the ledger, one count in the figures, one item for each monitor. The
 * loader reports to it; it decides nothing.
 */
import { placeText } from '../base/words.ts';
import { readable } from '../report/terminal.ts';
import { reason } from '../base/error.ts';
import type { ModuleName } from '../base/names.ts';
import type { LoaderObserver } from '../load/loader.ts';
import type { AgentFailure, AgentStatus } from '../records/agent-status.ts';
import { isWithoutDevice, type BlockedRecord, type ModuleRecord, type Requester } from '../records/coldplug-run.ts';
import { ledgerEntry, type LedgerEntry } from '../records/ledger.ts';
import type { Decision } from '../records/monitor-item.ts';
import { failureText } from '../report/loading-text.ts';
import type { Log } from '../report/logging/log.ts';
import { InsertionTimes } from '../report/metrics.ts';

const COUNTED = {
  inserted: 'inserted',
  'already-loaded': 'alreadyLoaded',
  command: 'commands',
  failed: 'failed',
  skipped: 'skipped',
} as const;
/** Entries of the ledger that are kept; a machine has some hundred modules. */
const LONGEST_LEDGER = 5000;
const LAST_FAILURES = 10;

/** The chronicle of one agent. */
export class Chronicle implements LoaderObserver {
  readonly #log: Log;
  readonly ledger: LedgerEntry[] = [];
  readonly failures: AgentFailure[] = [];
  readonly times = new InsertionTimes();
  readonly counts = { inserted: 0, alreadyLoaded: 0, commands: 0, failed: 0, skipped: 0, noDevice: 0, blocked: 0 };
  /** Each receives every decision. */
  readonly listeners = new Set<(decision: Decision) => void>();
  /** Each receives every new entry. */
  readonly readers = new Set<(entry: LedgerEntry) => void>();

  /** Modules whose init found no hardware, and those skipped because of that. */
  readonly #absent = new Set<string>();
  /** Turns a failure's record into one with evidence and remedy. */
  readonly #explain: (record: ModuleRecord) => Promise<ModuleRecord>;
  /** Keeps events in order while an earlier failure is still being explained. */
  #untold: Promise<void> | undefined;

  constructor(log: Log, explain: (record: ModuleRecord) => Promise<ModuleRecord> = async (record) => record) {
    this.#log = log;
    this.#explain = explain;
  }

  /** A failure is being explained. */
  get isBehind(): boolean {
    return this.#untold !== undefined;
  }

  /** Resolves when everything is reported. */
  async told(): Promise<void> {
    // Reporting may add more.
    while (this.#untold !== undefined) await this.#untold;
  }

  /** LoaderObserver: a module's end. */
  ended(record: ModuleRecord): void {
    const { result } = record;
    if (result === 'planned' || result === 'unfinished') return;
    const isFailure = result === 'failed' || result === 'skipped';
    // An init that finds no hardware says so; there is nothing to be done about it, nor about what needs that module.
    const absent = isFailure && isWithoutDevice(record, this.#absent);
    if (absent) this.#absent.add(record.module);
    else if (isFailure) this.#absent.delete(record.module);
    this.counts[absent ? 'noDevice' : COUNTED[result]]++;
    if (result === 'failed' && record.errno !== undefined && record.cause !== 'no-device') {
      this.#inTurn(async () => this.#tell(await this.#explained(record), result, absent));
    } else if (this.#untold === undefined) this.#tell(record, result, absent);
    else this.#inTurn(() => this.#tell(record, result, absent));
  }

  #inTurn(work: () => void | Promise<void>): void {
    const before = this.#untold ?? Promise.resolve();
    const turn: Promise<void> = before
      .then(work)
      // One record that cannot be told must not keep the next ones.
      .catch((error: unknown) =>
        this.#log.line('error', `a record was not told, a defect of plugd: ${reason(error)}`, { event: 'fault' }),
      )
      .then(() => {
        if (this.#untold === turn) this.#untold = undefined;
      });
    this.#untold = turn;
  }

  async #explained(record: ModuleRecord): Promise<ModuleRecord> {
    try {
      return await this.#explain(record);
    } catch (error) {
      // A tree that has just been replaced, say: the errno still tells something.
      this.#log.line('debug', `${record.module}: not explained: ${reason(error)}`, { module: record.module });
      return record;
    }
  }

  #tell(record: ModuleRecord, result: Decision['event'] & keyof typeof COUNTED, absent: boolean): void {
    const { module } = record;
    const took = record.startedMs === undefined ? undefined : (record.endedMs ?? record.startedMs) - record.startedMs;
    const why = failureText(record);
    const fields = {
      event: result,
      module,
      ...fieldsOf(record.requester),
      for: record.for,
      why: record.why,
      cause: record.cause,
      evidence: record.evidence,
      remedy: record.remedy,
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
      this.#log.line(absent ? 'info' : 'warn', `${module}: ${why}`, fields);
    }
    for (const listener of this.listeners) listener({ event: result, record });
  }

  /** LoaderObserver: a module that a rule keeps out. */
  blocked(record: BlockedRecord): void {
    this.counts.blocked++;
    const { place, reason: why, kind, module } = record;
    const at = place === undefined ? '' : ` (${placeText(place)})`;
    this.#log.line('info', readable(`blocked ${module}: ${why}${at}`), {
      event: 'blocked',
      kind,
      module,
      ...fieldsOf(record.requester),
      reason: why,
      rule: place === undefined ? undefined : `${place.file}:${place.line}`,
    });
    for (const listener of this.listeners) listener({ event: 'blocked', record });
  }

  /** A module that somebody else loaded; `perhapsKnown` when that may have been told before. */
  outside(module: ModuleName, perhapsKnown = false): void {
    if (perhapsKnown && this.ledger.findLast((entry) => entry.module === module)?.by === 'outside') return;
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
