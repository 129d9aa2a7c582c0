/** Removes one module: delete_module(2). The removal planner decides which. */
import { setTimeout as delay } from 'node:timers/promises';
import { addon } from '../base/addon.ts';
import { ERRNO } from '../base/errno.ts';
import type { ModuleName } from '../base/names.ts';

/** One module to remove. */
export interface RemovalRequest {
  readonly module: ModuleName;
  /** O_TRUNC: remove it even if it is in use or has no exit function (taints the kernel; needs CONFIG_MODULE_FORCE_UNLOAD). */
  readonly force?: boolean;
  /** How long to try again while it is in use, in milliseconds (modprobe -w); 0 or absent: once. */
  readonly waitMs?: number;
  /** The clock, ms, and a wait by it; those of Node when left out. */
  readonly now?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** What happened; `errno` is the kernel's, positive: ENOENT not loaded, EAGAIN in use, EBUSY no exit function, … */
export type Removal = { readonly kind: 'removed' } | { readonly kind: 'refused'; readonly errno: number };

const O_NONBLOCK = 0o4000;
const O_TRUNC = 0o1000;

/**
 * Removes one module, with delete_module(2). O_NONBLOCK is always given: without it a kernel would wait for the last user
 * without end. While the module is in use and time is left it is tried again after 2, 4, 8, … ms.
 */
export async function removeModule(request: RemovalRequest): Promise<Removal> {
  const flags = O_NONBLOCK | (request.force === true ? O_TRUNC : 0);
  const { now = () => performance.now(), pause = delay } = request;
  const deadline = now() + (request.waitMs ?? 0);
  for (let ms = 2; ; ms *= 2) {
    // Each attempt depends on the one before.
    const result = await attempt(request.module, flags);
    if (result === 0) return { kind: 'removed' };
    const left = deadline - now();
    if (result !== -ERRNO.EAGAIN || left <= 0) return { kind: 'refused', errno: -result };
    await pause(Math.min(ms, left));
  }
}

function attempt(module: ModuleName, flags: number): Promise<number> {
  return new Promise((resolve) => {
    addon().deleteModule(module, flags, (result) => resolve(result));
  });
}
