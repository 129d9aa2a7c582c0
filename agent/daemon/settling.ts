/**
 * Decides whether the agent has settled and, if not, names what it is waiting for.
 *
 * Settled: every uevent that the kernel has numbered has come, nothing is queued or in flight, no rescan is due, and no
 * bus that finds its devices in the background is about to find more. SEQNUMs that stay away belong to other network
 * namespaces; they are waited for only briefly.
 */
import type { Host } from '../base/host.ts';
import { moduleName, type Modalias, type ModuleName } from '../base/names.ts';
import { findDevice } from '../facts/devices/device-search.ts';
import type { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Hearing } from '../load/hearing.ts';
import type { Loader } from '../load/loader.ts';
import { pause, sinceStart } from '../load/turns.ts';
import { sameWaiting, type Waiting } from '../records/waiting.ts';
import { failureText } from '../report/loading-text.ts';
import { compileGlob } from '../rules/glob.ts';

/** What a settle waits for; everything when nothing is named. */
export interface SettleTarget {
  readonly module?: string | undefined;
  /** A syspath, devpath, bus address or other word for a device. */
  readonly device?: string | undefined;
  /** A glob. */
  readonly modalias?: string | undefined;
}

/** How a settle ended. */
export interface SettleEnd {
  readonly settled: boolean;
  /** What it was still waiting for. */
  readonly waiting: readonly Waiting[];
}

/** What a settle looks at. */
export interface SettlingOptions {
  readonly host: Host;
  readonly loader: Pick<Loader, 'known' | 'answers' | 'sources'> & {
    readonly modules: Pick<Loader['modules'], 'waitingFor' | 'record'>;
  };
  readonly hearing: Pick<Hearing, 'behind' | 'silentMs' | 'queued'> & {
    readonly buses: Pick<Hearing['buses'], 'expecting'>;
  };
  readonly loaded: Pick<LoadedModules, 'state'>;
  /** Work that is due and that the loader does not know of; undefined when there is none. */
  due(): Waiting | undefined;
  /** The clock, ms, and a wait by it; sinceStart() and pause() when left out. */
  readonly now?: () => number;
  readonly pause?: (ms: number) => Promise<void>;
}

/** SEQNUMs that the kernel counts but this socket never gets belong to another network namespace. */
const FOREIGN_MS = 100;
/** How often a settle looks, while a client waits for one. */
const LOOK_MS = 15;

/** Knows what still has to happen before the agent has settled. */
export class Settling {
  readonly #options: SettlingOptions;
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<void>;

  constructor(options: SettlingOptions) {
    this.#options = options;
    this.#now = options.now ?? sinceStart;
    this.#pause = options.pause ?? pause;
  }

  /** What is being waited for now; empty when settled. */
  waiting(target: SettleTarget = {}): readonly Waiting[] {
    const { module, device, modalias } = target;
    const reasons: Waiting[] = [];
    if (module !== undefined) reasons.push(...this.#forModule(moduleName(module)));
    if (device !== undefined) reasons.push(...this.#forDevice(device));
    if (modalias !== undefined) reasons.push(...this.#forModalias(modalias));
    if (module !== undefined || device !== undefined || modalias !== undefined) return reasons;
    return this.#forAll();
  }

  /**
   * Waits, and calls `changed` whenever it begins to wait for something else. `timeoutMs` undefined: without an end. `stopped` is
   * asked at each look, and ends the wait.
   */
  async settle(
    target: SettleTarget,
    timeoutMs: number | undefined,
    changed: (waiting: readonly Waiting[]) => void,
    stopped: () => boolean,
  ): Promise<SettleEnd> {
    const deadline = timeoutMs === undefined ? Infinity : this.#now() + timeoutMs;
    let told: readonly Waiting[] = [];
    for (;;) {
      const waiting = this.waiting(target);
      if (waiting.length === 0) return { settled: true, waiting };
      if (this.#now() >= deadline || stopped()) return { settled: false, waiting };
      if (!sameWaiting(waiting, told)) {
        told = waiting;
        changed(waiting);
      }
      await this.#pause(Math.max(0, Math.min(LOOK_MS, deadline - this.#now())));
    }
  }

  #isLoaded(module: ModuleName): boolean {
    return this.#options.loaded.state(module) === 'live';
  }

  #forAll(): readonly Waiting[] {
    const { loader, hearing } = this.#options;
    const reasons = [...loader.modules.waitingFor()];
    const work = this.#options.due();
    if (work !== undefined) reasons.push(work);
    const behind = hearing.behind();
    if (behind > 0 && (hearing.silentMs < FOREIGN_MS || hearing.queued())) {
      reasons.push({ kind: 'uevents', count: behind });
    }
    const more = hearing.buses.expecting();
    if (more !== undefined) reasons.push(more);
    return reasons;
  }

  #forModule(module: ModuleName): readonly Waiting[] {
    const { loader } = this.#options;
    if (this.#isLoaded(module) || loader.sources.matcher.isBuiltin(module)) return [];
    const task = loader.modules.waitingFor([module]);
    if (task.length > 0) return task;
    const record = loader.modules.record(module);
    const why = record === undefined ? '' : failureText(record);
    return [{ kind: 'module', module, ...(why === '' ? {} : { why }) }];
  }

  #forDevice(word: string): readonly Waiting[] {
    const { host, loader } = this.#options;
    const found = findDevice(host, word);
    if (found.kind !== 'device') return [{ kind: 'device', device: word, there: false }];
    const modaliases = loader.known.get(found.device.devpath);
    if (modaliases === undefined) return [{ kind: 'device', device: word, there: true }];
    return this.#forModaliases(modaliases);
  }

  #forModalias(pattern: string): readonly Waiting[] {
    const matches = compileGlob(pattern);
    const found = new Set<Modalias>();
    for (const modaliases of this.#options.loader.known.values()) {
      for (const modalias of modaliases) if (matches(modalias)) found.add(modalias);
    }
    return found.size === 0 ? [{ kind: 'modalias', modalias: pattern }] : this.#forModaliases([...found]);
  }

  #forModaliases(modaliases: readonly Modalias[]): readonly Waiting[] {
    const { loader } = this.#options;
    const modules = modaliases.flatMap((modalias) => loader.answers.get(modalias)?.modules ?? []);
    return modules.length === 0 ? [] : loader.modules.waitingFor(modules);
  }
}
