/** What the agent does for each uevent. */
import { moduleName } from '../base/names.ts';
import { ownText } from '../base/machine-text.ts';
import { deviceOfUevent } from '../facts/devices/device.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import type { Loader } from '../load/loader.ts';
import type { Log } from '../report/logging/log.ts';
import type { ModuleNews } from './module-news.ts';
import type { Monitors } from './monitors.ts';

/** Who hears of uevents. */
export interface UeventHandlerOptions {
  readonly log: Log;
  readonly monitors: Pick<Monitors, 'uevent'>;
  readonly moduleNews: Pick<ModuleNews, 'uevent'>;
  readonly loader: Pick<Loader, 'device' | 'deviceGone'>;
  /** Whether the agent is ending: nothing is loaded any more. */
  readonly stopping: () => boolean;
}

/** Handles uevents, and counts those that announce a device to load for. */
export class UeventHandler {
  readonly #options: UeventHandlerOptions;
  used = 0;

  constructor(options: UeventHandlerOptions) {
    this.#options = options;
  }

  /** One uevent, in the order of arrival. */
  handle(uevent: Uevent): void {
    const { log, monitors, moduleNews, loader, stopping } = this.#options;
    const { action, devpath, subsystem } = uevent;
    monitors.uevent(uevent);
    if (log.debugging) log.line('debug', `${action} ${devpath}`, { event: 'uevent', subsystem, seqnum: uevent.seqnum });
    if (stopping()) return;
    if (subsystem === 'module') {
      moduleNews.uevent(action, moduleName(ownText(devpath.slice(devpath.lastIndexOf('/') + 1))));
    }
    // Only `add` loads: loading on bind or change would bring back what an administrator has just removed.
    if (action === 'add') {
      this.used++;
      loader.device(deviceOfUevent(uevent));
    } else if (action === 'remove') {
      loader.deviceGone(devpath);
    } else if (action === 'move') {
      loader.deviceGone((uevent.properties.get('DEVPATH_OLD') ?? devpath) as typeof devpath);
    }
  }
}
