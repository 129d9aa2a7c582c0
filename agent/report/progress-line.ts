import type { Progress } from '../records/progress.ts';
import { duration, fit, type Terminal } from './terminal.ts';

/** `[#######…….]  31/84  412 devices, 0 blocked, 1 failed   ahci 812 ms, nvme 12 ms`: one line that fits the terminal. */
export function progressLine(progress: Progress, terminal: Terminal): string {
  const cells = 16;
  const full = progress.total === 0 ? 0 : Math.floor((progress.done / progress.total) * cells);
  const bar = `[${'#'.repeat(full)}${'.'.repeat(cells - full)}]`;
  const counts = `${progress.done}/${progress.total}  ${progress.devices} devices, ${progress.blocked} blocked, ${progress.failed} failed`;
  const running = progress.running.map(({ module, ms }) => `${module} ${duration(ms)}`).join(', ');
  return fit(`${bar} ${counts}   ${running}`, terminal.width - 1);
}

/** Puts a line where the last one was, and takes it away: carriage return and erase-to-end-of-line (ECMA-48). */
export const LINE = { rewrite: (text: string) => `\r${text}\u001B[K`, clear: '\r\u001B[K' } as const;
