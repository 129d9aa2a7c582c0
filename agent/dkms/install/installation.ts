/** Installs the modules of one package for one kernel: versions are compared, the kernel's own put aside, all files placed together. */
import { existsSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { fromMachineText } from '../../base/machine-text.ts';
import { reason } from '../../base/error.ts';
import { FILE_SUFFIXES } from '../../facts/modfiles/compression.ts';
import { modinfoValue } from '../../facts/modfiles/modinfo.ts';
import { readModuleInfo } from '../../facts/modfiles/module-info.ts';
import { includedModules, type ConfModule } from '../conf/conf-modules.ts';
import type { DkmsConf } from '../conf/dkms-conf.ts';
import type { DkmsSession } from '../run/session.ts';
import {
  builtFolder,
  installedLink,
  kernelTree,
  originalsFolder,
  sourceLink,
  type DkmsKernel,
  type DkmsModule,
} from '../tree/dkms-places.ts';
import { isDirectory } from '../tree/registry.ts';
import { outranksKernel } from './distribution.ts';
import { haveSameBytes, moduleFileIn } from './module-copies.ts';
import { moveFile, place, type Move, type PlacedModule } from './placement.ts';
import { runScript } from './scripts.ts';
import { checkVersion, isObsolete, type FileVersion } from './version-check.ts';
import { runWeakModules } from './weak-modules.ts';

/** What is installed, for which kernel, and how hard to try. */
export interface InstallRequest {
  readonly module: DkmsModule;
  readonly kernel: DkmsKernel;
  readonly conf: DkmsConf;
  /** Go on where versions, PRE_INSTALL or OBSOLETE_BY say no. */
  readonly force: boolean;
  /** Install whatever the versions are. */
  readonly forceVersion: boolean;
}

/** A module of the package, its built file, and where it goes. */
interface Installed {
  readonly conf: ConfModule;
  readonly placed: PlacedModule;
}

/** What a module file says of its version; undefined when it is no module. */
export function fileVersion(path: string): FileVersion | undefined {
  const info = readModuleInfo('', path);
  if (info.kind !== 'info') return undefined;
  const value = (key: string) => fromMachineText(modinfoValue(info.fields, key) ?? '');
  return { version: value('version'), srcversion: value('srcversion') };
}

/** Installs; gives dkms's exit status. The build lies in the DKMS tree; it is not installed. */
export async function installModules(session: DkmsSession, request: InstallRequest): Promise<number> {
  const { trees, tell } = session;
  const { module, kernel, conf, force } = request;
  const tree = kernelTree(trees, kernel.release);
  if (!isDirectory(tree)) {
    tell({ kind: 'no-kernel-tree', folder: tree });
    return 6;
  }
  const built = `${builtFolder(trees, module, kernel)}/module`;
  const wanted = includedModules(conf);
  const missing = wanted.find(({ destName }) => moduleFileIn(built, destName) === undefined);
  if (missing !== undefined) {
    tell({ kind: 'missing-built-module', name: missing.destName, folder: built });
    return 6;
  }
  const script = { folder: sourceLink(trees, module), overrides: `${session.parts.etc}/${module.name}` };
  if (runScript({ ...script, name: 'pre_install', command: conf.preInstall }, tell) !== 0 && !force) {
    tell({ kind: 'pre-install-failed' });
    return 101;
  }
  const status = placeModules(session, request, wanted, built);
  if (status !== 0) return status;
  session.changed(kernel.release);
  runScript({ ...script, name: 'post_install', command: conf.postInstall }, tell);
  return 0;
}

function placeModules(
  session: DkmsSession,
  request: InstallRequest,
  wanted: readonly ConfModule[],
  built: string,
): number {
  const { trees, tell } = session;
  const { module, kernel, conf } = request;
  const tree = kernelTree(trees, kernel.release);
  const link = installedLink(trees, module.name, kernel);
  const originals: Move[] = [];
  const installed: Installed[] = [];
  for (const each of wanted) {
    const file = moduleFileIn(built, each.destName) ?? '';
    if (!mayInstall(session, request, each, file)) continue;
    const folder = `${tree}${session.destination(each.destLocation)}`;
    const original = originalOf(session, request, each, folder);
    if (original !== undefined) originals.push(original);
    const to = `${folder}/${basename(file)}`;
    tell({ kind: 'installing', path: to });
    installed.push({ conf: each, placed: { file, to } });
  }
  if (wanted.length > 0 && installed.length === 0) {
    tell({ kind: 'aborted' });
    return 6;
  }
  const modules = installed.map(({ placed }) => placed);
  const target = `${module.version}/${kernel.release}/${kernel.arch}`;
  try {
    session.willChange(kernel.release);
    const symlinks = session.parts.framework.symlinkModules;
    place(builtFolder(trees, module, kernel), { originals, modules, symlinks, link, target });
    // The same module under another suffix would be a second one.
    for (const {
      conf: { destName },
      placed,
    } of installed)
      removeTwins(placed.to, destName);
  } catch (error) {
    tell({ kind: 'copy-failed', path: modules[0]?.file ?? link, why: reason(error) });
    return 6;
  }
  if (!conf.noWeakModules)
    runWeakModules(
      'add',
      session.parts.distribution,
      modules.map(({ to }) => to),
      tell,
    );
  return 0;
}

/** Whether versions allow the module; when they do not, after the text that says so. */
function mayInstall(session: DkmsSession, request: InstallRequest, each: ConfModule, file: string): boolean {
  const { tell } = session;
  const { kernel, conf, force, forceVersion } = request;
  if (force) return true;
  if (isObsolete(kernel.release, conf.obsoleteBy)) {
    tell({ kind: 'obsolete', since: conf.obsoleteBy ?? '' });
    return false;
  }
  if (forceVersion) return true;
  const folder = `${kernelTree(session.trees, kernel.release)}${session.destination(each.destLocation)}`;
  // The module at the destination comes first: it is the one that would be replaced.
  const present = moduleFileIn(folder, each.destName) ?? session.copies(kernel.release).named(each.destName)[0];
  if (present === undefined) return true;
  const version = fileVersion(file) ?? { version: '', srcversion: '' };
  const old = fileVersion(present);
  const verdict = checkVersion(version, old, () => haveSameBytes(file, present));
  if (verdict === 'install') return true;
  if (verdict === 'not-newer') {
    const { suffix } = session.copies(kernel.release);
    tell({
      kind: 'not-newer',
      file: `${each.destName}.ko${suffix}`,
      version: version.version,
      release: kernel.release,
      present: old?.version ?? '',
    });
  } else {
    tell({ kind: 'same-version', path: present, version: version.version });
  }
  return false;
}

/**
 * The kernel's module that has to leave its place: one at the destination, or one that depmod would not pass over. A module in the
 * kernel package's folder stays where depmod prefers the destination to it.
 */
function originalOf(
  session: DkmsSession,
  { module, kernel }: InstallRequest,
  each: ConfModule,
  folder: string,
): Move | undefined {
  const { trees, tell } = session;
  const store = originalsFolder(trees, module.name, kernel);
  const tree = kernelTree(trees, kernel.release);
  const isActive = existsSync(installedLink(trees, module.name, kernel));
  const kept = moduleFileIn(store, each.destName);
  if (isActive) {
    if (kept !== undefined) tell({ kind: 'original-kept' });
    return undefined;
  }
  const known = session.copies(kernel.release).named(each.destName);
  const outranked = outranksKernel(folder.slice(tree.length));
  const others = outranked || known.length !== 1 ? [] : known;
  const path = [
    moduleFileIn(`${tree}/extra`, each.destName),
    moduleFileIn(`${tree}/updates`, each.destName),
    moduleFileIn(folder, each.destName),
    ...others,
  ].find((candidate) => candidate !== undefined);
  if (path === undefined) return undefined;
  tell({ kind: 'original-found', path });
  return { from: path, to: `${store}/${basename(path)}` };
}

function removeTwins(path: string, name: string): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  for (const suffix of FILE_SUFFIXES) {
    const twin = `${folder}/${name}.ko${suffix}`;
    if (twin !== path) rmSync(twin, { force: true });
  }
}

/** Puts a module that was set aside back to its place. Errors: those of node:fs. */
export function restoreModule(from: string, to: string): void {
  moveFile(from, to);
}
