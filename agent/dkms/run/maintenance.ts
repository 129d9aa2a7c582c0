/** `dkms check`, `prune` and `log`, which dkms itself does not have: what is wrong with the tree, what is left over, why a build failed. */
import { closeSync, openSync, readSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { reason } from '../../base/error.ts';
import { statHere } from '../../base/root.ts';
import { explainFailure } from '../build/why/make-failure.ts';
import { removeEmptyFolder } from '../install/module-indexes.ts';
import { logKernel } from '../tree/failed-build.ts';
import { nameOf, buildFolder, builtFolder, sourceFolder, sourceLink, type DkmsModule } from '../tree/dkms-places.ts';
import { buildsOf, isDirectory, registeredModules } from '../tree/registry.ts';
import { findFaults, type TreeFault } from '../tree/tree-check.ts';

import { install } from './install-action.ts';
import type { DkmsSession } from './session.ts';
import { statusOf, type StatusLine } from './dkms-status.ts';
import { uninstallFor } from './uninstall-action.ts';

/** Tells what is wrong with the tree, and with `repair` puts it right; gives 1 when something stays wrong. */
export async function checkTree(session: DkmsSession): Promise<number> {
  const { trees, tell, options } = session;
  let left = 0;
  for (const fault of findFaults(trees)) {
    const repaired = options.repair && repairFault(session, fault);
    tell({ kind: 'fault', fault: fault.kind, path: fault.path, repaired });
    if (!repaired) left++;
  }
  for (const module of registeredModules(trees)) {
    for (const line of statusOf(session, module)) {
      if (!line.missing && !line.differs) continue;
      const repaired = options.repair && (await installAgain(session, module, line));
      const path = line.kernel === undefined ? nameOf(module) : builtFolder(trees, module, line.kernel);
      tell({ kind: 'fault', fault: line.missing ? 'module-missing-in-build' : 'not-in-place', path, repaired });
      if (!repaired) left++;
    }
  }
  if (left === 0) tell({ kind: 'tree-good' });
  return left === 0 ? 0 : 1;
}

function repairFault({ trees }: DkmsSession, fault: TreeFault): boolean {
  try {
    switch (fault.kind) {
      case 'leftover':
      case 'half-build':
        rmSync(fault.path, { recursive: true, force: true });
        removeEmptyFolder(dirname(fault.path));
        return true;
      case 'stale-link':
        rmSync(fault.path);
        return true;
      case 'broken':
        if (!isDirectory(sourceFolder(trees, fault.module))) return false;
        rmSync(sourceLink(trees, fault.module), { force: true });
        symlinkSync(sourceFolder(trees, fault.module), sourceLink(trees, fault.module));
        return true;
      default:
        return false;
    }
  } catch {
    return false;
  }
}

/** Puts the built modules in place again; a build whose modules are missing is made again. */
async function installAgain(
  session: DkmsSession,
  module: DkmsModule,
  { kernel, missing, state }: StatusLine,
): Promise<boolean> {
  if (kernel === undefined) return false;
  if (state === 'installed' && (await uninstallFor(session, module, kernel)) !== 0) return false;
  if (missing) rmSync(builtFolder(session.trees, module, kernel), { recursive: true, force: true });
  return (await install(session, module, kernel)) === 0;
}

/** Deletes the builds for kernels that are gone; with `dryRun` only says what they are. Gives dkms's exit status. */
export function pruneTree(session: DkmsSession): number {
  const { trees, tell, options } = session;
  let bytes = 0;
  let status = 0;
  for (const fault of findFaults(trees)) {
    if (fault.kind !== 'kernel-gone') continue;
    tell({ kind: 'pruned', module: nameOf(fault.module), ...fault.kernel, bytes: fault.bytes, done: !options.dryRun });
    bytes += fault.bytes;
    if (options.dryRun) continue;
    try {
      rmSync(fault.path, { recursive: true, force: true });
      removeEmptyFolder(dirname(fault.path));
    } catch (error) {
      tell({ kind: 'delete-failed', path: fault.path, why: reason(error) });
      status = 1;
    }
  }
  tell({ kind: 'pruned-all', bytes, done: !options.dryRun });
  return status;
}

/** A log is at most this long; what comes before the end is left out. */
const MOST_LOG = 16 * 1024 * 1024;

/** Tells the make.log of a module: of the build that failed, and why it did, or of the last one that did not. Gives 1 when there is none. */
export function tellLog(session: DkmsSession, module: DkmsModule): number {
  const { trees, tell } = session;
  const built = buildsOf(trees, module)
    .map(({ kernel }) => `${builtFolder(trees, module, kernel)}/log/make.log`)
    .filter((path) => isWanted(session, path));
  const build = buildFolder(trees, module);
  const path = [`${build}/make.log`, ...built.toReversed()].find((each) => statHere(each)?.isFile() === true);
  if (path === undefined) {
    tell({ kind: 'no-log', module: nameOf(module) });
    return 1;
  }
  const text = readEnd(path);
  tell({ kind: 'log', path, text });
  const kernel = logKernel(text) ?? session.parts.running.release;
  const failure = path.startsWith(`${build}/`) ? explainFailure(text, { build, kernel }) : undefined;
  if (failure !== undefined)
    tell({ kind: 'explanation', failure, module: module.name, version: module.version, kernel });
  return 0;
}

function isWanted({ options }: DkmsSession, path: string): boolean {
  return options.kernels.length === 0 || options.kernels.some((release) => path.includes(`/${release}/`));
}

function readEnd(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const size = statSync(path).size;
    const bytes = Buffer.alloc(Math.min(size, MOST_LOG));
    const got = readSync(fd, bytes, 0, bytes.length, Math.max(0, size - MOST_LOG));
    return bytes.toString('utf8', 0, got);
  } finally {
    closeSync(fd);
  }
}
