/**
 * Devices in, modules inserted: the way through the rooms for each device and each name, used by coldplug and by the agent.
 * A name is worked on once; the graph of modules is one for all devices.
 */
import type { Host } from '../base/host.ts';
import type { Devpath, Modalias, ModuleName } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import type { Device } from '../facts/devices/device.ts';
import type { Plan } from '../plan/plan.ts';
import type { BlockedRecord, ColdplugRun, ModaliasRecord, ModuleRecord, Requester } from '../records/coldplug-run.ts';
import type { Progress } from '../records/progress.ts';
import { evaluate } from '../rules/udev/load-requests.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';
import { allowedSteps, type Judge } from './allowed-steps.ts';
import { answer } from './answer.ts';
import { BlockedModules } from './blocked-modules.ts';
import { pathExists, type Sources } from './sources.ts';
import { runningTasks } from './task-times.ts';
import { sinceStart } from './turns.ts';
import { WantedModules } from './wanted-modules.ts';

/** Is told as things happen; every method may be left out. */
export interface LoaderObserver {
  started?(record: ModuleRecord): void;
  ended?(record: ModuleRecord): void;
  blocked?(record: BlockedRecord, nowMs: number): void;
  /** Something changed that a progress line shows. */
  changed?(loader: Loader): void;
}

export interface LoaderOptions {
  readonly host: Host;
  readonly sources: Sources;
  readonly jobs: number;
  /** Only plan: nothing is inserted. */
  readonly dryRun: boolean;
  /** The word of /sys/module/compression. */
  readonly kernelCompression: string | undefined;
  readonly observer?: LoaderObserver | undefined;
  /** The policy, asked for every device and request; everything is allowed without. */
  readonly judge?: Judge | undefined;
}

/** Names that are remembered; beyond that they are looked up again. */
const MOST_NAMES = 4096;

/** Turns devices into insertions. */
export class Loader {
  /** The modules that devices and names have led to. */
  readonly modules: WantedModules;
  readonly #options: LoaderOptions;
  #sources: Sources;
  /** Each device seen, with its modaliases. */
  readonly #devices = new Map<Devpath, readonly Modalias[]>();
  readonly #modaliases = new Map<Modalias, ModaliasRecord>();
  readonly #names = new Set<string>();
  readonly #kept = new BlockedModules();

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#sources = options.sources;
    const { host, jobs, dryRun, kernelCompression } = options;
    this.modules = new WantedModules({
      host,
      jobs,
      dryRun,
      kernelCompression,
      sources: () => this.#sources,
      changed: (module, what) => this.#tell(module, what),
    });
  }

  /** Devices seen, each once. */
  get devices(): number {
    return this.#devices.size;
  }

  /** The generation it works with. */
  get sources(): Sources {
    return this.#sources;
  }

  /** Every device seen that has not gone, with its modaliases. */
  get known(): ReadonlyMap<Devpath, readonly Modalias[]> {
    return this.#devices;
  }

  /** What rules and the policy keep out, the newest last. */
  get blocked(): readonly BlockedRecord[] {
    return this.#kept.records;
  }

  /** What each modalias led to. */
  get answers(): ReadonlyMap<Modalias, ModaliasRecord> {
    return this.#modaliases;
  }

  /** A device that is there: its modaliases and what load rules ask for it. Cheap for one that was seen before. */
  device(device: Device): void {
    this.deviceItself(device);
    this.deviceRules(device);
  }

  /** The first half of `device`: what its own modaliases ask for. */
  deviceItself(device: Device): void {
    const { devpath, subsystem } = device;
    // Drivers, buses, classes and modules announce themselves too; they are no devices.
    const goes = devpath.startsWith('/devices/');
    if (goes) this.#devices.set(devpath, device.modaliases);
    for (const modalias of device.modaliases) {
      // A policy may tell devices apart, so what holds for one modalias need not hold for the next device with it.
      if (this.#options.judge === undefined && this.#modaliases.has(modalias)) continue;
      const found = this.request(modalias, { devpath, subsystem, name: modalias, askedMs: sinceStart() });
      // Kept until the device goes, and nobody says so of what is no device.
      if (goes) this.#modaliases.set(modalias, { modalias, ...found });
    }
    this.#options.observer?.changed?.(this);
  }

  /** The second half: what load rules ask for it. */
  deviceRules(device: Device): void {
    const { devpath, subsystem } = device;
    const directory = this.#options.host.sysfs + devpath;
    const requests = evaluate(this.#sources.loadRules, {
      action: 'add',
      subsystem,
      kernelName: device.name,
      properties: device.properties,
      attribute: (name) => readAttribute(`${directory}/${name}`),
      exists: (path) => pathExists(this.#options.host.sysfs, directory, path),
    });
    // Its own modaliases are asked for whatever the rules say: people mask udev's rules so that udevd leaves loading to plugd.
    for (const { names, place } of requests) {
      for (const name of names) {
        if (this.#options.judge === undefined && this.#names.has(name)) continue;
        if (this.#names.size < MOST_NAMES) this.#names.add(name);
        this.request(name, { devpath, subsystem, name, rule: place });
      }
    }
    this.#options.observer?.changed?.(this);
  }

  /**
   * A device that has gone. What failed for it is tried again when such a device comes back: other devices with the same
   * modalias keep the answer they got.
   */
  deviceGone(devpath: Devpath): void {
    const modaliases = this.#devices.get(devpath);
    if (modaliases === undefined) return;
    this.#devices.delete(devpath);
    this.#kept.deviceGone(devpath);
    for (const modalias of modaliases) {
      const modules = this.#modaliases.get(modalias)?.modules ?? [];
      this.#modaliases.delete(modalias);
      this.modules.forgetFailures(modules);
    }
  }

  /** A module that was loaded and is not any more, so that it is loaded again when it is asked for. */
  moduleGone(module: ModuleName): void {
    if (!this.modules.gone(module)) return;
    for (const [modalias, { modules }] of this.#modaliases) {
      if (modules.includes(module)) this.#modaliases.delete(modalias);
    }
    this.#names.clear();
  }

  /**
   * Goes on with another tree, configuration or policy: everything that was answered is forgotten, failures too; what is
   * loaded stays known. A module that waits for its turn takes its file from the new tree if it is asked for again.
   */
  renew(sources: Sources): void {
    this.#sources = sources;
    this.#modaliases.clear();
    this.#names.clear();
    this.#kept.clear();
    this.modules.renew();
  }

  /** Asks for whatever `name` names: match, rules, plan, graph. `urgent`: see Task. `useBlacklist`: also against a module's own name. */
  request(
    name: string,
    requester: Requester,
    urgent = false,
    useBlacklist = requester.rule !== undefined,
  ): Omit<ModaliasRecord, 'modalias'> {
    const { lookup, answers } = answer(this.#sources, name, useBlacklist);
    if (lookup.kind === 'none') return { verdict: 'no-match', modules: [] };
    if (lookup.kind === 'malformed') return { verdict: 'malformed', modules: [] };
    const modules: ModuleName[] = [];
    let builtin = true;
    for (const { decision, plan } of answers) {
      const { module } = decision.candidate;
      modules.push(module);
      if (decision.kind === 'builtin') continue;
      builtin = false;
      if (plan !== undefined) this.#plan(plan, requester, urgent);
      else if (isKeptOut(decision.kind))
        this.#block({ module, kind: decision.kind, reason: decision.reason, place: decision.place, requester });
    }
    return { verdict: builtin ? 'builtin' : 'matched', modules };
  }

  /** What came of everything so far. */
  result(): Pick<ColdplugRun, 'devices' | 'modaliases' | 'modules' | 'present' | 'blocked' | 'firstInsertMs'> {
    const modules = this.modules.records();
    const first = modules.reduce((least, record) => Math.min(least, record.startedMs ?? Infinity), Infinity);
    return {
      devices: this.#devices.size,
      modaliases: [...this.#modaliases.values()],
      modules,
      present: this.modules.present,
      blocked: this.#kept.records,
      ...(first === Infinity ? {} : { firstInsertMs: first }),
    };
  }

  /** Counts for a progress line. */
  progress(): Progress {
    const { open, total, refused } = this.modules;
    return {
      devices: this.#devices.size,
      done: total - open,
      total,
      running: runningTasks(this.modules.inFlight()),
      blocked: this.#kept.records.length,
      failed: refused,
    };
  }

  #plan(plan: Plan, requester: Requester, urgent: boolean): void {
    for (const { module, kind, reason, place } of plan.blocked) this.#block({ module, kind, reason, place, requester });
    const { steps, denial } = allowedSteps(plan, requester, this.#options.judge);
    if (denial !== undefined) this.#block(denial);
    this.modules.want(steps, requester, urgent);
  }

  #block(record: BlockedRecord): void {
    if (this.#kept.add(record)) this.#options.observer?.blocked?.(record, sinceStart());
  }

  #tell(module: ModuleName, what: 'started' | 'ended'): void {
    const { observer } = this.#options;
    if (observer === undefined) return;
    // A record is made only for an observer that wants it.
    const record = observer[what] === undefined ? undefined : this.modules.record(module);
    if (record !== undefined) observer[what]?.(record);
    observer.changed?.(this);
  }
}
