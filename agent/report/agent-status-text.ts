/** What the agent is doing, as data (`plugd status --json`) and as text. Times are ISO 8601, durations ms, sizes bytes. */
import { counted } from '../base/words.ts';
import type { AgentStatus } from '../records/agent-status.ts';
import { clockText } from './ledger-text.ts';
import { duration, fit, paint, readable, type Style, type Terminal } from './terminal.ts';
import { waitingText } from './loading-text.ts';

const STATE_STYLE: Readonly<Record<AgentStatus['state'], Style>> = {
  coldplug: 'yellow',
  settled: 'green',
  busy: 'yellow',
  stopping: 'red',
};

/** The status for people; every line fits the terminal. */
export function statusText(status: AgentStatus, terminal: Terminal): string {
  const { uevents, insertions, kernelRequests, generation, policy } = status;
  const lines: string[] = [];
  const row = (label: string, text: string) => lines.push(fit(`  ${label.padEnd(11)} ${text}`, terminal.width));
  const took = status.coldplugMs === undefined ? '' : `, coldplug took ${duration(status.coldplugMs)}`;
  lines.push(
    `plugd ${status.version} (pid ${status.pid}): ${paint(terminal, STATE_STYLE[status.state], status.state)}, up ${uptime(status.uptimeMs)}${took}`,
  );
  row('kernel', `${status.kernel}, modules of ${generation.moduleDir}`);
  row('generation', `${generation.number}, since ${clockText(generation.since)}`);
  if (generation.behind !== undefined) row('', `not the newest: ${generation.behind}`);
  if (policy.state !== 'none') {
    const previous = policy.state === 'previous' ? ' (the file has errors: what it said before still holds)' : '';
    row('policy', `${counted(policy.rules, 'rule')} of ${policy.file}, ${policy.phase}${previous}`);
    for (const line of policy.pending ?? []) row('', `not in force before boot is over: ${line}`);
  }
  row('devices', `${status.devices}, with ${counted(status.modaliases, 'distinct modalias', 'distinct modaliases')}`);
  row(
    'modules',
    `${insertions.inserted} inserted, ${insertions.failed + insertions.skipped} failed, ${insertions.blocked} blocked, ${insertions.noDevice} without a device, ${insertions.alreadyLoaded} were there`,
  );
  const dropped = uevents.spoofed + uevents.otherGroup + uevents.malformed + uevents.truncated;
  row('uevents', `${uevents.received} received, ${uevents.used} used, ${dropped} dropped`);
  if (uevents.overruns > 0) {
    row(
      '',
      `${uevents.overrunLost} lost in ${counted(uevents.overruns, 'overrun')}, answered by ${counted(uevents.resyncs, 'rescan')}`,
    );
  }
  if (kernelRequests.served || kernelRequests.received > 0) {
    row(
      'requests',
      `${kernelRequests.received} of the kernel: ${kernelRequests.found} found, ${kernelRequests.notFound} not, ${kernelRequests.failed} failed`,
    );
  }
  row('memory', `${(status.rss / 1048576).toFixed(1)} MiB`);
  for (const task of status.tasks) {
    const what = task.state === 'inserting' ? 'in its init' : 'waiting';
    row(task.state, `${readable(task.module)}: ${what} for ${duration(task.ms)}, for ${forWhom(task)}`);
  }
  for (const one of status.waiting.slice(0, 10)) row('waits for', readable(waitingText(one)));
  for (const failure of status.failures) {
    row(
      'failed',
      `${clockText(failure.time)} ${readable(failure.module)}: ${readable(failure.why)}, for ${forWhom(failure)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** `1 d 02:03:04`. */
function uptime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days === 0 ? clock : `${days} d ${clock}`;
}

function forWhom({ name, device }: { readonly name: string; readonly device: string }): string {
  return device === '' ? readable(name) : readable(device.slice(device.lastIndexOf('/') + 1));
}
