/**
 * Hears of modules that come and go, from the kernel's uevents, and tells the chronicle (the agent's log in memory) who did it: plugd's own
 * insertions, or a user's modprobe and rmmod. Loads and removes nothing.
 */
import type { ModuleName } from '../base/names.ts';
import type { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Loader } from '../load/loader.ts';
import type { ModuleRecord } from '../records/coldplug-run.ts';
import type { Chronicle } from './chronicle.ts';

export interface ModuleNewsOptions {
  readonly loaded: LoadedModules;
  readonly chronicle: Chronicle;
  /** Asked for late: the loader tells of its insertions here. */
  loader(): Loader;
}

/** Keeps what is known of loaded modules up to date, and tells the chronicle of those that somebody else loaded. */
export class ModuleNews {
  readonly #options: ModuleNewsOptions;

  constructor(options: ModuleNewsOptions) {
    this.#options = options;
  }

  /** A uevent of a module. People can have one announced again, which is no news. */
  uevent(action: string, module: ModuleName): void {
    const { loaded } = this.#options;
    if (action === 'add') {
      if (loaded.came(module)) this.came(module);
    } else if (action === 'remove') {
      loaded.gone(module);
      this.#options.loader().moduleGone(module);
    }
  }

  /** A module is there that was not known: plugd's own when it is being inserted. */
  came(module: ModuleName): void {
    if (!this.#options.loader().modules.isInserting(module)) this.#options.chronicle.outside(module);
  }

  /** A module's insertion has ended. */
  ended({ result, module }: ModuleRecord): void {
    const { loaded, chronicle } = this.#options;
    if (result === 'inserted' || result === 'already-loaded') loaded.live(module);
    // Somebody was quicker: what a uevent announced in the meantime was taken for plugd's own.
    if (result === 'already-loaded') chronicle.outside(module, true);
  }
}
