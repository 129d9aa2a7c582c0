/**
 * Devices in, modules inserted: the way through the rooms for each device and each name, used by coldplug and by the agent.
 * A name is worked on once; the graph of modules is one for all devices.
 */
import { existsSync } from 'node:fs';
import type { Host } from '../base/host.ts';
import type { Devpath, Modalias, ModuleName } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import type { Device } from '../facts/device.ts';
import { readInsertionFacts } from '../facts/kernel-state.ts';
import { insertModule, type Insertion } from '../insert/insertion.ts';
import { Scheduler, type Task, type TaskRecord } from '../insert/scheduler.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { causeOf, type Cause } from '../report/cause.ts';
import type { BlockedRecord, ColdplugRun, ModaliasRecord, ModuleRecord, Requester } from '../report/coldplug-run.ts';
import type { Progress } from '../report/progress.ts';
import { runCommand, type CommandEnd } from '../insert/command.ts';
import { evaluate } from '../rules/load-rules.ts';
import { answer } from './answer.ts';
import { pathExists, type Sources } from './sources.ts';

/** What ran for a step. */
export type StepEnd = Insertion | CommandEnd;

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
}

/** The moment of the process's start on the monotonic clock, ns. */
const BEGAN_NS = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));

/** Milliseconds since the process began. */
export function sinceStart(ns: bigint = process.hrtime.bigint()): number {
  return Math.round(Number(ns - BEGAN_NS) / 1e4) / 100;
}

interface Wanted {
  readonly step: Step;
  readonly requester: Requester;
}

/**
 * Controllers, whose drivers make further devices appear: storage (PCI class 01), USB and SMBus (0c), SD hosts (08 05), audio
 * with codecs behind it (04 03), everything virtio. Source: pci_ids.h.
 */
const CONTROLLER = /^pci:v(0000(?!1AF4).{4}d.*bc(01|0Csc03|08sc05|04sc03)|00001AF4)/;

function bringsDevices(requester: Requester): boolean {
  return CONTROLLER.test(requester.name);
}

/** Turns devices into insertions. */
export class Loader {
  readonly scheduler: Scheduler<StepEnd>;
  readonly blocked: BlockedRecord[] = [];
  readonly #options: LoaderOptions;
  readonly #devices = new Set<Devpath>();
  readonly #modaliases = new Map<Modalias, ModaliasRecord>();
  readonly #names = new Set<string>();
  readonly #wanted = new Map<ModuleName, Wanted>();
  readonly #present = new Set<ModuleName>();
  readonly #blockedKeys = new Set<string>();
  #failed = 0;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.scheduler = new Scheduler<StepEnd>({
      jobs: options.jobs,
      succeeded: (end) => end.kind !== 'refused' && end.kind !== 'command-failed',
      now: () => process.hrtime.bigint(),
      started: (task) => {
        const record = this.#record(task.module);
        if (record !== undefined) options.observer?.started?.(record);
        options.observer?.changed?.(this);
      },
      ended: (task) => {
        const record = this.#record(task.module);
        if (record !== undefined) options.observer?.ended?.(record);
        options.observer?.changed?.(this);
      },
    });
  }

  /** Devices seen, each once. */
  get devices(): number {
    return this.#devices.size;
  }

  /** A device that is there: its modaliases and what load rules ask for it. Cheap for one that was seen before. */
  device(device: Device): void {
    this.#devices.add(device.devpath);
    for (const modalias of device.modaliases) {
      if (this.#modaliases.has(modalias)) continue;
      const requester: Requester = { devpath: device.devpath, subsystem: device.subsystem, name: modalias };
      this.#modaliases.set(modalias, { modalias, ...this.request(modalias, requester) });
    }
    const directory = this.#options.host.sysfs + device.devpath;
    const requests = evaluate(this.#options.sources.loadRules, {
      action: 'add',
      subsystem: device.subsystem,
      kernelName: device.name,
      properties: device.properties,
      attribute: (name) => readAttribute(`${directory}/${name}`),
      exists: (path) => pathExists(this.#options.host.sysfs, directory, path),
    });
    // Its own modaliases are asked for whatever the rules say: people mask udev's rules so that udevd leaves loading to plugd.
    for (const { names, place } of requests) {
      for (const name of names) {
        if (this.#names.has(name)) continue;
        this.#names.add(name);
        this.request(name, { devpath: device.devpath, subsystem: device.subsystem, name, rule: place });
      }
    }
    this.#options.observer?.changed?.(this);
  }

  /** Asks for whatever `name` names: through match, rules and plan into the graph. */
  request(name: string, requester: Requester): Omit<ModaliasRecord, 'modalias'> {
    const { lookup, answers } = answer(this.#options.sources, name, requester.rule !== undefined);
    if (lookup.kind === 'none') return { verdict: 'no-match', modules: [] };
    if (lookup.kind === 'malformed') return { verdict: 'malformed', modules: [] };
    const modules: ModuleName[] = [];
    let builtin = true;
    for (const { decision, plan } of answers) {
      const { module } = decision.candidate;
      modules.push(module);
      if (decision.kind === 'builtin') continue;
      builtin = false;
      if (plan !== undefined) this.#plan(plan, requester);
      else this.#block({ module, kind: decision.kind, reason: decision.reason, place: decision.place, requester });
    }
    return { verdict: builtin ? 'builtin' : 'matched', modules };
  }

  /** What a settle still waits for, by name: `ahci (in finit_module for 14.1 s)`. */
  waitingFor(): readonly string[] {
    const now = process.hrtime.bigint();
    return this.scheduler
      .records()
      .filter((task) => task.endedNs === undefined)
      .map((task) => {
        if (task.startedNs === undefined) return `${task.module} (not begun)`;
        return `${task.module} (in finit_module for ${(Number(now - task.startedNs) / 1e9).toFixed(1)} s)`;
      });
  }

  /** What came of everything so far. */
  result(): Pick<ColdplugRun, 'devices' | 'modaliases' | 'modules' | 'present' | 'blocked' | 'firstInsertMs'> {
    const modules = [...this.#wanted.keys()]
      .map((module) => this.#record(module))
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

  #plan(plan: Plan, requester: Requester): void {
    for (const blocked of plan.blocked) {
      this.#block({
        module: blocked.module,
        kind: blocked.kind,
        reason: blocked.reason,
        place: blocked.place,
        requester,
      });
    }
    const tasks: Array<Task<StepEnd>> = [];
    const rank = bringsDevices(requester) ? 1 : 0;
    for (const step of plan.steps) {
      if (step.state === 'live' && this.scheduler.record(step.module) === undefined) {
        this.#present.add(step.module);
        continue;
      }
      if (!this.#wanted.has(step.module)) this.#wanted.set(step.module, { step, requester });
      if (!this.#options.dryRun)
        tasks.push({ module: step.module, after: step.after, rank, run: async () => this.#run(step) });
    }
    if (tasks.length > 0) this.scheduler.add(tasks);
  }

  async #run(step: Step): Promise<StepEnd> {
    if (step.command !== undefined) return runCommand(step.command.text, step.module);
    const end = await insertModule({
      path: step.path,
      params: step.params,
      kernelCompression: this.#options.kernelCompression,
    });
    if (end.kind === 'refused') this.#failed++;
    return end;
  }

  #block(record: BlockedRecord): void {
    const key = `${record.module} ${record.kind} ${record.reason}`;
    if (this.#blockedKeys.has(key)) return;
    this.#blockedKeys.add(key);
    this.blocked.push(record);
    this.#options.observer?.blocked?.(record, sinceStart());
  }

  #record(module: ModuleName): ModuleRecord | undefined {
    const wanted = this.#wanted.get(module);
    if (wanted === undefined) return undefined;
    const { step, requester } = wanted;
    const base = { module, path: step.path, params: step.params, why: step.why, requester };
    const task = this.scheduler.record(module);
    if (task === undefined) return { ...base, ...this.#prediction(step), waitedFor: [], addedMs: 0 };
    const call = task.outcome?.kind === 'ran' && 'call' in task.outcome.result ? task.outcome.result.call : undefined;
    return {
      ...base,
      ...this.#outcome(task),
      waitedFor: task.waitedFor,
      addedMs: sinceStart(task.addedNs),
      ...(task.readyNs === undefined ? {} : { readyMs: sinceStart(task.readyNs) }),
      ...(task.startedNs === undefined ? {} : { startedMs: sinceStart(call?.startedNs ?? task.startedNs) }),
      ...(task.endedNs === undefined ? {} : { endedMs: sinceStart(call?.endedNs ?? task.endedNs) }),
    };
  }

  /** What a dry run can say before the kernel is asked: whether the file is there, and those of the modules it needs. */
  #prediction(step: Step): Pick<ModuleRecord, 'result' | 'cause' | 'errno' | 'detail'> {
    if (step.command !== undefined) return { result: 'planned' };
    if (!existsSync(step.path)) return { result: 'failed', cause: 'missing-file', detail: step.path };
    for (const { module, required } of step.after) {
      const needed = required ? this.#wanted.get(module) : undefined;
      if (needed !== undefined && this.#prediction(needed.step).result !== 'planned') {
        return { result: 'skipped', cause: 'missing-dependency', detail: module };
      }
    }
    return { result: 'planned' };
  }

  #outcome(task: TaskRecord<StepEnd>): Pick<ModuleRecord, 'result' | 'cause' | 'errno' | 'detail'> {
    if (task.outcome === undefined) return { result: 'unfinished' };
    if (task.outcome.kind === 'skipped') {
      return { result: 'skipped', cause: 'missing-dependency', detail: task.outcome.because };
    }
    const end = task.outcome.result;
    if (end.kind === 'command-failed')
      return { result: 'failed', cause: 'other', detail: `its install command: ${end.why}` };
    if (end.kind !== 'refused') return { result: end.kind };
    return {
      result: 'failed',
      cause: this.#cause(task.module, end),
      errno: end.errno,
      ...(end.why === undefined ? {} : { detail: end.why }),
    };
  }

  #cause(module: ModuleName, refusal: Extract<Insertion, { kind: 'refused' }>): Cause {
    const { host, sources } = this.#options;
    const facts = readInsertionFacts(host);
    return causeOf({
      errno: refusal.errno,
      during: refusal.during,
      modulesDisabled: facts.modulesDisabled,
      capSysModule: facts.capSysModule,
      kernelBlacklisted: sources.config.kernelBlacklists.some((rule) => rule.module === module),
      lockedDown: /\[(integrity|confidentiality)\]/.test(readAttribute(`${host.sysfs}/kernel/security/lockdown`) ?? ''),
    });
  }
}
