/**
 * When there is nothing more to wait for, and what it is otherwise, by name.
 *
 * Settled: every uevent that the kernel has numbered has come, nothing is queued or in flight, no rescan is due, and no
 * bus that finds its devices in the background is about to find more. SEQNUMs that stay away belong to other network
 * namespaces; they are waited for only briefly.
 */
import type { Host } from '../base/host.ts';
import { moduleName, type Modalias, type ModuleName } from '../base/names.ts';
import { findDevice } from '../facts/devices/device-search.ts';
import type { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Loader } from '../load/loader.ts';
import { compileGlob } from '../rules/glob.ts';
import { failureText } from './chronicle.ts';
import type { Hearing } from '../load/hearing.ts';

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
  readonly waiting: readonly string[];
}

export interface SettlingOptions {
  readonly host: Host;
  readonly loader: Loader;
  readonly hearing: Hearing;
  readonly loaded: LoadedModules;
  /** Work that is due and not in the scheduler: `a rescan of sysfs`; undefined when there is none. */
  due(): string | undefined;
}

/** SEQNUMs that the kernel counts but this socket never gets belong to another network namespace. */
const FOREIGN_MS = 100;
/** How often somebody who waits looks. Nobody looks while nobody waits. */
const LOOK_MS = 15;

/** Knows what is missing to being settled. */
export class Settling {
  readonly #options: SettlingOptions;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /** What is being waited for now; empty when settled. */
  waiting(target: SettleTarget = {}): readonly string[] {
    const { module, device, modalias } = target;
    const reasons: string[] = [];
    if (module !== undefined) reasons.push(...this.#forModule(moduleName(module)));
    if (device !== undefined) reasons.push(...this.#forDevice(device));
    if (modalias !== undefined) reasons.push(...this.#forModalias(modalias));
    if (module !== undefined || device !== undefined || modalias !== undefined) return reasons;
    return this.#forAll();
  }

  /**
   * Waits, telling `changed` whenever the reasons are others; `timeoutMs` undefined waits for ever. `stopped` is asked each
   * time, and ends it.
   */
  async settle(
    target: SettleTarget,
    timeoutMs: number | undefined,
    changed: (waiting: readonly string[]) => void,
    stopped: () => boolean,
  ): Promise<SettleEnd> {
    const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    let told = '';
    for (;;) {
      const waiting = this.waiting(target);
      if (waiting.length === 0) return { settled: true, waiting };
      if (performance.now() >= deadline || stopped()) return { settled: false, waiting };
      // Seconds that pass are no news; what is waited for is.
      const names = waiting.map((text) => text.replace(/\d+\.\d s/, '')).join('\n');
      if (names !== told) {
        told = names;
        changed(waiting);
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, Math.max(0, Math.min(LOOK_MS, deadline - performance.now())));
      });
    }
  }

  #isLoaded(module: ModuleName): boolean {
    return this.#options.loaded.state(module) === 'live';
  }

  #forAll(): readonly string[] {
    const { loader, hearing } = this.#options;
    const reasons = [...loader.waitingFor()];
    const work = this.#options.due();
    if (work !== undefined) reasons.push(work);
    const behind = hearing.behind();
    if (behind > 0 && (hearing.silentMs < FOREIGN_MS || hearing.queued())) {
      reasons.push(`${behind} uevents of the kernel`);
    }
    const more = hearing.buses.expecting();
    if (more !== undefined) reasons.push(more);
    return reasons;
  }

  #forModule(module: ModuleName): readonly string[] {
    const { loader } = this.#options;
    if (this.#isLoaded(module) || loader.sources.matcher.isBuiltin(module)) return [];
    const task = loader.waitingFor([module]);
    if (task.length > 0) return task;
    const record = loader.record(module);
    const why = record === undefined ? '' : failureText(record);
    return [`${module} (${why === '' ? 'nobody has asked for it' : why})`];
  }

  #forDevice(word: string): readonly string[] {
    const { host, loader } = this.#options;
    const found = findDevice(host, word);
    if (found.kind !== 'device') return [`device ${word} (not there)`];
    const modaliases = loader.known.get(found.device.devpath);
    if (modaliases === undefined) return [`device ${word} (not seen yet)`];
    return this.#forModaliases(modaliases);
  }

  #forModalias(pattern: string): readonly string[] {
    const matches = compileGlob(pattern);
    const found = new Set<Modalias>();
    for (const modaliases of this.#options.loader.known.values()) {
      for (const modalias of modaliases) if (matches(modalias)) found.add(modalias);
    }
    return found.size === 0 ? [`a device with modalias ${pattern} (not there)`] : this.#forModaliases([...found]);
  }

  #forModaliases(modaliases: readonly Modalias[]): readonly string[] {
    const { loader } = this.#options;
    const modules = modaliases.flatMap((modalias) => loader.answers.get(modalias)?.modules ?? []);
    return modules.length === 0 ? [] : loader.waitingFor(modules);
  }
}
