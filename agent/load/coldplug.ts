/**
 * Coldplug: the drivers of all devices that are there, and of those that appear while their parents' drivers start.
 *
 * The socket is opened first, then sysfs is read, then what arrived meanwhile is worked on: no device falls between. Nothing
 * is triggered: reading sysfs asks for no new uevents, so other listeners notice nothing.
 */
import { reason } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { deviceOfUevent, readDevicesAsync, type Device } from '../facts/devices/device.ts';
import { readKernelCompression } from '../facts/kernel/kernel-state.ts';
import { hasFailures, type ColdplugRun, type KernelRequests, type ModuleRecord } from '../records/coldplug-run.ts';
import { coldplugEnd } from './coldplug-end.ts';
import { Hearing } from './hearing.ts';
import { Loader, type LoaderObserver } from './loader.ts';
import { mayInsert } from './permission.ts';
import { openSources, type Sources } from './sources.ts';
import { byRank, sinceStart } from './turns.ts';

export interface ColdplugOptions {
  readonly host: Host;
  readonly jobs: number;
  /** After this many ms it ends, settled or not; insertions in flight are left alone. */
  readonly timeoutMs: number;
  /** Plan only: needs no root, opens no socket, changes nothing. */
  readonly dryRun: boolean;
  readonly observer?: LoaderObserver | undefined;
  /** Serves the kernel's own requests. Called once the first insertions are under way; closed at the end. */
  readonly serve?: ((loader: Loader) => Promise<Serving | undefined>) | undefined;
  /** Explains what failed, once everything is over: it reads files and the kernel's log, which costs more than loading. */
  readonly explain?:
    | ((sources: Sources, records: readonly ModuleRecord[]) => Promise<readonly ModuleRecord[]>)
    | undefined;
}

/** The kernel's own requests being served. */
export interface Serving {
  readonly counts: KernelRequests;
  close(): void;
}

/**
 * Runs a coldplug to its end. Errors: `no-module-support`, `no-permission`, `unsupported` (modules_disabled),
 * `no-modules-directory`, each a sentence that says what to do.
 */
export async function coldplug(options: ColdplugOptions): Promise<ColdplugRun> {
  const { host, dryRun } = options;
  const called = sinceStart();
  if (!dryRun) mayInsert(host);
  let loader: Loader | undefined;
  let used = 0;
  // What comes before the loader is there waits in the socket: nothing is received before the first turn of others.
  const hearing = dryRun
    ? undefined
    : new Hearing(
        host,
        {
          uevent: (uevent) => {
            // Only `add` loads: loading on bind or change would bring back what an administrator has just removed.
            if (uevent.action !== 'add') return;
            used++;
            loader?.device(deviceOfUevent(uevent));
          },
          fault: (error) => process.emitWarning(`a uevent was not handled, a defect of plugd: ${reason(error)}`),
        },
        { optional: true },
      );
  let serving: Promise<Serving | undefined> | undefined;
  try {
    // Other threads read while this one opens the indexes.
    const begun = readDevicesAsync(host.sysfs);
    const sources = openSources(host);
    const opened = sinceStart();
    const load = new Loader({
      host,
      sources,
      jobs: options.jobs,
      dryRun,
      kernelCompression: readKernelCompression(host.sysfs),
      observer: options.observer,
    });
    loader = load;
    await loadAll(load, begun, () => {
      serving = options.serve?.(load);
    });
    const planned = sinceStart();
    hearing?.buses.look();
    const settled =
      hearing === undefined
        ? undefined
        : await coldplugEnd({
            timeoutMs: options.timeoutMs,
            loader: load,
            hearing,
            readAgain: async () => loadAll(load, readDevicesAsync(host.sysfs)),
          });
    const kernelRequests = (await serving)?.counts;
    const wallMs = sinceStart();
    const run = load.result();
    const { explain } = options;
    const modules =
      explain !== undefined && hasFailures(run.modules) && !dryRun ? await explain(sources, run.modules) : run.modules;
    return {
      kernel: host.kernel,
      moduleDir: host.moduleDir,
      jobs: options.jobs,
      dryRun,
      wallMs,
      phases: [
        { name: 'start', startedMs: 0, endedMs: called },
        { name: 'rules', startedMs: called, endedMs: opened },
        { name: 'devices', startedMs: opened, endedMs: planned },
        { name: 'settle', startedMs: planned, endedMs: wallMs },
      ],
      ...run,
      modules,
      problems: sources.problems(),
      uevents: ueventCounts(hearing, used, settled?.rescans ?? 0),
      ...(kernelRequests === undefined ? {} : { kernelRequests }),
      ...(settled?.unsettled === undefined ? {} : { unsettled: settled.unsettled }),
    };
  } finally {
    (await serving)?.close();
    hearing?.close();
  }
}

function ueventCounts(hearing: Hearing | undefined, used: number, rescans: number): ColdplugRun['uevents'] {
  if (hearing === undefined) return { received: 0, used, gaps: 0, rescans, dropped: 0 };
  const { received, gaps, spoofed, otherGroup, malformed, truncated } = hearing.counters;
  return { received, used, gaps, rescans, dropped: spoofed + otherGroup + malformed + truncated };
}

/** Asks for the drivers of all these devices; `begun` is called once something is being inserted. */
async function loadAll(
  loader: Loader,
  batches: ReadonlyArray<Promise<Iterable<Device>>>,
  begun?: () => void,
): Promise<void> {
  let waiting = begun;
  // Reading and asking the load rules waits until the first insertions are under way.
  let unasked: Device[] = [];
  const askRules = () => {
    for (const device of unasked) loader.deviceRules(device);
    unasked = [];
  };
  const work = (device: Device): boolean => {
    const known = loader.answers.size;
    loader.deviceItself(device);
    unasked.push(device);
    if (waiting !== undefined && loader.modules.open > 0) {
      waiting();
      waiting = undefined;
    }
    return loader.answers.size === known;
  };
  await byRank(batches, work, { between: askRules });
  askRules();
}
