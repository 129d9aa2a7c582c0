/**
 * Devices in, modules inserted: the way through the rooms for each device and each name, used by coldplug and by the agent.
 * A name is worked on once; the graph of modules is one for all devices.
 */
import type { Host } from '../base/host.ts';
import type { Devpath, Modalias, ModuleName } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import type { Device } from '../facts/devices/device.ts';
import { Scheduler, type Task, type TaskRecord } from '../insert/scheduler.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { BlockedRecord, ColdplugRun, ModaliasRecord, ModuleRecord, Requester } from '../records/coldplug-run.ts';
import type { Progress } from '../records/progress.ts';
import { evaluate } from '../rules/udev/load-rules.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';
import type { PolicyAnswer, PolicySubject } from '../rules/policy/policy.ts';
import { answer } from './answer.ts';
import { moduleRecord, type WantedStep } from './module-record.ts';
import { pathExists, type Sources } from './sources.ts';
import { rankOf } from './rank.ts';
import { runStep, succeeded, type StepEnd } from './step.ts';
import { sinceStart } from './turns.ts';

/** Told as things happen; every method may be left out. */
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
  /** The policy's word on a module and what it needs, asked for every device and request; everything is allowed without. */
  readonly judge?: ((subject: PolicySubject, needs: readonly ModuleName[]) => PolicyAnswer) | undefined;
}

/** Names and denials that are remembered; beyond that they are answered or told again. */
const MOST_NAMES = 4096;

/** Turns devices into insertions. */
export class Loader {
  readonly scheduler: Scheduler<StepEnd>;
  readonly blocked: BlockedRecord[] = [];
  readonly #options: LoaderOptions;
  #sources: Sources;
  /** Each device seen, with its modaliases. */
  readonly #devices = new Map<Devpath, readonly Modalias[]>();
  readonly #modaliases = new Map<Modalias, ModaliasRecord>();
  readonly #names = new Set<string>();
  readonly #wanted = new Map<ModuleName, WantedStep>();
  readonly #present = new Set<ModuleName>();
  readonly #blockedKeys = new Set<string>();
  /** What the policy denied to each device, so that each denial is told once. */
  readonly #denied = new Map<Devpath, Set<string>>();
  #failed = 0;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#sources = options.sources;
    this.scheduler = new Scheduler<StepEnd>({
      jobs: options.jobs,
      succeeded,
      now: () => process.hrtime.bigint(),
      started: (task) => {
        if (options.observer === undefined) return;
        const record = options.observer.started === undefined ? undefined : this.record(task.module);
        if (record !== undefined) options.observer.started?.(record);
        options.observer.changed?.(this);
      },
      ended: (task) => {
        if (task.outcome?.kind === 'ran' && task.outcome.result.kind === 'refused') this.#failed++;
        if (options.observer === undefined) return;
        const record = options.observer.ended === undefined ? undefined : this.record(task.module);
        if (record !== undefined) options.observer.ended?.(record);
        options.observer.changed?.(this);
      },
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
    if (devpath.startsWith('/devices/')) this.#devices.set(devpath, device.modaliases);
    for (const modalias of device.modaliases) {
      // A policy may tell devices apart, so what holds for one modalias need not hold for the next device with it.
      if (this.#options.judge === undefined && this.#modaliases.has(modalias)) continue;
      this.#modaliases.set(modalias, {
        modalias,
        ...this.request(modalias, { devpath, subsystem, name: modalias, askedMs: sinceStart() }),
      });
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
    this.#denied.delete(devpath);
    for (const modalias of modaliases) {
      const modules = this.#modaliases.get(modalias)?.modules ?? [];
      this.#modaliases.delete(modalias);
      this.forgetFailures(modules);
    }
  }

  /** A module that was loaded and is not any more, so that it is loaded again when it is asked for. */
  moduleGone(module: ModuleName): void {
    this.#present.delete(module);
    const task = this.scheduler.record(module);
    if (task !== undefined && !this.#succeeded(task)) return; // The kernel announces a module whose init failed, too.
    this.scheduler.forget((record) => record.module !== module);
    this.#wanted.delete(module);
    for (const [modalias, { modules }] of this.#modaliases) {
      if (modules.includes(module)) this.#modaliases.delete(modalias);
    }
    this.#names.clear();
  }

  /**
   * Goes on with another tree, configuration or policy: everything that was answered is forgotten, failures too; what is
   * loaded stays known. What waits for its turn takes its file from the new tree if it is asked for again.
   */
  renew(sources: Sources): void {
    this.#sources = sources;
    this.#modaliases.clear();
    this.#names.clear();
    this.#blockedKeys.clear();
    this.#denied.clear();
    this.blocked.length = 0;
    this.scheduler.forget((record) => this.#succeeded(record));
    for (const module of this.#wanted.keys()) {
      if (this.scheduler.record(module) === undefined) this.#wanted.delete(module);
    }
  }

  /** Forgets tasks of these modules that failed before `untilNs`, and the failures of what they needed: they may be tried again. */
  forgetFailures(modules: readonly ModuleName[], untilNs = process.hrtime.bigint()): void {
    const failed = new Set<ModuleName>();
    for (let module of modules) {
      for (;;) {
        const task = this.scheduler.record(module);
        if (task?.endedNs === undefined || task.endedNs > untilNs || failed.has(module) || this.#succeeded(task)) break;
        failed.add(module);
        if (task.outcome?.kind !== 'skipped') break;
        module = task.outcome.because;
      }
    }
    if (failed.size === 0) return;
    this.scheduler.forget((record) => !failed.has(record.module));
    for (const module of failed) this.#wanted.delete(module);
  }

  /** Asks for whatever `name` names: through match, rules and plan into the graph. `urgent`: see Task. */
  request(name: string, requester: Requester, urgent = false): Omit<ModaliasRecord, 'modalias'> {
    const { lookup, answers } = answer(this.#sources, name, requester.rule !== undefined);
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

  /** What a settle still waits for, of these modules or of all, by name: `ahci (in finit_module for 14.1 s)`. */
  waitingFor(modules?: readonly ModuleName[]): readonly string[] {
    const now = process.hrtime.bigint();
    const tasks = modules?.map((module) => this.scheduler.record(module)) ?? this.scheduler.records();
    return tasks
      .filter((task) => task !== undefined)
      .filter((task) => task.endedNs === undefined)
      .map((task) => {
        if (task.startedNs === undefined) return `${task.module} (not begun)`;
        return `${task.module} (in finit_module for ${(Number(now - task.startedNs) / 1e9).toFixed(1)} s)`;
      });
  }

  /** What came of everything so far. */
  result(): Pick<ColdplugRun, 'devices' | 'modaliases' | 'modules' | 'present' | 'blocked' | 'firstInsertMs'> {
    const modules = [...this.#wanted.keys()]
      .map((module) => this.record(module))
      .filter((record) => record !== undefined);
    const first = modules.reduce((least, record) => Math.min(least, record.startedMs ?? Infinity), Infinity);
    return {
      devices: this.#devices.size,
      modaliases: [...this.#modaliases.values()],
      modules,
      present: [...this.#present],
      blocked: this.blocked,
      ...(first === Infinity ? {} : { firstInsertMs: first }),
    };
  }

  /** Counts for a progress line. */
  progress(): Progress {
    const now = process.hrtime.bigint();
    const tasks = this.scheduler.records();
    return {
      devices: this.#devices.size,
      done: tasks.length - this.scheduler.open,
      total: tasks.length,
      running: this.scheduler
        .inFlight()
        .map((task) => ({ module: task.module, ms: Number(now - (task.startedNs ?? now)) / 1e6 })),
      blocked: this.blocked.length,
      failed: this.#failed,
    };
  }

  #plan(plan: Plan, requester: Requester, urgent: boolean): void {
    for (const { module, kind, reason, place } of plan.blocked) this.#block({ module, kind, reason, place, requester });
    const steps = this.#allowed(plan, requester);
    const tasks: Array<Task<StepEnd>> = [];
    for (const step of steps) {
      const { module } = step;
      const task = this.scheduler.record(module);
      if (step.state === 'live' && task === undefined) {
        this.#present.add(module);
        continue;
      }
      const wanted = this.#wanted.get(module);
      if (wanted === undefined) this.#wanted.set(module, { step, requester });
      else if (task?.startedNs === undefined) this.#wanted.set(module, { step, requester: wanted.requester });
      if (!this.#options.dryRun) {
        const slow = () => this.scheduler.release(module);
        const run = async () => runStep(this.#wanted.get(module)?.step ?? step, this.#options.kernelCompression, slow);
        tasks.push({ module, after: step.after, rank: rankOf(requester, step), urgent, run });
      }
    }
    if (tasks.length > 0) this.scheduler.add(tasks);
  }

  /** The steps of a plan that the policy allows: none when it denies the target, all but a softdep that it denies by name. */
  #allowed(plan: Plan, requester: Requester): readonly Step[] {
    const { judge } = this.#options;
    if (judge === undefined || plan.steps.length === 0) return plan.steps;
    const { devpath, subsystem, name } = requester;
    const subject = { modalias: name, subsystem, device: devpath, module: plan.target };
    const needs = plan.steps.filter((step) => step.required && step.module !== plan.target);
    const own = judge(
      subject,
      needs.map((step) => step.module),
    );
    if (own.kind === 'denied') {
      const reason = own.module === plan.target ? own.text : `${own.text}: it needs ${own.module}`;
      this.#block({ module: plan.target, kind: 'denied', reason, place: own.place, requester });
      return [];
    }
    return plan.steps.filter((step) => step.required || judge(subject, [step.module]).kind === 'allowed');
  }

  #block(record: BlockedRecord): void {
    const { devpath } = record.requester;
    let keys = this.#blockedKeys;
    if (record.kind === 'denied' && devpath !== '') {
      keys = this.#denied.get(devpath) ?? new Set();
      this.#denied.set(devpath, keys);
    }
    const key = `${record.module} ${record.kind} ${record.reason}`;
    if (keys.has(key)) return;
    if (keys.size < MOST_NAMES) keys.add(key);
    if (this.blocked.length === MOST_NAMES) this.blocked.shift();
    this.blocked.push(record);
    this.#options.observer?.blocked?.(record, sinceStart());
  }

  #succeeded({ outcome }: TaskRecord<StepEnd>): boolean {
    return outcome?.kind === 'ran' && succeeded(outcome.result);
  }

  /** What became of a module that was wanted; undefined for one that was not, or was there before. */
  record(module: ModuleName): ModuleRecord | undefined {
    const wanted = this.#wanted.get(module);
    if (wanted === undefined) return undefined;
    const { host } = this.#options;
    return moduleRecord(wanted, this.scheduler.record(module), {
      host,
      config: this.#sources.config,
      wanted: (needed) => this.#wanted.get(needed)?.step,
    });
  }
}
