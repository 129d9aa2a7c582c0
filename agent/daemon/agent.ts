/**
 * The long-running agent: coldplug, then everything that the kernel announces or requests, until a signal ends it.
 *
 * It starts in an order that loses nothing: the lock; the uevent socket, so that later events wait in its buffer; the watches on the
 * tree and the configuration; tree and configuration themselves; the control socket, so that the agent answers the kernel's requests
 * during coldplug; then sysfs. A restart at any moment is the same start again: it finds loaded modules loaded, and the kernel makes it
 * wait for an insertion that the last agent left under way.
 */
import { PlugdError, reason } from '../base/error.ts';
import { mayInsert } from '../load/permission.ts';
import { pause, sinceStart } from '../load/turns.ts';
import { waitingText } from '../report/loading-text.ts';
import { metricsText } from '../report/metrics.ts';
import { agentParts, type AgentParts, type AgentPartsOptions } from './agent-parts.ts';
import { ControlClient } from './control/control-client.ts';
import { controlHandler } from './control/control-handler.ts';
import { ControlServer } from './control/control-server.ts';
import { KernelRequestSetting } from './control/kernel-requests.ts';
import { controlPath } from './control/run-dir.ts';
import { leftLedger } from './early-ledger.ts';
import { MetricsService, type MetricsServiceOptions } from './metrics/metrics-service.ts';
import type { RenewalResult } from './renewal.ts';
import { ServiceManager } from './service-manager.ts';
import { statusLine, statusOf, type StatusSource } from './status.ts';
import { lockFromColdplug } from './takeover.ts';

/** How an agent is to run. */
export interface AgentOptions extends AgentPartsOptions {
  readonly runDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly serveKernelRequests: boolean;
  /** Called once it answers on its control socket. */
  readonly listening?: () => void;
  /** Serves its figures over HTTP. */
  readonly metrics?: Pick<MetricsServiceOptions, 'address' | 'readDevices'> | undefined;
}

/** How long an end waits for insertions in flight; the unit's TimeoutStopSec is longer. */
const STOP_MS = 10_000;
/** A coldplug that takes longer than the unit allows asks for more. */
const EXTEND_MS = 60_000;

/**
 * Runs an agent until SIGTERM or SIGINT. Errors: those of mayInsert(), `busy` (another agent), `configuration` (the policy),
 * `no-modules-directory`, `unsupported`, `system`.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  mayInsert(options.host);
  const lock = await lockFromColdplug(options.runDir);
  try {
    await new Agent(options).serve();
  } finally {
    lock.close();
  }
}

/** From the start to the end of one agent. */
class Agent {
  readonly #options: AgentOptions;
  readonly #parts: AgentParts;
  readonly #manager: ServiceManager;
  #kernelSetting: KernelRequestSetting | undefined;
  #control: ControlServer | undefined;
  #metrics: MetricsService | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#parts = agentParts(options);
    for (const entry of leftLedger(options.runDir)) this.#parts.chronicle.enter(entry);
    this.#manager = new ServiceManager({
      env: options.env,
      fault: async () => this.#fault(),
      faulty: (why) =>
        options.log.line('error', `the service manager is not told that the agent lives: ${why}`, {
          event: 'watchdog',
        }),
    });
    this.#manager.follow(this.#parts.changes, () => statusLine(this.#parts));
  }

  async serve(): Promise<void> {
    const handlers = new Map<NodeJS.Signals, () => void>([['SIGHUP', () => void this.#reload()]]);
    const stopped = new Promise<string>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) handlers.set(signal, () => resolve(signal));
    });
    for (const [signal, handler] of handlers) process.on(signal, handler);
    try {
      await this.#listen();
      this.#options.listening?.();
      this.#logStart();
      await Promise.race([this.#coldplug(), stopped]);
      await this.#end(await stopped);
    } finally {
      for (const [signal, handler] of handlers) process.off(signal, handler);
      this.#kernelSetting?.restore();
      this.#parts.resync.close();
      this.#parts.renewal.close();
      this.#parts.files.close();
      this.#parts.hearing.close();
      await this.#metrics?.close();
      await this.#control?.close();
    }
  }

  async #listen(): Promise<void> {
    const { host, runDir, serveKernelRequests } = this.#options;
    const parts = this.#parts;
    const status = { ...parts, host, served: () => this.#kernelSetting !== undefined };
    const handler = controlHandler({
      ...parts,
      status,
      stopping: () => parts.boot.state === 'stopping',
      reload: async () => this.#reload(),
    });
    this.#control = await ControlServer.listen(controlPath(runDir), handler);
    this.#serveMetrics(status);
    if (serveKernelRequests) this.#kernelSetting = new KernelRequestSetting(host.proc, runDir, 'anything');
  }

  #serveMetrics(status: StatusSource): void {
    const { log, metrics } = this.#options;
    if (metrics === undefined) return;
    const agentText = (): string => metricsText(statusOf(status), this.#parts.chronicle.times);
    this.#metrics = new MetricsService({ ...metrics, agentText, log });
    void this.#metrics.begin();
  }

  #logStart(): void {
    const { host, log } = this.#options;
    const { hearing, policy } = this.#parts;
    log.line('info', `plugd agent for Linux ${host.kernel}`, {
      event: 'start',
      pid: process.pid,
      modules: host.moduleDir,
      receiveBuffer: hearing.receiveBuffer,
      kernelRequests: this.#kernelSetting?.before,
      policyRules: policy.judges ? policy.policy.rules.length : undefined,
    });
    if (this.#kernelSetting?.isModprobe === false) {
      const { before } = this.#kernelSetting;
      const words = before === '' ? 'empty, which switches them off' : `'${before}', which is no modprobe`;
      log.line(
        'warn',
        `the agent serves the kernel's requests as it was told to, although kernel.modprobe was ${words}`,
        {
          event: 'kernel-requests',
          before,
        },
      );
    }
  }

  async #coldplug(): Promise<void> {
    const { boot } = this.#parts;
    const patience = setInterval(() => this.#manager.extend(2 * EXTEND_MS), EXTEND_MS);
    try {
      if (await boot.run()) this.#manager.ready(`serving; ${boot.summary} at boot`);
    } finally {
      clearInterval(patience);
    }
  }

  /** SIGTERM: nothing more is begun; insertions in flight are reported when they end, or as unfinished when the time is over. */
  async #end(signal: string): Promise<void> {
    const { boot, chronicle, loader } = this.#parts;
    boot.state = 'stopping';
    this.#manager.stopping();
    loader.modules.halt();
    this.#kernelSetting?.restore();
    const until = sinceStart() + STOP_MS;
    while (loader.modules.inFlight().length > 0 && sinceStart() < until) await pause(10);
    await chronicle.told();
    const left = loader.modules.waitingFor().map(waitingText);
    const words = left.length === 0 ? `ended by ${signal}` : `ended by ${signal}; left alone: ${left.join(', ')}`;
    this.#options.log.line('info', words, { event: 'end', signal, left: left.length === 0 ? undefined : left });
  }

  /** Looks for new files and uses them; see Renewal. */
  async #reload(): Promise<RenewalResult> {
    const { boot, renewal, work } = this.#parts;
    // A coldplug is not ready yet, so it cannot be reloading.
    const told = boot.state === 'serving';
    if (told) this.#manager.reloading();
    try {
      return await work.busily(async () => renewal.look(true));
    } finally {
      if (told && boot.state === 'serving') this.#manager.ready(statusLine(this.#parts).text);
    }
  }

  /** For the watchdog: names the part that has stopped working. */
  async #fault(): Promise<string | undefined> {
    if (this.#control === undefined) return undefined;
    try {
      // It takes the event loop, the listening socket and the handler to answer.
      const client = await ControlClient.open(this.#options.runDir);
      await client.ask('ping', {});
      client.close();
    } catch (error) {
      // It does answer: so many others ask that it has no place for one more.
      if (error instanceof PlugdError && error.code === 'busy') return this.#parts.hearing.fault();
      return `it does not answer on its own control socket: ${reason(error)}`;
    }
    return this.#parts.hearing.fault();
  }
}
