/** What the agent is doing now, gathered from those who know. */
import type { Host } from '../base/host.ts';
import { VERSION } from '../base/version.ts';
import type { Hearing } from '../load/hearing.ts';
import type { Loader } from '../load/loader.ts';
import type { AgentStatus } from '../records/agent-status.ts';
import { waitingText } from '../report/loading-text.ts';
import type { Boot } from './boot.ts';
import type { Chronicle } from './chronicle.ts';
import type { NameRequests } from './control/name-requests.ts';
import type { Generations } from './generation.ts';
import type { PolicyFile } from './policy-file.ts';
import type { Renewal } from './renewal.ts';
import type { Resync } from './resync.ts';
import type { StatusLine } from './service-manager.ts';
import type { Settling } from './settling.ts';
import type { UeventHandler } from './uevent-handler.ts';

/** Whom a status asks, and for what. */
export interface StatusSource {
  readonly host: Pick<Host, 'kernel' | 'moduleDir'>;
  readonly boot: Pick<Boot, 'state' | 'started' | 'tookMs' | 'summary'>;
  readonly settling: Pick<Settling, 'waiting'>;
  readonly generations: Pick<Generations, 'number'>;
  readonly renewal: Pick<Renewal, 'since' | 'behind'>;
  readonly policy: Pick<PolicyFile, 'status'>;
  readonly loader: Pick<Loader, 'devices' | 'known'> & { readonly modules: Pick<Loader['modules'], 'tasks'> };
  readonly chronicle: Pick<Chronicle, 'insertions' | 'failures'>;
  readonly hearing: Pick<Hearing, 'counters' | 'foreignGaps' | 'overruns' | 'lost' | 'seqnum' | 'receiveBuffer'>;
  readonly uevents: Pick<UeventHandler, 'used'>;
  readonly resync: Pick<Resync, 'count'>;
  readonly requests: Pick<NameRequests, 'counts'>;
  /** Whether the kernel's own requests come here. */
  served(): boolean;
}

/** The status, as `plugd status --json` has it. */
export function statusOf(source: StatusSource): AgentStatus {
  const { host, boot, hearing, loader, chronicle, renewal } = source;
  const waiting = source.settling.waiting();
  const modaliases = new Set<string>();
  for (const all of loader.known.values()) for (const modalias of all) modaliases.add(modalias);
  return {
    version: VERSION,
    pid: process.pid,
    kernel: host.kernel,
    state: boot.state === 'serving' ? (waiting.length === 0 ? 'settled' : 'busy') : boot.state,
    started: boot.started.toISOString(),
    uptimeMs: Date.now() - boot.started.getTime(),
    ...(boot.tookMs === undefined ? {} : { coldplugMs: boot.tookMs }),
    generation: {
      number: source.generations.number,
      since: renewal.since.toISOString(),
      moduleDir: host.moduleDir,
      ...(renewal.behind === undefined ? {} : { behind: renewal.behind }),
    },
    policy: source.policy.status(),
    devices: loader.devices,
    modaliases: modaliases.size,
    insertions: chronicle.insertions(),
    uevents: {
      ...hearing.counters,
      used: source.uevents.used,
      foreignGaps: hearing.foreignGaps,
      overruns: hearing.overruns,
      overrunLost: hearing.lost,
      resyncs: source.resync.count,
      seqnum: hearing.seqnum,
      receiveBuffer: hearing.receiveBuffer,
    },
    kernelRequests: { served: source.served(), ...source.requests.counts },
    tasks: loader.modules.tasks(),
    waiting,
    failures: [...chronicle.failures],
    rss: process.memoryUsage.rss(),
  };
}

/** At most this many waited-for items are named, each cut to this length: the service manager drops messages over 4 KiB. */
const NAMED = 4;
const LONGEST_NAME = 200;

/** One line for `systemctl status`: `coldplug; waiting for nvme (in finit_module for 3.1 s) and 12 more`. */
export function statusLine({ boot, settling }: Pick<StatusSource, 'boot' | 'settling'>): StatusLine {
  const waiting = settling.waiting();
  const state = boot.state === 'coldplug' ? 'coldplug' : 'serving';
  if (waiting.length === 0) {
    return state === 'coldplug'
      ? { text: state, passing: true }
      : { text: `serving; ${boot.summary} at boot`, passing: false };
  }
  const named = waiting
    .slice(0, NAMED)
    .map(waitingText)
    .map((text) => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text));
  const more = waiting.length > NAMED ? ` and ${waiting.length - NAMED} more` : '';
  return { text: `${state}; waiting for ${named.join(', ')}${more}`, passing: true };
}
