/** The scheduler's tasks as records: what is waited for, and for how long. Times in ms, to a hundredth. */
import type { ModuleName } from '../base/names.ts';
import type { TaskRecord } from '../insert/task.ts';
import type { AgentTask } from '../records/agent-status.ts';
import type { Requester } from '../records/coldplug-run.ts';
import type { Progress } from '../records/progress.ts';
import type { Waiting } from '../records/waiting.ts';

type Times = Pick<TaskRecord<unknown>, 'module' | 'addedNs' | 'startedNs' | 'endedNs'>;

/** Those of the tasks that have not ended, as a settle names them. `nowNs`: process.hrtime.bigint() when left out. */
export function waitingTasks(tasks: readonly Times[], nowNs = process.hrtime.bigint()): readonly Waiting[] {
  return tasks
    .filter((task) => task.endedNs === undefined)
    .map(({ module, startedNs }): Waiting => {
      if (startedNs === undefined) return { kind: 'queued', module };
      return { kind: 'insertion', module, ms: msBetween(startedNs, nowNs) };
    });
}

/** The same with who asked, as the status has them; '' where that is not known. */
export function openTasks(
  tasks: readonly Times[],
  requesterOf: (module: ModuleName) => Requester | undefined,
  nowNs = process.hrtime.bigint(),
): readonly AgentTask[] {
  return tasks
    .filter((task) => task.endedNs === undefined)
    .map(({ module, startedNs, addedNs }) => {
      const requester = requesterOf(module);
      return {
        module,
        state: startedNs === undefined ? 'waiting' : 'inserting',
        ms: msBetween(startedNs ?? addedNs, nowNs),
        name: requester?.name ?? '',
        device: requester?.devpath ?? '',
      };
    });
}

/** Tasks in flight, for a progress line. */
export function runningTasks(tasks: readonly Times[], nowNs = process.hrtime.bigint()): Progress['running'] {
  return tasks.map(({ module, startedNs = nowNs }) => ({ module, ms: msBetween(startedNs, nowNs) }));
}

function msBetween(fromNs: bigint, toNs: bigint): number {
  return Math.round(Number(toNs - fromNs) / 1e4) / 100;
}
