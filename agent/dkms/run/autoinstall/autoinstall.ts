/** `dkms autoinstall`, `kernel_postinst`, `kernel_prerm` and `kernel_preinst`: all registered modules for one kernel. */
import { autoinstallIsOff } from '../../conf/framework.ts';
import { nameOf, kernelTree, type DkmsKernel, type DkmsModule } from '../../tree/dkms-places.ts';
import { removeEmptyFolder } from '../../install/module-indexes.ts';
import { installedVersion, isBuilt, isInstalled, registeredModules } from '../../tree/registry.ts';
import { buildAhead, nodeName, type BuiltAhead } from './build-ahead.ts';
import { prepareKernel, unbuildFor } from '../build-action.ts';
import { absentNeeds, findCandidates, tellBroken, type Candidate, type Candidates } from './candidates.ts';
import { installFor } from '../install-action.ts';
import type { DkmsSession } from '../session.ts';

/** How the modules of a run went, by name. */
interface Results {
  readonly succeeded: string[];
  readonly skipped: string[];
  readonly failed: string[];
}

/**
 * Installs for kernels every module that wants it and is not installed, what others need first. What needs nothing that is missing is built
 * for all kernels at once. Gives dkms's exit status, that of the first kernel which did not go well.
 */
export async function autoinstall(session: DkmsSession, kernels: readonly DkmsKernel[]): Promise<number> {
  const { tell, parts, trees } = session;
  if (autoinstallIsOff(parts.etc)) {
    tell({ kind: 'autoinstall-disabled' });
    return 0;
  }
  const found = kernels.map((kernel) => ({ kernel, candidates: findCandidates(session, kernel) }));
  const unbuilt = found.flatMap(({ kernel, candidates: { candidates } }) =>
    candidates
      .filter(({ needs }) => needs.every((name) => installedVersion(trees, name, kernel) !== undefined))
      .filter(({ module }) => !isBuilt(trees, module, kernel))
      .map(({ module }) => ({ module, kernel })),
  );
  session.depmodLater = found.some(({ candidates: { candidates } }) => candidates.length > 0);
  const ahead = await buildAhead(session, unbuilt);
  let first = 0;
  for (const { kernel, candidates } of found) {
    const status = await installAll(session, kernel, candidates, ahead);
    first ||= status;
  }
  return first;
}

async function installAll(
  session: DkmsSession,
  kernel: DkmsKernel,
  found: Candidates,
  ahead: ReadonlyMap<string, BuiltAhead>,
): Promise<number> {
  const { candidates, installed } = found;
  tellBroken(session, found);
  if (candidates.length === 0) return 0;
  const results: Results = { succeeded: installed.map(({ name }) => name), skipped: [], failed: [] };
  const waiting = new Map(candidates.map((candidate) => [candidate.module.name, candidate]));
  for (;;) {
    const next = [...waiting.values()].find(({ needs }) =>
      needs.every((name) => isMet(session, name, kernel, results)),
    );
    if (next === undefined) break;
    waiting.delete(next.module.name);
    const status = await installOne(session, next.module, kernel, { results, ahead });
    if (status === 21) {
      await session.finishDepmod();
      return 21;
    }
  }
  const indexed = await session.finishDepmod();
  const attempted = waiting.size < candidates.length;
  return conclude(session, kernel, results, [...waiting.values()], { attempted, indexed });
}

async function installOne(
  session: DkmsSession,
  module: DkmsModule,
  kernel: DkmsKernel,
  { results, ahead }: { readonly results: Results; readonly ahead: ReadonlyMap<string, BuiltAhead> },
): Promise<number> {
  const { trees, tell } = session;
  const built = ahead.get(nodeName(module, kernel));
  if (built === undefined && !isBuilt(trees, module, kernel)) {
    const prepared = await prepareKernel(session, kernel);
    if (prepared !== 0) return prepared;
  }
  tell({ kind: 'autoinstall', module: nameOf(module), ...kernel });
  for (const message of built?.messages ?? []) tell(message);
  const failed = built?.status ?? 0;
  const status = failed === 0 ? await installFor(session, module, kernel) : failed;
  if (status === 0) results.succeeded.push(module.name);
  else if (status === 77) results.skipped.push(module.name);
  else results.failed.push(`${module.name}(${status})`);
  tell({ kind: 'blank' });
  return status === 21 ? 10 : status;
}

/** Whether a module that another needs is there, or was left out for this kernel. */
function isMet(session: DkmsSession, name: string, kernel: DkmsKernel, { skipped }: Results): boolean {
  return skipped.includes(name) || installedVersion(session.trees, name, kernel) !== undefined;
}

function conclude(
  session: DkmsSession,
  { release }: DkmsKernel,
  { succeeded, skipped, failed }: Results,
  left: readonly Candidate[],
  { attempted, indexed }: { readonly attempted: boolean; readonly indexed: boolean },
): number {
  const { tell } = session;
  const results = { succeeded: attempted ? succeeded : [], skipped, failed } as const;
  for (const result of ['succeeded', 'skipped', 'failed'] as const) {
    const modules = results[result];
    if (modules.length > 0) tell({ kind: 'autoinstall-result', result, release, modules });
  }
  const deferred: string[] = [];
  let missing = false;
  for (const { module, needs } of left) {
    const { absent, unknown } = absentNeeds(
      session,
      needs,
      (name) => succeeded.includes(name) || skipped.includes(name),
    );
    if (unknown) {
      tell({ kind: 'dependencies-unknown', module: nameOf(module), missing: absent });
      deferred.push(nameOf(module));
    } else {
      tell({ kind: 'dependencies-missing', module: nameOf(module), missing: absent });
      missing = true;
    }
  }
  if (deferred.length > 0) tell({ kind: 'autoinstall-deferred', release, modules: deferred });
  if (failed.length === 0 && !missing && indexed) return 0;
  tell({ kind: 'autoinstall-failed' });
  return 11;
}

/** Before a kernel is removed: what was built for it goes, and the folders that it leaves empty. Gives dkms's exit status. */
export async function removeForKernel(
  session: DkmsSession,
  kernel: DkmsKernel,
  which: 'all' | 'autoinstalled',
): Promise<number> {
  const { trees, tell } = session;
  const failed: string[] = [];
  let changed = false;
  session.depmodLater = true;
  session.quietDepmod = true;
  for (const module of registeredModules(trees)) {
    if (!isBuilt(trees, module, kernel)) continue;
    if (which === 'autoinstalled' && session.confQuietly(module, kernel)?.autoinstall !== true) continue;
    changed ||= isInstalled(trees, module, kernel);
    tell({ kind: 'removing-for-kernel', module: nameOf(module), ...kernel });
    if ((await unbuildFor(session, module, kernel)) !== 0) failed.push(nameOf(module));
    tell({ kind: 'blank' });
  }
  session.depmodLater = false;
  session.quietDepmod = false;
  if (changed && !(await session.depmod(kernel.release))) failed.push('depmod');
  const tree = kernelTree(trees, kernel.release);
  for (const folder of ['updates/dkms', 'updates', 'extra']) removeEmptyFolder(`${tree}/${folder}`);
  if (failed.length === 0) return 0;
  tell({ kind: 'removal-failed', modules: failed });
  return 14;
}
