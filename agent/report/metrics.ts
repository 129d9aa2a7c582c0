/**
 * The agent's figures in Prometheus' text format (exposition format 0.0.4):
 *
 *     # HELP plugd_uevents_received_total Messages that came on the uevent socket.
 *     # TYPE plugd_uevents_received_total counter
 *     plugd_uevents_received_total 1822
 */
import type { AgentStatus } from '../records/agent-status.ts';

/** Upper bounds in seconds: a driver's init takes from parts of a millisecond to minutes. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How long insertions took: counts by upper bound. */
export class InsertionTimes {
  readonly #counts = BOUNDS.map(() => 0);
  #count = 0;
  #sum = 0;

  /** One insertion of `ms` milliseconds. */
  add(ms: number): void {
    const seconds = ms / 1000;
    this.#count++;
    this.#sum += seconds;
    const bound = BOUNDS.findIndex((limit) => seconds <= limit);
    if (bound >= 0) this.#counts[bound] = (this.#counts[bound] ?? 0) + 1;
  }

  /** The lines of a histogram, cumulative as the format wants it. */
  lines(name: string): readonly string[] {
    let below = 0;
    const buckets = BOUNDS.map((bound, i) => `${name}_bucket{le="${bound}"} ${(below += this.#counts[i] ?? 0)}`);
    return [
      ...buckets,
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${Number(this.#sum.toFixed(6))}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** One family; a plain number is a sample without labels. */
interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly values: (status: AgentStatus) => number | readonly Sample[];
}

const by = (label: string, values: Readonly<Record<string, number>>): readonly Sample[] =>
  Object.entries(values).map(([word, value]) => [{ [label]: word }, value]);

const FAMILIES: readonly Family[] = [
  {
    name: 'uevents_received_total',
    type: 'counter',
    help: 'Messages that came on the uevent socket.',
    values: ({ uevents }) => uevents.received,
  },
  {
    name: 'uevents_used_total',
    type: 'counter',
    help: 'Uevents that announced a device.',
    values: ({ uevents }) => uevents.used,
  },
  {
    name: 'uevents_dropped_total',
    type: 'counter',
    help: 'Messages that were not taken for uevents of the kernel, by reason.',
    values: ({ uevents }) =>
      by('reason', {
        spoofed: uevents.spoofed,
        other_group: uevents.otherGroup,
        malformed: uevents.malformed,
        truncated: uevents.truncated,
      }),
  },
  {
    name: 'uevent_gaps_total',
    type: 'counter',
    help: 'Runs of SEQNUM that never came.',
    values: ({ uevents }) => uevents.gaps,
  },
  {
    name: 'uevent_foreign_gaps_total',
    type: 'counter',
    help: 'Runs of SEQNUM that other network namespaces got.',
    values: ({ uevents }) => uevents.foreignGaps,
  },
  {
    name: 'uevent_overruns_total',
    type: 'counter',
    help: 'Times that the receive buffer was full.',
    values: ({ uevents }) => uevents.overruns,
  },
  {
    name: 'uevents_lost_total',
    type: 'counter',
    help: 'Uevents lost by overruns, as the kernel counts them.',
    values: ({ uevents }) => uevents.overrunLost,
  },
  {
    name: 'resyncs_total',
    type: 'counter',
    help: 'Rescans of sysfs that answered overruns.',
    values: ({ uevents }) => uevents.resyncs,
  },
  {
    name: 'insertions_total',
    type: 'counter',
    help: 'Modules that were tried, by result.',
    values: ({ insertions }) =>
      by('result', {
        inserted: insertions.inserted,
        already_loaded: insertions.alreadyLoaded,
        command: insertions.commands,
        failed: insertions.failed,
        skipped: insertions.skipped,
        no_device: insertions.noDevice,
      }),
  },
  {
    name: 'blocked_total',
    type: 'counter',
    help: 'Modules that a rule kept out.',
    values: ({ insertions }) => insertions.blocked,
  },
  {
    name: 'kernel_requests_total',
    type: 'counter',
    help: 'Requests of the kernel itself, by result.',
    values: ({ kernelRequests: { found, notFound, failed } }) => by('result', { found, not_found: notFound, failed }),
  },
  {
    name: 'queue_length',
    type: 'gauge',
    help: 'Modules that wait for their turn.',
    values: ({ tasks }) => tasks.filter((task) => task.state === 'waiting').length,
  },
  {
    name: 'insertions_in_flight',
    type: 'gauge',
    help: 'Modules in their init now.',
    values: ({ tasks }) => tasks.filter((task) => task.state === 'inserting').length,
  },
  {
    name: 'settled',
    type: 'gauge',
    help: '1 when there is nothing to wait for.',
    values: ({ state }) => (state === 'settled' ? 1 : 0),
  },
  { name: 'devices', type: 'gauge', help: 'Devices that are known.', values: ({ devices }) => devices },
  {
    name: 'generation',
    type: 'gauge',
    help: 'The number of the module tree and configuration in use.',
    values: ({ generation }) => generation.number,
  },
  {
    name: 'coldplug_seconds',
    type: 'gauge',
    help: 'From the start to the first time that it had settled.',
    values: ({ coldplugMs }) => (coldplugMs === undefined ? [] : coldplugMs / 1000),
  },
  {
    name: 'start_time_seconds',
    type: 'gauge',
    help: 'When the agent started, seconds since the epoch.',
    values: ({ started }) => Date.parse(started) / 1000,
  },
  { name: 'resident_memory_bytes', type: 'gauge', help: 'Resident memory.', values: ({ rss }) => rss },
];

/** Everything, ready for a scrape. */
export function metricsText(status: AgentStatus, insertionTimes: InsertionTimes): string {
  const lines: string[] = [];
  for (const { name, type, help, values } of FAMILIES) {
    const value = values(status);
    const samples: readonly Sample[] = typeof value === 'number' ? [[{}, value]] : value;
    if (samples.length === 0) continue;
    lines.push(`# HELP plugd_${name} ${help}`, `# TYPE plugd_${name} ${type}`);
    for (const [labels, number] of samples) lines.push(`plugd_${name}${labelText(labels)} ${number}`);
  }
  lines.push('# HELP plugd_insertion_seconds How long insertions took.', '# TYPE plugd_insertion_seconds histogram');
  lines.push(...insertionTimes.lines('plugd_insertion_seconds'));
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const words = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return words.length === 0 ? '' : `{${words.join(',')}}`;
}
