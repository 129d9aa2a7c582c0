/** Requests for a name whose asker waits: the kernel's own, and a person's at the control socket. */
import { PlugdError } from '../../base/error.ts';
import type { ModuleName } from '../../base/names.ts';
import type { Loader } from '../../load/loader.ts';
import type { BlockedRecord, Requester } from '../../records/coldplug-run.ts';
import type { Waiting } from '../../records/waiting.ts';
import { failureText, waitingText } from '../../report/loading-text.ts';
import type { ControlExchange } from './exchange.ts';

/** What came of a request. */
export interface Asked {
  readonly found: boolean;
  readonly modules: readonly ModuleName[];
  /** Those of `modules` that are not loaded now, and why. */
  readonly failed: readonly string[];
}

export interface NameRequestsOptions {
  readonly loader: Loader;
  isLoaded(module: ModuleName): boolean;
}

/** The requester, which waits. */
export type Asker = Pick<ControlExchange, 'working' | 'answer' | 'onEnd'>;

/** How often a helper hears that the work continues; it gives up after 35 s of silence. */
const WORKING_MS = 10_000;
/**
 * How long to wait for an insertion that had already started when the kernel asked: it may be the very init that asked, which
 * then waits for itself. The kernel itself gives up on a symbol of such a module after this time.
 */
const JOIN_MS = 30_000;
/** A module that failed is tried again when the kernel asks after this time. */
const RETRY_NS = 1_000_000_000n;

/** As for modprobe, a module that a blacklist keeps out is no failure. */
const BLACKLISTED: ReadonlySet<BlockedRecord['kind']> = new Set(['blacklisted', 'kernel-blacklisted']);

/** Asks a loader, and waits. */
export class NameRequests {
  readonly #options: NameRequestsOptions;
  /** Of the kernel's requests. */
  readonly counts = { received: 0, found: 0, notFound: 0, failed: 0 };

  constructor(options: NameRequestsOptions) {
    this.#options = options;
  }

  /** The control socket's `request`, as the request helper sends it. Errors: `usage`. */
  async fromKernel(words: readonly string[], exchange: Asker): Promise<void> {
    const name = words[2];
    if (words.length !== 3 || words[0] !== '-q' || words[1] !== '--' || name === undefined) {
      throw new PlugdError('usage', "request: expected the arguments '-q', '--', NAME");
    }
    this.counts.received++;
    const { found, failed } = await this.ask(name, 'kernel', exchange);
    this.counts[found ? (failed.length > 0 ? 'failed' : 'found') : 'notFound']++;
    // As modprobe: what is loaded, built in or blacklisted is no failure.
    exchange.answer({ exit: found && failed.length === 0 ? 0 : 1 });
  }

  /** Asks for a name, as urgent, and waits for what it names. */
  async ask(name: string, by: 'kernel' | 'person', exchange: Asker): Promise<Asked> {
    const { loader } = this.#options;
    const requester: Requester = { devpath: '' as Requester['devpath'], subsystem: '', name, by };
    const before = process.hrtime.bigint();
    let answer = loader.request(name, requester, true);
    if (answer.verdict === 'no-match' || answer.verdict === 'malformed')
      return { found: false, modules: [], failed: [] };
    if (this.#failures(answer.modules).length > 0) {
      // What failed a while ago may have got what it needs; what failed just now, for a thousand others who ask, has not.
      loader.modules.forgetFailures(answer.modules, before - RETRY_NS);
      answer = loader.request(name, requester, true);
    }
    const { modules } = answer;
    if (by === 'kernel') exchange.working();
    const joined = modules.some((module) => loader.modules.isInserting(module, before));
    const working = setInterval(() => exchange.working(), WORKING_MS);
    exchange.onEnd(() => clearInterval(working));
    const waiting = await this.#whenDone(modules, joined ? JOIN_MS : undefined);
    clearInterval(working);
    return { found: true, modules, failed: waiting.length === 0 ? this.#failures(modules) : waiting.map(waitingText) };
  }

  /** Waits until these modules are done, whatever comes of them; gives those that are not when the time is over. */
  async #whenDone(modules: readonly ModuleName[], timeoutMs: number | undefined): Promise<readonly Waiting[]> {
    const { loader } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([loader.modules.whenDone(modules), over]);
    clearTimeout(timer);
    return loader.modules.waitingFor(modules);
  }

  /** Those that are not loaded, with the reason; a module that is built in or blacklisted is no failure. */
  #failures(modules: readonly ModuleName[]): readonly string[] {
    const { loader } = this.#options;
    return modules.flatMap((module) => {
      const record = loader.modules.record(module);
      const why = record?.result === 'failed' || record?.result === 'skipped' ? failureText(record) : '';
      if (why !== '') return `${module} (${why})`;
      const block = loader.blocked.findLast((one) => one.module === module);
      return record === undefined &&
        block !== undefined &&
        !BLACKLISTED.has(block.kind) &&
        !this.#options.isLoaded(module)
        ? `${module} (${block.reason})`
        : [];
    });
  }
}
