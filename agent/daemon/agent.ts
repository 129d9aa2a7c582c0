/**
 * The long-running agent: coldplug, then whatever the kernel announces or asks for, until it is told to end.
 *
 * The order of the start is what loses nothing: the lock; the uevent socket, so that what happens from now on waits in its buffer;
 * the watches on the tree and the configuration; these themselves; the control socket, so that the kernel's requests are answered
 * while coldplug goes on; then sysfs. A restart at any moment is the same start again: what is loaded is seen to be loaded,
 * and an insertion that the last agent left in flight is waited for by the kernel.
 */
import { reason } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { moduleName, type ModuleName } from '../base/names.ts';
import { ownText } from '../base/machine-text.ts';
import { deviceOfUevent } from '../facts/devices/device.ts';
import { readKernelCompression } from '../facts/kernel/kernel-state.ts';
import { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { Hearing } from '../load/hearing.ts';
import { Loader } from '../load/loader.ts';
import { mayInsert } from '../load/permission.ts';
import { problemLine } from '../report/problem-line.ts';
import type { Log } from '../report/log.ts';
import { judgePolicy, type PolicySubject } from '../rules/policy/policy.ts';
import { Chronicle } from './chronicle.ts';
import { ControlClient } from './control/control-client.ts';
import { ControlServer } from './control/control-server.ts';
import { controlHandler } from './control/control-handler.ts';
import { Generations } from './generation.ts';
import { KernelRequestSetting } from './control/kernel-requests.ts';
import { ModuleNews } from './module-news.ts';
import { NameRequests } from './control/name-requests.ts';
import { Monitors } from './monitors.ts';
import { policyError, PolicyFile } from './policy-file.ts';
import { FileWatch, Renewal, type RenewalResult } from './renewal.ts';
import { rescan, type RescanResult } from './rescan.ts';
import { Resync } from './resync.ts';
import { controlPath } from './control/run-dir.ts';
import { ServiceManager } from './service-manager.ts';
import { Settling } from './settling.ts';
import { statusLine } from './status.ts';
import { lockFromColdplug } from './takeover.ts';

/** How an agent is to run. */
export interface AgentOptions {
  readonly host: Host;
  readonly jobs: number;
  readonly runDir: string;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  /** SO_RCVBUF in bytes; udevd's 128 MiB unless told. */
  readonly receiveBuffer: number | undefined;
  readonly serveKernelRequests: boolean;
  readonly policyFile: string;
  /** A policy with errors at the start is no reason not to start. */
  readonly policyOptional: boolean;
}

/** How long an end waits for insertions in flight; the unit's TimeoutStopSec is longer. */
const STOP_MS = 10_000;
/** A coldplug that takes longer than the unit allows asks for more. */
const EXTEND_MS = 60_000;

/** An agent; made by run(). */
export class Agent {
  readonly options: AgentOptions;
  readonly chronicle: Chronicle;
  readonly monitors = new Monitors();
  readonly policy: PolicyFile;
  readonly loaded: LoadedModules;
  readonly generations: Generations;
  readonly loader: Loader;
  readonly hearing: Hearing;
  readonly settling: Settling;
  readonly resync: Resync;
  readonly renewal: Renewal;
  /** Each is called when anything changes in what is queued, in flight or done. */
  readonly changes = new Set<() => void>();
  readonly started = new Date();
  /** Modules that were loaded before it began. */
  readonly before: readonly ModuleName[];
  state: 'coldplug' | 'serving' | 'stopping' = 'coldplug';
  coldplugMs: number | undefined;
  /** What coldplug came to: `126 modules for 312 devices`. */
  booted = '';
  used = 0;
  readonly requests: NameRequests;
  kernelSetting: KernelRequestSetting | undefined;
  readonly #manager: ServiceManager;
  readonly #files: FileWatch;
  readonly #moduleNews: ModuleNews;
  #control: ControlServer | undefined;
  #work = 0;
  #stop: (signal: string) => void = () => {};

  private constructor(options: AgentOptions) {
    const { host, log } = options;
    this.options = options;
    this.chronicle = new Chronicle(log, async (record) => {
      const { explainFailures } = await import('../explain/failure.ts');
      return explainFailures(host, this.generations.sources, [record])[0] ?? record;
    });
    this.policy = new PolicyFile(options.policyFile);
    const read = this.policy.load();
    if (read.kind === 'malformed') {
      if (!options.policyOptional) throw policyError(read.problems);
      for (const problem of read.problems) log.line('error', problemLine(problem), { event: 'policy' });
    }
    const listener = {
      uevent: (uevent: Uevent) => this.#uevent(uevent),
      overrun: (lost: number) => this.resync.lost(lost),
    };
    this.hearing = new Hearing(host, listener, { receiveBuffer: options.receiveBuffer });
    this.#files = new FileWatch(host, options.policyFile, log);
    this.loaded = new LoadedModules(host);
    this.before = [...this.loaded.names()];
    this.generations = new Generations(host, (module) => this.loaded.state(module));
    this.#moduleNews = new ModuleNews({ loaded: this.loaded, chronicle: this.chronicle, loader: () => this.loader });
    this.loader = new Loader(this.#loaderOptions());
    this.resync = new Resync({
      log,
      silentMs: () => this.hearing.silentMs,
      rescan: async () => this.#rescan(),
    });
    this.renewal = new Renewal({ host, log, policy: this.policy, generations: this.generations, loader: this.loader });
    this.#files.changed = () => void this.#busily(async () => this.renewal.filesChanged());
    this.settling = new Settling({
      host,
      loader: this.loader,
      hearing: this.hearing,
      loaded: this.loaded,
      due: () => this.#due(),
    });
    this.requests = new NameRequests({
      loader: this.loader,
      isLoaded: (module) => this.loaded.state(module) === 'live',
    });
    this.#manager = new ServiceManager({
      env: options.env,
      fault: async () => this.#fault(),
      faulty: (why) =>
        log.line('error', `the service manager is not told that the agent lives: ${why}`, { event: 'watchdog' }),
    });
    this.#manager.follow(this.changes, () => statusLine(this));
  }

  /**
   * Runs an agent until SIGTERM, SIGINT or stop(). Errors: those of mayInsert(), `busy` (another agent), `configuration` (the
   * policy), `no-modules-directory`, `unsupported`, `system`.
   */
  static async run(options: AgentOptions): Promise<void> {
    mayInsert(options.host);
    const lock = await lockFromColdplug(options.runDir);
    try {
      const agent = new Agent(options);
      await agent.#serve();
    } finally {
      lock.close();
    }
  }

  async #serve(): Promise<void> {
    const { host, log, runDir } = this.options;
    const stopped = new Promise<string>((resolve) => {
      this.#stop = resolve;
    });
    const signals: ReadonlyArray<readonly [NodeJS.Signals, () => void]> = [
      ['SIGTERM', () => this.#stop('SIGTERM')],
      ['SIGINT', () => this.#stop('SIGINT')],
      ['SIGHUP', () => void this.reload(true)],
    ];
    for (const [signal, handler] of signals) process.on(signal, handler);
    try {
      this.#control = await ControlServer.listen(controlPath(runDir), controlHandler(this));
      if (this.options.serveKernelRequests) this.kernelSetting = new KernelRequestSetting(host.proc, runDir);
      log.line('info', `plugd agent for Linux ${host.kernel}`, {
        event: 'start',
        pid: process.pid,
        modules: host.moduleDir,
        receiveBuffer: this.hearing.receiveBuffer,
        kernelRequests: this.kernelSetting === undefined ? undefined : this.kernelSetting.before,
        policyRules: this.policy.judges ? this.policy.policy.rules.length : undefined,
      });
      await Promise.race([this.#coldplug(), stopped]);
      const signal = await stopped;
      await this.#end(signal);
    } finally {
      for (const [signal, handler] of signals) process.off(signal, handler);
      this.kernelSetting?.restore();
      this.resync.close();
      this.renewal.close();
      this.#files.close();
      this.hearing.close();
      await this.#control?.close();
    }
  }

  /** Everything that is there, and what appears meanwhile, until nothing more comes. */
  async #coldplug(): Promise<void> {
    const { log } = this.options;
    const patience = setInterval(() => this.#manager.extend(2 * EXTEND_MS), EXTEND_MS);
    let devices: number;
    try {
      ({ devices } = await this.#rescan());
      for (const problem of this.loader.sources.problems()) {
        log.line('warn', problemLine(problem), { event: 'problem', file: problem.file, line: problem.line });
      }
      await this.settling.settle(
        {},
        undefined,
        () => {},
        () => this.state === 'stopping',
      );
    } finally {
      clearInterval(patience);
    }
    if (this.state === 'stopping') return;
    this.state = 'serving';
    this.policy.phase = 'after-boot';
    this.coldplugMs = Date.now() - this.started.getTime();
    const { inserted, failed, skipped } = this.chronicle.counts;
    const words = `${inserted} modules for ${devices} devices`;
    log.line('info', `coldplug has settled: ${words}`, {
      event: 'settled',
      devices,
      inserted,
      failed: failed + skipped,
      blocked: this.chronicle.counts.blocked,
      ms: this.coldplugMs,
    });
    this.booted = words;
    this.#manager.ready(`serving; ${words} at boot`);
  }

  /** SIGTERM: nothing more is begun; what is in flight is told of when it ends, or as what it is when the time is over. */
  async #end(signal: string): Promise<void> {
    const { log } = this.options;
    this.state = 'stopping';
    this.#manager.stopping();
    this.loader.scheduler.halt();
    this.kernelSetting?.restore();
    const until = performance.now() + STOP_MS;
    while (this.loader.scheduler.inFlight().length > 0 && performance.now() < until) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    await this.chronicle.told();
    const left = this.loader.waitingFor();
    log.line('info', left.length === 0 ? `ended by ${signal}` : `ended by ${signal}; left alone: ${left.join(', ')}`, {
      event: 'end',
      signal,
      left: left.length === 0 ? undefined : left,
    });
  }

  /** Ends the agent as a signal would. */
  stop(why: string): void {
    this.#stop(why);
  }

  /** Looks for new files and goes over to them; see Renewal. */
  async reload(force: boolean): Promise<RenewalResult> {
    // Before it is ready there is nothing that it could say to be ready again from.
    const told = force && this.state === 'serving';
    if (told) this.#manager.reloading();
    try {
      return await this.#busily(async () => this.renewal.look(force));
    } finally {
      if (told && this.state === 'serving') this.#manager.ready(statusLine(this).text);
    }
  }

  #loaderOptions(): ConstructorParameters<typeof Loader>[0] {
    const { host, jobs } = this.options;
    const { policy, chronicle, changes, generations } = this;
    const judge = (subject: PolicySubject, needs: readonly ModuleName[]) =>
      judgePolicy(policy.policy, subject, needs, policy.phase);
    return {
      host,
      // These two change: a first generation kept here would stay in memory, and without a policy no device need be judged.
      get sources() {
        return generations.sources;
      },
      jobs,
      dryRun: false,
      kernelCompression: readKernelCompression(host.sysfs),
      observer: {
        ended: (record) => {
          chronicle.ended(record);
          this.#moduleNews.ended(record);
        },
        blocked: (record) => chronicle.blocked(record),
        changed: () => {
          for (const change of changes) change();
        },
      },
      get judge() {
        return policy.judges ? judge : undefined;
      },
    };
  }

  #uevent(uevent: Uevent): void {
    const { log } = this.options;
    const { action, devpath, subsystem } = uevent;
    this.monitors.uevent(uevent);
    if (log.debugging) log.line('debug', `${action} ${devpath}`, { event: 'uevent', subsystem, seqnum: uevent.seqnum });
    if (this.state === 'stopping') return;
    if (subsystem === 'module')
      this.#moduleNews.uevent(action, moduleName(ownText(devpath.slice(devpath.lastIndexOf('/') + 1))));
    if (action === 'add') {
      this.used++;
      this.loader.device(deviceOfUevent(uevent));
    } else if (action === 'remove') {
      this.loader.deviceGone(devpath);
    } else if (action === 'move') {
      this.loader.deviceGone((uevent.properties.get('DEVPATH_OLD') ?? devpath) as typeof devpath);
    }
  }

  async #rescan(): Promise<RescanResult> {
    const { loader, loaded } = this;
    return this.#busily(async () => {
      return rescan(this.options.host, loader, loaded, (module) => this.#moduleNews.came(module));
    });
  }

  /** Work outside the scheduler that a settle waits for. */
  #due(): string | undefined {
    if (this.resync.due) return 'a rescan of sysfs';
    if (this.chronicle.isBehind) return 'the reason of a failure';
    return this.#work > 0 ? 'reading sysfs' : undefined;
  }

  async #busily<T>(work: () => Promise<T>): Promise<T> {
    this.#work++;
    try {
      return await work();
    } finally {
      this.#work--;
    }
  }

  /** Asked by the watchdog: what of that which must work does not. */
  async #fault(): Promise<string | undefined> {
    if (this.#control === undefined) return undefined;
    try {
      // It takes the event loop, the listening socket and the handler to answer.
      const client = await ControlClient.open(this.options.runDir);
      await client.ask('ping', {});
      client.close();
    } catch (error) {
      return `it does not answer on its own control socket: ${reason(error)}`;
    }
    return this.hearing.fault();
  }
}
