/**
 * Builds several modules of a kernel at once, before they are installed one after the other. All makes share one pool of jobs. What each
 * build tells is kept until its module's turn, so that scripts and people read the lines of one module together, in the usual order.
 */
import type { DkmsMessage } from '../../../records/dkms/message.ts';
import { jobLimit, readJobLimits } from '../../build/process/job-limit.ts';
import { openJobserver, type Jobserver } from '../../build/process/jobserver.ts';
import { nameOf, type DkmsKernel, type DkmsModule } from '../../tree/dkms-places.ts';
import { build, prepareKernel } from '../build-action.ts';
import type { DkmsSession } from '../session.ts';

/** A build that is over: dkms's exit status, and what it told. */
export interface BuiltAhead {
  readonly status: number;
  readonly messages: readonly DkmsMessage[];
}

/**
 * Builds registered modules that need nothing of each other; the results by `NAME/VERSION`. Empty when there is nothing to gain: one
 * module, or one job (`-j 1`). The kernel was prepared, so that each build finds its signer.
 */
export async function buildAhead(
  session: DkmsSession,
  modules: readonly DkmsModule[],
  kernel: DkmsKernel,
): Promise<ReadonlyMap<string, BuiltAhead>> {
  const results = new Map<string, BuiltAhead>();
  const wanted = session.parts.framework.parallelJobs;
  const limit = jobLimit(readJobLimits());
  const slots = wanted === 0 ? limit : Math.min(wanted, limit);
  if (modules.length < 2 || slots < 2 || (await prepareKernel(session, kernel)) !== 0) return results;
  const jobserver = await openPool(slots);
  if (jobserver === undefined) return results;
  const waiting = [...modules];
  const worker = async (): Promise<void> => {
    for (let module = waiting.shift(); module !== undefined; module = waiting.shift()) {
      const messages: DkmsMessage[] = [];
      const own = session.beside((message) => messages.push(message), jobserver);
      results.set(nameOf(module), { status: await build(own, module, kernel), messages });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(slots, modules.length) }, worker));
  } finally {
    jobserver.close();
  }
  return results;
}

/** Without mkfifo(1), or a place for the pool, modules are built one after the other. */
async function openPool(slots: number): Promise<Jobserver | undefined> {
  try {
    return await openJobserver(slots);
  } catch {
    return undefined;
  }
}
