/** Which modules are loaded, without reading /proc/modules for each question. Reads the kernel's state; loads nothing. */
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { readAttribute } from '../attribute.ts';
import { readLoadedModules, type ModuleState } from './kernel-state.ts';

/** What changed between two readings of /proc/modules. */
export interface LoadedChange {
  readonly came: readonly ModuleName[];
  readonly gone: readonly ModuleName[];
}

/**
 * The loaded modules. Callers keep them up to date with what they learn: uevents (`add@/module/e1000e`), insertions, and now and
 * then all of /proc/modules. Reading it for every plan would cost some ten kilobytes each time.
 */
export class LoadedModules {
  readonly #host: Host;
  readonly #states: Map<ModuleName, ModuleState>;

  /** Reads /proc/modules; where there is none, nothing is loaded. */
  constructor(host: Host) {
    this.#host = host;
    this.#states = new Map(readLoadedModules(host));
  }

  /** What is loaded, in no order. */
  names(): Iterable<ModuleName> {
    return this.#states.keys();
  }

  /** A module's state; undefined when it is not loaded. Asks sysfs again for one that was still on its way. */
  state(module: ModuleName): ModuleState | undefined {
    const known = this.#states.get(module);
    if (known === undefined || known === 'live') return known;
    const now = this.#initstate(module);
    if (now === 'live') this.#states.set(module, now);
    return now === 'live' || now === 'going' ? now : known;
  }

  /**
   * The kernel announced a module. Returns whether that is news: udevadm trigger announces every directory of /sys/module again,
   * even that of a module whose init is about to refuse, and the module may be gone when plugd reads the announcement.
   */
  came(module: ModuleName): boolean {
    if (this.#states.has(module)) return false;
    const state = this.#initstate(module);
    if (state === undefined) return false;
    this.#states.set(module, state === 'live' ? 'live' : 'coming');
    return true;
  }

  /** An insertion succeeded. */
  live(module: ModuleName): void {
    this.#states.set(module, 'live');
  }

  /** The kernel announced that a module is gone. */
  gone(module: ModuleName): void {
    this.#states.delete(module);
  }

  /** Reads /proc/modules; returns what came and went unannounced. */
  refresh(): LoadedChange {
    const now = readLoadedModules(this.#host) ?? new Map<ModuleName, ModuleState>();
    const came = [...now.keys()].filter((module) => !this.#states.has(module));
    const gone = [...this.#states.keys()].filter((module) => !now.has(module));
    for (const module of gone) this.#states.delete(module);
    for (const [module, state] of now) this.#states.set(module, state);
    return { came, gone };
  }

  /** `live`, `coming`, `going`; undefined when there is no such module, or it is built in. */
  #initstate(module: ModuleName): string | undefined {
    return readAttribute(`${this.#host.sysfs}/module/${module}/initstate`);
  }
}
