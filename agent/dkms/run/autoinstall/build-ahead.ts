/**
 * Builds several modules at once, for one kernel or several, before they are installed one after the other. All makes share one pool of
 * jobs. What each build tells is kept until its module's turn, so that scripts and people read the lines of one module together, in the
 * usual order.
 */
import { CLOCK, every } from '../../../base/clock.ts';
import type { DkmsMessage } from '../../../records/dkms/message.ts';
import { hasHeaders } from '../../build/headers.ts';
import { jobLimit, readJobLimits } from '../../build/process/job-limit.ts';
import { openJobserver, type Jobserver, type PoolOwner } from '../../build/process/jobserver.ts';
import { lastCost } from '../../build/space/build-cost.ts';
import { nameOf, type DkmsKernel, type DkmsModule } from '../../tree/dkms-places.ts';
import { build, isSandboxed, prepareKernel, sandboxOf } from '../build-action.ts';
import type { DkmsSession } from '../session.ts';
import { buildsProgress, type BuildNodeTimes } from './build-forecast.ts';

/** A build that is over: dkms's exit status, and what it told. */
export interface BuiltAhead {
  readonly status: number;
  readonly messages: readonly DkmsMessage[];
}

/** A module and a kernel. */
export interface BuildNode {
  readonly module: DkmsModule;
  readonly kernel: DkmsKernel;
}

const SHOW_MS = 250;

/** The name of a node among the results. */
export function nodeName(module: DkmsModule, { release, arch }: DkmsKernel): string {
  return `${nameOf(module)} ${release} ${arch}`;
}

/**
 * Builds registered modules that need nothing of each other, for one kernel or several; the results by `nodeName`. Builds of one version
 * for several kernels share its build folder, so these come one after the other. Empty when there is nothing to gain: one module, or
 * one job (`-j 1`). What a kernel without headers would need is left out.
 */
export async function buildAhead(
  session: DkmsSession,
  nodes: readonly BuildNode[],
): Promise<ReadonlyMap<string, BuiltAhead>> {
  const results = new Map<string, BuiltAhead>();
  const wanted = session.parts.framework.parallelJobs;
  const limit = jobLimit(readJobLimits());
  const slots = wanted === 0 ? limit : Math.min(wanted, limit);
  const waiting = nodes.filter(({ kernel }) => hasHeaders(session.headersOf(kernel)));
  if (new Set(waiting.map(({ module }) => nameOf(module))).size < 2 || slots < 2) return results;
  // Each build then finds its signer, and the lines about signing come before those of all builds.
  for (const { kernel } of waiting) await prepareKernel(session, kernel);
  const owner = await poolOwner(session, waiting);
  const jobserver = await openPool(slots, owner);
  if (jobserver === undefined) return results;
  const busy = new Set<string>();
  const times = new Map(waiting.map((node) => [node, expectedTimes(session, node)]));
  const next = (): BuildNode | undefined => {
    const at = waiting.findIndex(({ module }) => !busy.has(nameOf(module)));
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  const worker = async (): Promise<void> => {
    for (let node = next(); node !== undefined; node = next()) {
      const { module, kernel } = node;
      const messages: DkmsMessage[] = [];
      const own = session.beside((message) => {
        // How long it takes is of no use afterwards.
        if (message.kind !== 'build-forecast') messages.push(message);
      }, jobserver);
      const time = times.get(node);
      busy.add(nameOf(module));
      if (time !== undefined) time.begun = CLOCK.now();
      const status = await build(own, module, kernel);
      results.set(nodeName(module, kernel), { status, messages });
      if (time !== undefined) Object.assign(time, { ended: CLOCK.now(), failed: status !== 0 });
      busy.delete(nameOf(module));
    }
  };
  const stopShowing = showProgress(session, [...times.values()], slots);
  try {
    await Promise.all(Array.from({ length: Math.min(slots, nodes.length) }, worker));
  } finally {
    stopShowing();
    jobserver.close();
  }
  return results;
}

function expectedTimes({ trees }: DkmsSession, { module, kernel }: BuildNode): BuildNodeTimes {
  return { name: `${nameOf(module)} for ${kernel.release}`, expected: lastCost(trees, module)?.seconds };
}

/** Shows again and again how far the builds are, if anybody looks; gives a function that ends this. */
function showProgress({ parts }: DkmsSession, times: readonly BuildNodeTimes[], slots: number): () => void {
  const { showBuilds } = parts;
  if (showBuilds === undefined) return () => {};
  return every(CLOCK, SHOW_MS, () => showBuilds(buildsProgress(times, slots, CLOCK.now())));
}

/** The user that makes run as, if builds have walls. */
async function poolOwner(session: DkmsSession, [first]: readonly BuildNode[]): Promise<PoolOwner | undefined> {
  if (first === undefined || !isSandboxed(session)) return undefined;
  return (await sandboxOf(session, first.kernel)).user;
}

/** Without mkfifo(1), or a place for the pool, modules are built one after the other. */
async function openPool(slots: number, owner: PoolOwner | undefined): Promise<Jobserver | undefined> {
  try {
    return await openJobserver(slots, { owner });
  } catch {
    return undefined;
  }
}
