/** The agent's coldplug: everything that is there, and what appears meanwhile, until nothing more comes. */
import type { Loader } from '../load/loader.ts';
import type { Log } from '../report/log.ts';
import { problemLine } from '../report/problem-line.ts';
import type { Chronicle } from './chronicle.ts';
import type { PolicyFile } from './policy-file.ts';
import type { RescanResult } from './rescan.ts';
import type { Settling } from './settling.ts';

/** What a boot works with. */
export interface BootOptions {
  readonly log: Log;
  readonly loader: Pick<Loader, 'sources'>;
  readonly chronicle: Pick<Chronicle, 'counts'>;
  readonly policy: Pick<PolicyFile, 'phase'>;
  readonly settling: Pick<Settling, 'settle'>;
  /** Asks for every device of sysfs. */
  readonly rescan: () => Promise<RescanResult>;
}

/** From the agent's start to the first time that it has settled, and what it is doing since. */
export class Boot {
  readonly #options: BootOptions;
  readonly started = new Date();
  state: 'coldplug' | 'serving' | 'stopping' = 'coldplug';
  /** How long the coldplug took; undefined until it has settled. */
  tookMs: number | undefined;
  /** What it came to: `126 modules for 312 devices`; '' until it has settled. */
  summary = '';

  constructor(options: BootOptions) {
    this.#options = options;
  }

  /** Runs the coldplug; resolves when it has settled (true), or when the agent is stopping (false). */
  async run(): Promise<boolean> {
    const { log, loader, chronicle, policy, settling, rescan } = this.#options;
    const { devices } = await rescan();
    for (const problem of loader.sources.problems()) {
      log.line('warn', problemLine(problem), { event: 'problem', file: problem.file, line: problem.line });
    }
    await settling.settle(
      {},
      undefined,
      () => {},
      () => this.state === 'stopping',
    );
    if (this.state === 'stopping') return false;
    this.state = 'serving';
    policy.phase = 'after-boot';
    this.tookMs = Date.now() - this.started.getTime();
    const { inserted, failed, skipped, blocked } = chronicle.counts;
    this.summary = `${inserted} modules for ${devices} devices`;
    log.line('info', `coldplug has settled: ${this.summary}`, {
      event: 'settled',
      devices,
      inserted,
      failed: failed + skipped,
      blocked,
      ms: this.tookMs,
    });
    return true;
  }
}
