/**
 * What plugd would do about each uevent, for a monitor where no agent runs: the loader's own way through match, rules and plan, without
 * its end. Reads only.
 */
import type { Host } from '../base/host.ts';
import { moduleName } from '../base/names.ts';
import { ownText } from '../base/machine-text.ts';
import { deviceOfUevent } from '../facts/devices/device.ts';
import { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { Loader } from '../load/loader.ts';
import { openSources, type Sources } from '../load/sources.ts';
import type { BlockedRecord } from '../records/coldplug-run.ts';
import type { Decision } from '../records/monitor-item.ts';

/**
 * What would be done about the uevents of one machine, whose tree and rules are read once:
 *
 *     new ForeseenLoading(openHost()).of(uevent)   // [{ event: 'would-insert', record: { module: 'usb_storage', … } }]
 *
 * Errors: `no-modules-directory`.
 */
export class ForeseenLoading {
  readonly #host: Host;
  readonly #loaded: LoadedModules;
  readonly #sources: Sources;

  constructor(host: Host) {
    this.#host = host;
    this.#loaded = new LoadedModules(host);
    this.#sources = openSources(host, (module) => this.#loaded.state(module));
  }

  /** The decisions in their order; none for a uevent that announces no device, or a device whose modules are all loaded. */
  of(uevent: Uevent): readonly Decision[] {
    const { action, devpath, subsystem } = uevent;
    if (subsystem === 'module') {
      const module = moduleName(ownText(devpath.slice(devpath.lastIndexOf('/') + 1)));
      if (action === 'remove') this.#loaded.gone(module);
      else this.#loaded.came(module);
    }
    if (action !== 'add') return [];
    const blocked: BlockedRecord[] = [];
    // One for each uevent: what an earlier one would have loaded is not loaded.
    const loader = new Loader({
      host: this.#host,
      sources: this.#sources,
      jobs: 1,
      dryRun: true,
      kernelCompression: undefined,
      observer: { blocked: (record) => blocked.push(record) },
    });
    loader.device(deviceOfUevent(uevent));
    return [
      ...blocked.map((record) => ({ event: 'blocked' as const, record })),
      ...loader.modules.records().map((record) => ({
        event: record.result === 'planned' ? ('would-insert' as const) : ('would-fail' as const),
        record,
      })),
    ];
  }
}
