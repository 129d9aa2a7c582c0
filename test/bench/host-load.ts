/** How much of this machine's processors others used while one process was measured: figures taken beside others mean little. */
import { readFileSync } from 'node:fs';

interface Ticks {
  /** All processors, other than idle. */
  readonly busy: number;
  /** All processors, idle or not. */
  readonly all: number;
  readonly own: number;
}

function read(pid: number | undefined): Ticks {
  // cpu  user nice system idle iowait irq softirq steal …, in ticks of 10 ms since boot; proc(5).
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]?.split(' ').map(Number) ?? [];
  const all = fields.slice(0, 8).reduce((sum, value) => sum + value, 0);
  const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
  let own = 0;
  if (pid !== undefined) {
    // The name in brackets may have blanks; fields 14 and 15 are user and system time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    own = (stat[11] ?? 0) + (stat[12] ?? 0);
  }
  return { busy: all - idle, all, own };
}

/** Starts to watch; the function it returns says how much of all processors others than `pid` used since then: 0 to 1. */
export function watchOthers(pid?: number): () => number {
  const before = read(pid);
  return () => {
    const after = read(pid);
    const others = after.busy - before.busy - (after.own - before.own);
    return Math.max(0, others / Math.max(1, after.all - before.all));
  };
}
