/** Takes the modules of one package out of a kernel's tree, and puts the kernel's own back. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { reason } from '../../base/error.ts';
import { includedModules, type ConfModule } from '../conf/conf-modules.ts';
import type { DkmsConf } from '../conf/dkms-conf.ts';
import type { DkmsSession } from '../run/session.ts';
import {
  builtFolder,
  installedLink,
  kernelTree,
  moduleFolder,
  originalsFolder,
  sourceLink,
  type DkmsKernel,
  type DkmsModule,
} from '../tree/dkms-places.ts';
import { isInstalled, namesIn } from '../tree/registry.ts';
import { fileVersion, restoreModule } from './installation.ts';
import { moduleFileIn } from './module-copies.ts';
import { removeEmptyFolder, removeEmptyTree } from './module-indexes.ts';
import { runScript } from './scripts.ts';
import { runWeakModules } from './weak-modules.ts';

/** Uninstalls a version for a kernel; gives dkms's exit status. `conf` was read leniently: a bad package can be removed too. */
export async function uninstallModules(
  session: DkmsSession,
  module: DkmsModule,
  kernel: DkmsKernel,
  conf: DkmsConf,
): Promise<number> {
  const { trees, tell } = session;
  const active = isInstalled(trees, module, kernel);
  tell({ kind: 'was-active', active });
  if (active) {
    const modules = includedModules(conf);
    const files = modules.map((each) => ({ each, path: installedFile(session, module, kernel, each) }));
    const present = files.flatMap(({ path }) => (path === undefined ? [] : [path]));
    if (!conf.noWeakModules) runWeakModules('remove', session.parts.distribution, present, tell);
    session.willChange(kernel.release);
    for (const { each, path } of files) removeModule(session, kernel, each, path);
    rmSync(installedLink(trees, module.name, kernel), { force: true });
    restoreOriginals(session, module, kernel);
    session.changed(kernel.release);
  }
  const overrides = `${session.parts.etc}/${module.name}`;
  runScript({ name: 'post_remove', command: conf.postRemove, folder: sourceLink(trees, module), overrides }, tell);
  return 0;
}

/** depmod after uninstalling; the tree of a kernel that is gone goes too. */
export async function depmodAfterUninstall(session: DkmsSession, { release }: DkmsKernel): Promise<boolean> {
  const good = await session.depmod(release);
  const tree = kernelTree(session.trees, release);
  if (removeEmptyTree(tree)) session.tell({ kind: 'tree-removed', folder: tree });
  return good;
}

/**
 * The installed file of a module: at the destination, or where its dkms.conf says, since settings may have changed meanwhile. One whose
 * version is another's is not ours.
 */
export function installedFile(
  session: DkmsSession,
  module: DkmsModule,
  kernel: DkmsKernel,
  each: ConfModule,
): string | undefined {
  const tree = kernelTree(session.trees, kernel.release);
  const built = moduleFileIn(`${builtFolder(session.trees, module, kernel)}/module`, each.destName);
  const wanted = built === undefined ? undefined : fileVersion(built)?.version;
  return [session.destination(each.destLocation), each.destLocation.replace(/\/+$/, '')]
    .map((folder) => moduleFileIn(`${tree}${folder}`, each.destName))
    .find((path) => path !== undefined && (wanted === undefined || fileVersion(path)?.version === wanted));
}

function removeModule(session: DkmsSession, kernel: DkmsKernel, each: ConfModule, path: string | undefined): void {
  const { tell, trees } = session;
  const tree = kernelTree(trees, kernel.release);
  if (path === undefined) {
    const { suffix } = session.copies(kernel.release);
    tell({ kind: 'not-found', file: `${each.destName}.ko${suffix}`, folder: tree });
    return;
  }
  tell({ kind: 'deleting', path });
  rmSync(path, { force: true });
  for (let folder = dirname(path); folder.startsWith(`${tree}/`) && removeEmptyFolder(folder);)
    folder = dirname(folder);
}

/** Puts back what this package put aside, to where each file's `.origin` says it was, and forgets the rest. */
function restoreOriginals(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): void {
  const { trees, tell } = session;
  const store = originalsFolder(trees, module.name, kernel);
  if (!existsSync(store)) return;
  const tree = kernelTree(trees, kernel.release);
  for (const name of namesIn(store).filter((each) => each.endsWith('.origin'))) {
    const file = name.slice(0, -'.origin'.length);
    const origin = readOrigin(`${store}/${name}`);
    if (!existsSync(`${store}/${file}`)) continue;
    if (origin?.startsWith(`${tree}/`) !== true || origin.includes('/../') || !origin.endsWith(`/${file}`)) {
      tell({
        kind: 'restore-failed',
        path: `${store}/${file}`,
        why: `${store}/${name} does not say where in ${tree} it was`,
      });
      continue;
    }
    tell({ kind: 'restoring', path: origin });
    try {
      mkdirSync(dirname(origin), { recursive: true, mode: 0o755 });
      restoreModule(`${store}/${file}`, origin);
      rmSync(`${store}/${name}`, { force: true });
    } catch (error) {
      tell({ kind: 'restore-failed', path: origin, why: reason(error) });
    }
  }
  rmSync(`${store}/collisions`, { recursive: true, force: true });
  for (let folder = store; folder !== moduleFolder(trees, module.name) && removeEmptyFolder(folder);)
    folder = dirname(folder);
}

function readOrigin(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}
