/** How many compilers at a time suit this machine, or the container that plugd runs in. */
import { availableParallelism } from 'node:os';
import { readTextIn } from '../../../facts/regular-file.ts';
import { readText } from '../../../facts/attribute.ts';

/** What limits the number of jobs; undefined where there is no limit. */
export interface JobLimits {
  readonly processors: number;
  /** Bytes of memory that are free or can become free. */
  readonly memory: number | undefined;
  /** Processors' worth of time that the cgroup may use: 1.5. */
  readonly quota: number | undefined;
}

/** The memory that one compiler may need at worst: C with much inlining, or objtool on a large driver. */
const JOB_MEMORY = 1.5 * 2 ** 30;

/** The number of jobs: `jobLimit({ processors: 64, memory: 8 * 2 ** 30, quota: undefined })` → 5; never less than 1. */
export function jobLimit({ processors, memory = Infinity, quota = Infinity }: JobLimits): number {
  return Math.max(1, Math.min(processors, Math.floor(memory / JOB_MEMORY), Math.ceil(quota)));
}

/** The limits now: processors of this process, MemAvailable, and the cgroup's own limits (v2). */
export function readJobLimits(proc = '/proc', cgroups = '/sys/fs/cgroup'): JobLimits {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readText(`${proc}/meminfo`) ?? '')?.[1];
  const group = /^0::(\/.*)$/m.exec(readText(`${proc}/self/cgroup`) ?? '')?.[1] ?? '/';
  const folder = `${cgroups}${group === '/' ? '' : group}`;
  const [time, period] = (readTextIn('', `${folder}/cpu.max`) ?? '').trim().split(' ').map(Number);
  const most = Number(readTextIn('', `${folder}/memory.max`)?.trim());
  const used = Number(readTextIn('', `${folder}/memory.current`)?.trim());
  const left = [kilobytes === undefined ? NaN : Number(kilobytes) * 1024, most - used].filter(Number.isFinite);
  const quota = (time ?? NaN) / (period ?? NaN);
  return {
    processors: availableParallelism(),
    memory: left.length === 0 ? undefined : Math.max(0, Math.min(...left)),
    quota: Number.isFinite(quota) ? quota : undefined,
  };
}
