/**
 * Coldplug: the drivers of all devices that are there, and of those that appear while their parents' drivers start.
 *
 * The socket is opened first, then sysfs is read, then what arrived meanwhile is worked on: no device falls between. Nothing
 * is triggered: reading sysfs asks for no new uevents, so other listeners notice nothing.
 */
import { PlugdError } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { deviceOfUevent, readDevicesLater, type Device } from '../facts/devices/device.ts';
import { readInsertionFacts, readKernelCompression, readUeventSeqnum } from '../facts/kernel/kernel-state.ts';
import { openUeventSocket, type UeventSocket } from '../facts/uevents/uevent-socket.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { hasFailures, type ColdplugRun, type KernelRequests, type ModuleRecord } from '../records/coldplug-run.ts';
import { BackgroundBuses } from './background-buses.ts';
import { Loader, type LoaderObserver } from './loader.ts';
import { sinceStart } from './module-record.ts';
import { inOrderOfRank } from './rank.ts';
import { openSources, type Sources } from './sources.ts';

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

/** While sysfs is read, other things get their turn this often. */
export const TURN_MS = 4;
/** A seqnum that the kernel counts but this socket never gets belongs to another network namespace. */
const SILENT_SEQNUM_MS = 100;
/** Between two looks at whether more devices are to be expected. */
const PAUSE_MS = 10;

/**
 * Runs a coldplug to its end. Errors: `no-module-support`, `no-permission`, `unsupported` (modules_disabled),
 * `no-modules-directory`, each a sentence that says what to do.
 */
export async function coldplug(options: ColdplugOptions): Promise<ColdplugRun> {
  const { host, dryRun } = options;
  if (!dryRun) mayInsert(host);
  const hearing = dryRun ? undefined : new Hearing(host);
  let serving: Promise<Serving | undefined> | undefined;
  try {
    // Other threads read while this one opens the indexes.
    const begun = readDevicesLater(host.sysfs);
    const sources = openSources(host);
    const loader = new Loader({
      host,
      sources,
      jobs: options.jobs,
      dryRun,
      kernelCompression: readKernelCompression(host.sysfs),
      observer: options.observer,
    });
    hearing?.begin(loader);
    await loadAll(loader, begun, () => {
      serving = options.serve?.(loader);
    });
    hearing?.buses.look();
    const unsettled = hearing === undefined ? undefined : await settle(options, loader, hearing);
    const kernelRequests = (await serving)?.counts;
    const wallMs = sinceStart();
    const run = loader.result();
    const { explain } = options;
    const modules =
      explain !== undefined && hasFailures(run.modules) && !dryRun ? await explain(sources, run.modules) : run.modules;
    return {
      kernel: host.kernel,
      moduleDir: host.moduleDir,
      jobs: options.jobs,
      dryRun,
      wallMs,
      ...run,
      modules,
      problems: sources.problems(),
      uevents: hearing?.counts() ?? { received: 0, used: 0, gaps: 0, rescans: 0, dropped: 0 },
      ...(kernelRequests === undefined ? {} : { kernelRequests }),
      ...(unsettled === undefined ? {} : { unsettled }),
    };
  } finally {
    (await serving)?.close();
    hearing?.close();
  }
}

/** Asks for the drivers of all these devices; `begun` is called once something is being inserted. */
async function loadAll(
  loader: Loader,
  batches: ReadonlyArray<Promise<Iterable<Device>>>,
  begun?: () => void,
): Promise<void> {
  let waiting = begun;
  let turn = sinceStart();
  let known = 0;
  // Reading and asking the load rules waits until the first insertions are under way.
  let unasked: Device[] = [];
  const askRules = () => {
    for (const device of unasked) loader.deviceRules(device);
    unasked = [];
  };
  for (const batch of batches) {
    for (const device of inOrderOfRank(await batch)) {
      loader.deviceItself(device);
      if (waiting !== undefined && loader.scheduler.open > 0) {
        waiting();
        waiting = undefined;
      }
      // Asking for the time is not free either; a new modalias costs more.
      const answered = loader.answers.size;
      if ((unasked.push(device) % 8 !== 0 && answered === known) || sinceStart() - turn < TURN_MS) continue;
      known = answered;
      await nextTurn();
      askRules();
      turn = sinceStart();
    }
  }
  askRules();
}

/** What the kernel says meanwhile. */
class Hearing {
  used = 0;
  rescans = 0;
  /** A gap that no rescan has answered yet. */
  gap = false;
  readonly buses: BackgroundBuses;
  readonly #socket: UeventSocket | undefined;
  /** Uevents up to this one are answered for by a reading of sysfs that began later. */
  #answered: number;
  readonly #sysfs: string;
  #loader: Loader | undefined;

  /** Opens the socket; what comes is kept by the kernel until `begin`, in the same turn. */
  constructor(host: Host) {
    this.#sysfs = host.sysfs;
    this.buses = new BackgroundBuses(host.proc);
    this.#answered = readUeventSeqnum(host.sysfs) ?? 0;
    try {
      this.#socket = openUeventSocket({
        uevent: (uevent) => this.#uevent(uevent),
        gap: () => {
          this.gap = true;
        },
      });
    } catch (error) {
      // Without the socket (not allowed here) sysfs is read again until it shows nothing new.
      if (!(error instanceof PlugdError) || error.code !== 'unsupported') throw error;
      this.gap = true;
    }
  }

  begin(loader: Loader): void {
    this.#loader = loader;
  }

  get live(): boolean {
    return this.#socket !== undefined;
  }

  /** sysfs is about to be read again: whatever uevents went before, it shows what came of them. */
  readAgain(): void {
    this.#answered = readUeventSeqnum(this.#sysfs) ?? 0;
    this.gap = !this.live;
    this.rescans++;
  }

  /** Whether every uevent that the kernel has numbered has come. */
  caughtUp(): boolean {
    return Math.max(this.#answered, this.#socket?.seqnum ?? Infinity) >= (readUeventSeqnum(this.#sysfs) ?? 0);
  }

  counts(): ColdplugRun['uevents'] {
    const counters = this.#socket?.counters;
    const dropped =
      counters === undefined ? 0 : counters.spoofed + counters.otherGroup + counters.malformed + counters.truncated;
    return {
      received: counters?.received ?? 0,
      used: this.used,
      gaps: counters?.gaps ?? 0,
      rescans: this.rescans,
      dropped,
    };
  }

  close(): void {
    this.#socket?.close();
  }

  #uevent(uevent: Uevent): void {
    // Only `add` loads: loading on bind or change would bring back what an administrator has just removed.
    if (uevent.action !== 'add') return;
    this.used++;
    this.buses.heard(uevent);
    this.#loader?.device(deviceOfUevent(uevent));
  }
}

/** Waits until nothing is queued, in flight or unheard. Answers what it still waits for when the time is over. */
async function settle(
  options: ColdplugOptions,
  loader: Loader,
  hearing: Hearing,
): Promise<readonly string[] | undefined> {
  const deadline = sinceStart() + options.timeoutMs;
  let known = -1;
  for (;;) {
    if (!(await within(deadline, loader.scheduler.whenIdle()))) return loader.waitingFor();
    await nextTurn();
    if (loader.scheduler.open > 0) continue;
    if (!hearing.caughtUp() && !(await catchUp(hearing, loader, deadline))) hearing.gap = true;
    if (loader.scheduler.open > 0) continue;
    const expecting = hearing.buses.expecting();
    if (expecting !== undefined) {
      if (sinceStart() >= deadline) return [expecting];
      await pause(PAUSE_MS);
      continue;
    }
    // What came while the workers were looked at.
    if (!hearing.gap && !hearing.caughtUp()) continue;
    if (hearing.gap && (hearing.live || loader.devices !== known)) {
      known = loader.devices;
      hearing.readAgain();
      await loadAll(loader, readDevicesLater(options.host.sysfs));
      continue;
    }
    return undefined;
  }
}

async function catchUp(hearing: Hearing, loader: Loader, deadline: number): Promise<boolean> {
  const until = Math.min(deadline, sinceStart() + SILENT_SEQNUM_MS);
  while (sinceStart() < until) {
    await pause(2);
    if (hearing.caughtUp() || loader.scheduler.open > 0) return true;
  }
  return false;
}

/** Whether `work` ended before `deadline` (sinceStart()). */
async function within(deadline: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, deadline - sinceStart()));
  });
  const inTime = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/** Lets whatever else waits have its turn. */
export async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Answers when modules can be inserted here. Errors: `no-module-support`, `no-permission`, `unsupported`: one sentence for each
 * thing that stands in the way, the most fundamental first.
 */
export function mayInsert(host: Host): void {
  const facts = readInsertionFacts(host);
  const plan = 'plugd coldplug -n shows the plan without changing anything';
  if (!facts.moduleSupport) {
    throw new PlugdError(
      'no-module-support',
      'this kernel was built without loadable modules (there is no /proc/modules)',
      {
        remedy: `its drivers are built in, nothing can be loaded; ${plan}`,
      },
    );
  }
  if (!facts.capSysModule) {
    throw facts.root
      ? new PlugdError(
          'no-permission',
          'root here lacks CAP_SYS_MODULE (a container, or a service with reduced capabilities)',
          {
            remedy: `run it on the host, or grant the capability; ${plan}`,
          },
        )
      : new PlugdError('no-permission', 'only root may load kernel modules', {
          remedy: `run it as root (sudo plugd coldplug); ${plan}`,
        });
  }
  if (facts.modulesDisabled) {
    throw new PlugdError('unsupported', 'module loading is switched off until reboot (kernel.modules_disabled is 1)', {
      remedy: `reboot to load modules again; ${plan}`,
    });
  }
}
