/** Remembers which blocked modules were reported, so that each is reported once. In memory only. */
import type { Devpath } from '../base/names.ts';
import type { BlockedRecord } from '../records/coldplug-run.ts';

/** The most records, and keys of reported ones, to keep; later ones are reported again. */
const MOST_RECORDS = 4096;

/** The modules that rules or the policy block. Each reason counts once; what the policy denies, once for each device. */
export class BlockedModules {
  readonly #records: BlockedRecord[] = [];
  readonly #keys = new Set<string>();
  readonly #denied = new Map<Devpath, Set<string>>();

  /** The newest last; the oldest are dropped beyond 4096. */
  get records(): readonly BlockedRecord[] {
    return this.#records;
  }

  /** Adds a record; false when the same was known. */
  add(record: BlockedRecord): boolean {
    const { devpath } = record.requester;
    let keys = this.#keys;
    if (record.kind === 'denied' && devpath !== '') {
      keys = this.#denied.get(devpath) ?? new Set();
      this.#denied.set(devpath, keys);
    }
    const key = `${record.module} ${record.kind} ${record.reason}`;
    if (keys.has(key)) return false;
    if (keys.size < MOST_RECORDS) keys.add(key);
    if (this.#records.length === MOST_RECORDS) this.#records.shift();
    this.#records.push(record);
    return true;
  }

  /** Forgets what was denied to a device, so that it is reported again when the device comes back. */
  deviceGone(devpath: Devpath): void {
    this.#denied.delete(devpath);
  }

  /** Forgets everything, for new rules. */
  clear(): void {
    this.#records.length = 0;
    this.#keys.clear();
    this.#denied.clear();
  }
}
