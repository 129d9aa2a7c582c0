/** Fresh facts while the agent runs: a changed tree, configuration or policy is noticed, read, and gone over to. */
import { counted } from '../base/words.ts';
import type { Host } from '../base/host.ts';
import { watchPaths, type Watch } from '../facts/config/watch.ts';
import type { Loader } from '../load/loader.ts';
import { problemLine } from '../report/problem-line.ts';
import type { Log } from '../report/logging/log.ts';
import { watchedPaths, type Generations } from './generation.ts';
import type { PolicyFile } from './policy-file.ts';
import { retryDevices } from './rescan.ts';

export interface RenewalOptions {
  readonly host: Host;
  readonly log: Log;
  readonly policy: PolicyFile;
  readonly generations: Generations;
  readonly loader: Loader;
}

/** What a look for new files came to. */
export interface RenewalResult {
  readonly changed: boolean;
  readonly generation: number;
  /** Why the newest files are not used, and what is wrong in those that are. */
  readonly problems: readonly string[];
}

/** What is not whole yet is looked at again after these times, should no event tell of its end. */
const LOOK_AGAIN_MS = [1000, 5000, 30_000, 90_000];

/** Goes over to new files. */
export class Renewal {
  readonly #options: RenewalOptions;
  #again: NodeJS.Timeout | undefined;
  /** When the generation in use began. */
  since = new Date();
  /** Why the files on disk are not what the agent works with; undefined when they are. */
  behind: string | undefined;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /**
   * Looks for a new policy, tree or configuration and goes over to it; devices without a driver are tried again. `force`: also when
   * no file is different. Resolves when they have been asked for.
   */
  async look(force: boolean): Promise<RenewalResult> {
    const { host, log, policy, generations, loader } = this.#options;
    clearTimeout(this.#again);
    const problems: string[] = [];
    const read = policy.load();
    if (read.kind === 'malformed') {
      problems.push(...read.problems.map(problemLine));
      const words = `the policy has errors, what it said before still holds: ${problems.join('; ')}`;
      log.line('error', words, { event: 'policy', file: policy.file });
    } else if (read.kind === 'new') {
      log.line('info', `a policy of ${counted(policy.policy.rules.length, 'rule')}`, {
        event: 'policy',
        file: policy.file,
      });
    }
    const check = generations.check(force);
    this.behind = check.kind === 'unfinished' ? check.why : undefined;
    if (check.kind === 'unfinished') {
      problems.push(check.why);
      log.line('info', `the changed files are not used yet: ${check.why}`, { event: 'generation-unfinished' });
    } else if (check.kind === 'new') {
      problems.push(...check.sources.problems().map(problemLine));
    }
    const changed = check.kind === 'new' || read.kind === 'new';
    if (changed) {
      this.since = new Date();
      loader.renew(generations.sources);
      const devices = await retryDevices(host, loader);
      const { number } = generations;
      const words = `generation ${number}: ${devices} devices without a driver are tried again`;
      log.line('info', words, { event: 'generation', generation: number, devices });
    }
    return { changed, generation: generations.number, problems };
  }

  /** Files changed: a look now, and later ones should they not be whole yet. */
  async filesChanged(again = 0): Promise<void> {
    await this.look(false);
    const wait = LOOK_AGAIN_MS[again];
    if (this.behind === undefined || wait === undefined) return;
    this.#again = setTimeout(() => void this.filesChanged(again + 1), wait);
  }

  close(): void {
    clearTimeout(this.#again);
  }
}

/** Watches the tree, the configuration and the policy; made before they are read, so that no change falls between. */
export class FileWatch {
  readonly #watch: Watch;
  /** Called when files changed. */
  changed: () => void = () => {};

  constructor(host: Host, policyFile: string, log: Log) {
    this.#watch = watchPaths({
      paths: [...watchedPaths(host), policyFile],
      changed: () => this.changed(),
      problem: (message) => log.line('warn', message, { event: 'watch' }),
    });
  }

  close(): void {
    this.#watch.close();
  }
}
