/** What an agent is made of, put together in the order that loses nothing (see agent.ts). */
import { reason } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { readKernelCompression } from '../facts/kernel/kernel-state.ts';
import { LoadedModules } from '../facts/kernel/loaded-modules.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import { bootListParameters, readBootLists, type ReadBootLists } from '../load/boot-lists.ts';
import { Hearing } from '../load/hearing.ts';
import { Loader, type LoaderOptions } from '../load/loader.ts';
import type { ModuleRecord } from '../records/coldplug-run.ts';
import type { Waiting } from '../records/waiting.ts';
import type { Log } from '../report/logging/log.ts';
import { problemLine } from '../report/problem-line.ts';
import type { BootDialectName } from '../rules/boot/boot-entry.ts';
import { judgePolicy, type PolicySubject } from '../rules/policy/policy.ts';
import { Boot } from './boot.ts';
import { Chronicle } from './chronicle.ts';
import { NameRequests } from './control/name-requests.ts';
import { Generations } from './generation.ts';
import { ModuleNews } from './module-news.ts';
import { Monitors } from './monitors.ts';
import { policyError, PolicyFile } from './policy-file.ts';
import { FileWatch, Renewal } from './renewal.ts';
import { rescan, type RescanResult } from './rescan.ts';
import { Resync } from './resync.ts';
import { Settling } from './settling.ts';
import { UeventHandler } from './uevent-handler.ts';

/** How the parts are to work. */
export interface AgentPartsOptions {
  readonly host: Host;
  readonly jobs: number;
  readonly log: Log;
  /** SO_RCVBUF in bytes; udevd's 128 MiB when undefined. */
  readonly receiveBuffer: number | undefined;
  readonly policyFile: string;
  /** Start although the policy has errors. */
  readonly policyOptional: boolean;
  /** The dialects of lists for boot to load first; undefined for none. */
  readonly bootLists?: 'all' | readonly BootDialectName[] | undefined;
}

/** The parts of an agent. */
export interface AgentParts {
  readonly boot: Boot;
  readonly chronicle: Chronicle;
  readonly monitors: Monitors;
  readonly policy: PolicyFile;
  readonly generations: Generations;
  readonly loader: Loader;
  readonly hearing: Hearing;
  readonly uevents: UeventHandler;
  readonly settling: Settling;
  readonly resync: Resync;
  readonly renewal: Renewal;
  readonly files: FileWatch;
  readonly requests: NameRequests;
  readonly work: Work;
  /** Each is called when anything changes in what is queued, in flight or done. */
  readonly changes: Set<() => void>;
  /** Modules that were loaded before the agent began. */
  readonly before: readonly ModuleName[];
}

/** Readings of sysfs and of files that are going on. */
export class Work {
  #going = 0;

  get going(): boolean {
    return this.#going > 0;
  }

  /** Does something that a settle waits for. */
  async busily<T>(work: () => Promise<T>): Promise<T> {
    this.#going++;
    try {
      return await work();
    } finally {
      this.#going--;
    }
  }
}

/** Makes the parts. Errors: `configuration` (the policy), `no-modules-directory`, `unsupported` (no uevent socket). */
export function agentParts(options: AgentPartsOptions): AgentParts {
  const { host, log, policyFile } = options;
  const policy = openPolicy(options);
  const work = new Work();
  const changes = new Set<() => void>();
  const monitors = new Monitors();
  // Before anything is read: what the kernel announces from now on waits in the socket, what changes in files in inotify.
  const heard = {
    uevent: (uevent: Uevent) => uevents.handle(uevent),
    overrun: (lost: number) => resync.lost(lost),
    fault: (error: unknown) =>
      log.line('error', `a uevent was not handled, a defect of plugd: ${reason(error)}`, { event: 'fault' }),
  };
  const hearing = new Hearing(host, heard, { receiveBuffer: options.receiveBuffer });
  const files = new FileWatch(host, policyFile, log);
  const loaded = new LoadedModules(host);
  const before = [...loaded.names()];
  const lists = bootListsOf(options);
  const generations = new Generations(host, (module) => loaded.state(module), bootListParameters(lists.entries));
  const chronicle = new Chronicle(log, async (record) => {
    const { explainFailures } = await import('../explain/failure.ts');
    return explainFailures(host, generations.sources, [record])[0] ?? record;
  });
  const moduleNews: ModuleNews = new ModuleNews({ loaded, chronicle, loader: () => loader });
  const loader: Loader = new Loader(loaderOptions(options, { policy, chronicle, moduleNews, generations, changes }));
  const reread = async (): Promise<RescanResult> =>
    work.busily(async () => rescan(host, loader, loaded, (module) => moduleNews.came(module)));
  const resync = new Resync({ log, silentMs: () => hearing.silentMs, rescan: reread });
  const renewal = new Renewal({ host, log, policy, generations, loader });
  files.changed = () => void work.busily(async () => renewal.filesChanged());
  const due = (): Waiting | undefined => {
    if (resync.due) return { kind: 'rescan' };
    if (chronicle.isBehind) return { kind: 'explanation' };
    return work.going ? { kind: 'reading' } : undefined;
  };
  const settling = new Settling({ host, loader, hearing, loaded, due });
  const requests = new NameRequests({ loader, isLoaded: (module) => loaded.state(module) === 'live' });
  const boot = new Boot({ log, loader, chronicle, policy, settling, rescan: reread, lists });
  const uevents = new UeventHandler({
    log,
    monitors,
    moduleNews,
    loader,
    stopping: () => boot.state === 'stopping',
  });
  return {
    boot,
    chronicle,
    monitors,
    policy,
    generations,
    loader,
    hearing,
    uevents,
    settling,
    resync,
    renewal,
    files,
    requests,
    work,
    changes,
    before,
  };
}

function bootListsOf({ host, bootLists }: AgentPartsOptions): ReadBootLists {
  if (bootLists === undefined) return { entries: [], problems: [] };
  return readBootLists(host, bootLists === 'all' ? undefined : bootLists);
}

function openPolicy({ policyFile, policyOptional, log }: AgentPartsOptions): PolicyFile {
  const policy = new PolicyFile(policyFile);
  const read = policy.load();
  if (read.kind === 'malformed') {
    if (!policyOptional) throw policyError(read.problems);
    for (const problem of read.problems) log.line('error', problemLine(problem), { event: 'policy' });
  }
  return policy;
}

type Told = Pick<AgentParts, 'policy' | 'chronicle' | 'generations' | 'changes'> & { readonly moduleNews: ModuleNews };

function loaderOptions({ host, jobs }: AgentPartsOptions, told: Told): LoaderOptions {
  const { policy, chronicle, moduleNews, generations, changes } = told;
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
      ended: (record: ModuleRecord) => {
        chronicle.ended(record);
        moduleNews.ended(record);
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
