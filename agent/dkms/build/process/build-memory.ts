/** The memory that a build has, summed over its processes: what a machine needs to build the module. Reads /proc. */
import { readTextIn } from '../../../facts/regular-file.ts';

/** More processes than any build has; a fork bomb ends here. */
const MOST_PROCESSES = 4096;

/**
 * The resident bytes of a process and all it started that still runs: `memoryOf(4711)` → 412_000_000. Pages that processes share count
 * for each. 0 when the process has ended, or the kernel names no children (CONFIG_PROC_CHILDREN).
 */
export function memoryOf(pid: number, proc = '/proc'): number {
  let bytes = 0;
  let left = MOST_PROCESSES;
  for (const waiting = [pid]; waiting.length > 0 && left > 0; left--) {
    const next = waiting.pop() ?? 0;
    bytes += residentBytes(readTextIn('', `${proc}/${next}/status`));
    // Only the first thread of a make or a compiler starts others.
    const children = readTextIn('', `${proc}/${next}/task/${next}/children`)?.trim() ?? '';
    if (children !== '') waiting.push(...children.split(' ').map(Number));
  }
  return bytes;
}

/** proc(5): `VmRSS:	  412312 kB`; processes that end have none. */
function residentBytes(status = ''): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
