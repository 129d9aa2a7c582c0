import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { readAttribute } from '../attribute.ts';
import { readLoadedModules, type ModuleState } from './kernel-state.ts';

/** What changed between two looks at /proc/modules. */
export interface LoadedChange {
  readonly came: readonly ModuleName[];
  readonly gone: readonly ModuleName[];
}

/**
 * The loaded modules, kept up to date by whoever hears of changes: uevents (`add@/module/e1000e`), insertions, and now and then
 * a look at all of /proc/modules. A look for every plan would read some ten kilobytes each time.
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

  /** A module's state; undefined when it is not loaded. One that was on its way is looked at again. */
  state(module: ModuleName): ModuleState | undefined {
    const known = this.#states.get(module);
    if (known === undefined || known === 'live') return known;
    const now = this.#initstate(module);
    if (now === 'live') this.#states.set(module, now);
    return now === 'live' || now === 'going' ? now : known;
  }

  /**
   * A module was announced. Answers whether that is news: udevadm trigger announces every directory of /sys/module again, also
   * that of a module whose init is about to refuse, and such an announcement may be read when the module is gone.
   */
  came(module: ModuleName): boolean {
    if (this.#states.has(module)) return false;
    const state = this.#initstate(module);
    if (state === undefined) return false;
    this.#states.set(module, state === 'live' ? 'live' : 'coming');
    return true;
  }

  /** An insertion ended well. */
  live(module: ModuleName): void {
    this.#states.set(module, 'live');
  }

  /** The kernel announced that a module has gone. */
  gone(module: ModuleName): void {
    this.#states.delete(module);
  }

  /** Looks at /proc/modules; answers what came and went unheard. */
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
