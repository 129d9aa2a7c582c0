/** The agent's coldplug: everything that is there, and what appears meanwhile, until nothing more comes. */
import { readable } from '../report/terminal.ts';
import { counted, placeText } from '../base/words.ts';
import { askForEntry, type ReadBootLists } from '../load/boot-lists.ts';
import type { Loader } from '../load/loader.ts';
import { sinceStart } from '../load/turns.ts';
import type { Waiting } from '../records/waiting.ts';
import { waitingText } from '../report/loading-text.ts';
import type { Log } from '../report/logging/log.ts';
import { problemLine } from '../report/problem-line.ts';
import type { Chronicle } from './chronicle.ts';
import type { PolicyFile } from './policy-file.ts';
import type { RescanResult } from './rescan.ts';
import type { Settling } from './settling.ts';

/** What a boot works with. */
export interface BootOptions {
  readonly log: Log;
  readonly loader: Pick<Loader, 'sources' | 'request'>;
  /** What lists for boot name; it is asked for first. */
  readonly lists?: ReadBootLists;
  readonly chronicle: Pick<Chronicle, 'counts'>;
  readonly policy: Pick<PolicyFile, 'phase' | 'pending'>;
  readonly settling: Pick<Settling, 'settle'>;
  /** Asks for every device of sysfs. */
  readonly rescan: () => Promise<RescanResult>;
  /** The clock, ms; sinceStart() when left out. */
  readonly now?: () => number;
}

/**
 * The policy's rules for after boot hold once the coldplug has settled. An init or install command that hangs must not keep them out
 * for good: they also hold once nothing but such work is left and nothing has begun or ended for this time,
 */
const QUIET_MS = 30_000;
/** and in any case after this time. */
const LONGEST_BOOT_MS = 120_000;
/** Work that has been asked for: no device is still to be found. */
const ASKED_FOR: ReadonlySet<Waiting['kind']> = new Set(['queued', 'insertion', 'explanation']);

/** From the agent's start to the first time that it has settled, and what it is doing since. */
export class Boot {
  readonly #options: BootOptions;
  readonly started = new Date();
  state: 'coldplug' | 'serving' | 'stopping' = 'coldplug';
  /** How long the coldplug took; undefined until it has settled. */
  tookMs: number | undefined;
  /** What it came to: `126 modules for 312 devices`; '' until it has settled. */
  summary = '';

  constructor(options: BootOptions) {
    this.#options = options;
  }

  /** Runs the coldplug; resolves when it has settled (true), or when the agent is stopping (false). */
  async run(): Promise<boolean> {
    const { log, chronicle, policy } = this.#options;
    const { pending } = policy;
    if (pending.length > 0) {
      log.line(
        'info',
        `${counted(pending.length, 'rule')} of the policy ${pending.length === 1 ? 'holds' : 'hold'} only after boot: ${pending.join('; ')}`,
        {
          event: 'policy',
          pending,
        },
      );
    }
    this.#askForLists();
    // Side by side: a read of sysfs that hangs must not keep the policy's rules out either.
    const [devices] = await Promise.all([this.#askForAll(), this.#settle()]);
    if (this.state === 'stopping') return false;
    this.state = 'serving';
    policy.phase = 'after-boot';
    this.tookMs = Date.now() - this.started.getTime();
    const { inserted, failed, skipped, blocked } = chronicle.counts;
    this.summary = `${inserted} modules for ${devices} devices`;
    log.line('info', `coldplug has settled: ${this.summary}`, {
      event: 'settled',
      devices,
      inserted,
      failed: failed + skipped,
      blocked,
      ms: this.tookMs,
    });
    return true;
  }

  #askForLists(): void {
    const { log, loader, lists = { entries: [], problems: [] } } = this.#options;
    for (const problem of lists.problems)
      log.line('warn', problemLine(problem), { event: 'problem', file: problem.file, line: problem.line });
    for (const entry of lists.entries) {
      if (askForEntry(loader, entry).length > 0) continue;
      const { name, place } = entry;
      const words = `${name} is not found: no module has that name or alias (${placeText(place)})`;
      log.line('warn', readable(words), { event: 'boot-list', name, file: place.file, line: place.line });
    }
  }

  async #askForAll(): Promise<number> {
    const { log, loader, rescan } = this.#options;
    const { devices } = await rescan();
    for (const problem of loader.sources.problems()) {
      log.line('warn', problemLine(problem), { event: 'problem', file: problem.file, line: problem.line });
    }
    return devices;
  }

  async #settle(): Promise<void> {
    const { settling, now = sinceStart } = this.#options;
    const beganMs = now();
    let sinceMs = beganMs;
    let waiting: readonly Waiting[] = [];
    await settling.settle(
      {},
      undefined,
      (other) => {
        waiting = other;
        sinceMs = now();
      },
      () => {
        const isQuiet = waiting.length > 0 && waiting.every(({ kind }) => ASKED_FOR.has(kind));
        if ((isQuiet && now() - sinceMs >= QUIET_MS) || now() - beganMs >= LONGEST_BOOT_MS) this.#turn(waiting);
        return this.state === 'stopping';
      },
    );
  }

  /** Puts the rules for after boot in force before the coldplug has settled. */
  #turn(waiting: readonly Waiting[]): void {
    const { log, policy } = this.#options;
    const { pending } = policy;
    policy.phase = 'after-boot';
    if (pending.length === 0) return;
    const words = `the policy's rules for after boot hold from now on, although the coldplug waits for`;
    log.line('warn', `${words} ${waiting.map(waitingText).join(', ')}`, { event: 'policy', rules: pending });
  }
}
