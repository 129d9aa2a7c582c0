import { VERSION } from '../base/version.ts';
import type { AgentStatus, AgentTask } from '../records/agent-status.ts';
import type { Agent } from './agent.ts';
import type { StatusLine } from './service-manager.ts';

/** What the agent is doing now. */
export function statusOf(agent: Agent): AgentStatus {
  const { options, hearing, loader, chronicle } = agent;
  const waiting = agent.settling.waiting();
  const modaliases = new Set<string>();
  for (const all of loader.known.values()) for (const modalias of all) modaliases.add(modalias);
  return {
    version: VERSION,
    pid: process.pid,
    kernel: options.host.kernel,
    state: agent.state === 'serving' ? (waiting.length === 0 ? 'settled' : 'busy') : agent.state,
    started: agent.started.toISOString(),
    uptimeMs: Date.now() - agent.started.getTime(),
    ...(agent.coldplugMs === undefined ? {} : { coldplugMs: agent.coldplugMs }),
    generation: {
      number: agent.generations.number,
      since: agent.renewal.since.toISOString(),
      moduleDir: options.host.moduleDir,
      ...(agent.renewal.behind === undefined ? {} : { behind: agent.renewal.behind }),
    },
    policy: agent.policy.status(),
    devices: loader.devices,
    modaliases: modaliases.size,
    insertions: chronicle.insertions(),
    uevents: {
      ...hearing.counters,
      used: agent.used,
      foreignGaps: hearing.foreignGaps,
      overruns: hearing.overruns,
      overrunLost: hearing.lost,
      resyncs: agent.resync.count,
      seqnum: hearing.seqnum,
      receiveBuffer: hearing.receiveBuffer,
    },
    kernelRequests: { served: agent.kernelSetting !== undefined, ...agent.requests.counts },
    tasks: tasksOf(agent),
    waiting,
    failures: [...chronicle.failures],
    rss: process.memoryUsage.rss(),
  };
}

/** So many of what is waited for are named in one line; the service manager drops messages of more than 4 KiB. */
const NAMED = 4;

/** One line for `systemctl status`: `coldplug; waiting for nvme (in finit_module for 3.1 s) and 12 more`. */
export function statusLine(agent: Agent): StatusLine {
  const waiting = agent.settling.waiting();
  const state = agent.state === 'coldplug' ? 'coldplug' : 'serving';
  if (waiting.length === 0) {
    return state === 'coldplug'
      ? { text: state, passing: true }
      : { text: `serving; ${agent.booted} at boot`, passing: false };
  }
  const named = waiting.slice(0, NAMED).map((text) => (text.length > 200 ? `${text.slice(0, 200)}…` : text));
  const more = waiting.length > NAMED ? ` and ${waiting.length - NAMED} more` : '';
  return { text: `${state}; waiting for ${named.join(', ')}${more}`, passing: true };
}

function tasksOf({ loader }: Agent): readonly AgentTask[] {
  const now = process.hrtime.bigint();
  return loader.scheduler
    .records()
    .filter((task) => task.endedNs === undefined)
    .map((task) => {
      const requester = loader.record(task.module)?.requester;
      return {
        module: task.module,
        state: task.startedNs === undefined ? 'waiting' : 'inserting',
        ms: Math.round(Number(now - (task.startedNs ?? task.addedNs)) / 1e4) / 100,
        name: requester?.name ?? '',
        device: requester?.devpath ?? '',
      };
    });
}
