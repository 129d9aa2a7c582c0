import { VERSION } from '../base/version.ts';
import type { AgentStatus, AgentTask } from '../report/agent-status.ts';
import type { Agent } from './agent.ts';

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
    kernelRequests: { served: agent.kernelSetting !== undefined, ...agent.requests },
    tasks: tasksOf(agent),
    waiting,
    failures: [...chronicle.failures],
    rss: process.memoryUsage.rss(),
  };
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
