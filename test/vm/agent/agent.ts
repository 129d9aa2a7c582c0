/** The agent in a test machine: its log lines as they come, and programs that make the kernel ask for something. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStatus } from '../../../agent/records/agent-status.ts';
import { runProgram } from '../../fixtures/commands.ts';
import type { GuestProgram } from '../machine/guest-port.ts';
import type { GuestFiles } from '../machine/image.ts';
import type { Machine } from '../machine/machine.ts';

/** A line of the agent's log. */
export interface AgentLine {
  readonly level: string;
  readonly event: string;
  readonly msg: string;
  readonly module?: string;
  readonly device?: string;
  readonly modalias?: string;
  readonly name?: string;
  readonly by?: string;
  readonly ms?: number;
  readonly waitMs?: number;
  readonly [field: string]: unknown;
}

/** An agent that runs in a machine. */
export class GuestAgent {
  readonly lines: AgentLine[] = [];
  readonly program: GuestProgram;
  readonly #machine: Machine;
  #rest = '';
  #stderr = '';
  #over = false;

  private constructor(machine: Machine, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#machine = machine;
    this.program = machine.start('plugd', ['agent', ...args], {
      timeout: 3_600_000,
      env,
      onOutput: (chunk, stream) => {
        if (stream === 'stderr') this.#stderr += chunk.toString();
        else this.#receive(chunk.toString());
      },
    });
    this.program.ended.then(
      () => (this.#over = true),
      () => (this.#over = true),
    );
  }

  /** Starts one and waits until its coldplug has settled. */
  static async start(
    machine: Machine,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GuestAgent> {
    const agent = new GuestAgent(machine, args, env);
    await agent.line('settled');
    return agent;
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.lines.push(JSON.parse(line) as AgentLine);
  }

  /** The first line that fits, from `from` on, when it has come; an error after `seconds`, or when the agent ends. */
  async line(
    event: string,
    fits: (line: AgentLine) => boolean = () => true,
    { from = 0, seconds = 120 }: { from?: number; seconds?: number } = {},
  ): Promise<AgentLine> {
    for (let tries = seconds * 50; tries > 0; tries--) {
      const found = this.lines.slice(from).find((line) => line.event === event && fits(line));
      if (found !== undefined) return found;
      if (this.#over) break;
      await sleep(20);
    }
    const last = this.lines.slice(-8).map((line) => JSON.stringify(line));
    throw new Error(
      `no line '${event}' of the agent:\n${last.join('\n')}\n${this.#stderr}\n${this.#machine.console.slice(-1500)}`,
    );
  }

  /** Waits until all these modules have been inserted, by whomever. */
  async loaded(modules: readonly string[], seconds = 60): Promise<readonly string[]> {
    for (let tries = seconds; ; tries--) {
      const loaded = await this.#machine.modules();
      const lacking = modules.filter((module) => !loaded.includes(module));
      if (lacking.length === 0 || tries === 0) return lacking;
      await sleep(500);
    }
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse(await this.#machine.output('plugd', ['status', '--json'])) as AgentStatus;
  }

  /** The agent's pid in the machine. */
  get pid(): number {
    return Number(this.lines.find((line) => line.event === 'start')?.['pid']);
  }

  /** Memory now and at most in KiB, processor time in ms, how often its threads have been woken, open descriptors. */
  async figures(): Promise<{ rss: number; peak: number; cpuMs: number; wakeups: number; descriptors: number }> {
    const at = `/proc/${this.pid}`;
    const text = await this.#machine.output('sh', [
      '-c',
      `cat ${at}/status ${at}/task/*/status ${at}/task/*/schedstat; ls ${at}/fd | wc -l`,
    ]);
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
    const sum = (matches: Iterable<RegExpExecArray>) => [...matches].reduce((all, [, one]) => all + Number(one), 0);
    const descriptors = Number(text.trimEnd().split('\n').at(-1));
    return {
      rss: field('VmRSS'),
      peak: field('VmHWM'),
      // schedstat: nanoseconds on a processor, nanoseconds waiting for one, turns.
      cpuMs: sum(text.matchAll(/^(\d+) \d+ \d+$/gm)) / 1e6,
      wakeups: sum(text.matchAll(/^voluntary_ctxt_switches:\s+(\d+)/gm)),
      descriptors,
    };
  }

  /** Sends SIGTERM and waits for the end; its exit status. */
  async stop(signal = 15): Promise<number> {
    await this.program.kill(signal);
    return (await this.program.ended).status;
  }
}

let prober: Promise<string> | undefined;

/** The machine's file with prober.c, built once. */
export async function proberFiles(root: string): Promise<GuestFiles> {
  prober ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plugd-prober-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'prober');
    const built = await runProgram('gcc', ['-O2', '-static', '-o', file, join(root, 'test/vm/agent/prober.c')]);
    if (built.status !== 0) throw new Error(`test/vm/agent/prober.c does not compile:\n${built.stderr}`);
    return file;
  })();
  return { 'usr/bin/prober': { from: await prober, mode: 0o755 } };
}

/** A line of prober.c: how long it took, and the number behind it, which is mostly an errno. */
export interface Probed {
  readonly ms: number;
  readonly number: number;
}

/** Runs the prober; its lines. */
export async function probe(machine: Machine, ...args: string[]): Promise<readonly Probed[]> {
  const lines = (await machine.output('prober', args, { timeout: 300_000 })).trimEnd().split('\n');
  return lines.map((line) => {
    const [ns = 0, number = 0] = line.split(' ').map(Number);
    return { ms: ns / 1e6, number };
  });
}
