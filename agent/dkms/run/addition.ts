/** `dkms add`: a module's sources become known to the DKMS tree. */
import { cpSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { reason } from '../../base/error.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { runScript } from '../install/scripts.ts';
import {
  buildFolder,
  moduleFolder,
  sourceFolder,
  sourceLink,
  versionFolder,
  type DkmsKernel,
  type DkmsModule,
} from '../tree/dkms-places.ts';
import { isDirectory, realPath, registrationOf } from '../tree/registry.ts';
import type { DkmsSession } from './session.ts';

/** A module with the status 0, or the status of why not: told. */
export type Addition =
  | { readonly status: 0; readonly module: DkmsModule }
  | { readonly status: number; readonly module?: undefined };

/** Registers a version whose sources lie in the source tree; gives the exit status. Its names were checked where they came from. */
export function addModule(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): number {
  const { trees, tell } = session;
  const text = `${module.name}/${module.version}`;
  if (registrationOf(trees, module) === 'added') {
    tell({ kind: 'already-added', module: text });
    return 3;
  }
  const folder = sourceFolder(trees, module);
  if (!isDirectory(folder)) {
    tell({ kind: 'no-source-directory', folder });
    return 2;
  }
  const given = session.options.confFile;
  const conf = session.conf(module, kernel, 'strict', given === '' ? `${folder}/dkms.conf` : given);
  if (typeof conf === 'number') return conf;
  const link = sourceLink(trees, module);
  tell({ kind: 'link-created', link, target: folder });
  try {
    register(trees, module, folder);
  } catch (error) {
    tell({ kind: 'source-not-copied', folder: dirname(link), why: reason(error) });
    return 1;
  }
  const overrides = `${session.parts.etc}/${module.name}`;
  runScript({ name: 'post_add', command: conf.postAdd, folder: link, overrides }, tell);
  return 0;
}

/** Makes the version's folder with its link, in one step: a run that is cut off leaves no folder without a link, which would be broken. */
function register(trees: DkmsTrees, module: DkmsModule, source: string): void {
  const folder = versionFolder(trees, module);
  if (existsSync(folder)) {
    const link = sourceLink(trees, module);
    mkdirSync(buildFolder(trees, module), { recursive: true, mode: 0o755 });
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(link);
    symlinkSync(source, link);
    return;
  }
  const beside = `${moduleFolder(trees, module.name)}/.${module.version}.plugd-${process.pid}`;
  mkdirSync(`${beside}/build`, { recursive: true, mode: 0o755 });
  symlinkSync(source, `${beside}/source`);
  renameSync(beside, folder);
}

/**
 * Takes a folder with a dkms.conf, or the dkms.conf itself, into the source tree, unless it lies there already. Names come from the
 * dkms.conf, whose reading checks them. Says nothing when all is well.
 */
export function takeSource(session: DkmsSession, given: string, kernel: DkmsKernel): Addition {
  const { trees, tell, options } = session;
  const path = basename(given) === 'dkms.conf' || !isDirectory(given) ? dirname(given) : given;
  const from = realPath(path);
  if (from === undefined || !existsSync(`${from}/dkms.conf`)) {
    tell({ kind: 'no-conf-in', path: given });
    return { status: 9 };
  }
  const conf = session.conf({ name: '', version: '' }, kernel, 'lenient', `${from}/dkms.conf`);
  if (typeof conf === 'number') return { status: conf };
  const module = { name: conf.packageName, version: conf.packageVersion };
  const to = sourceFolder(trees, module);
  if (realPath(to) === from) return { status: 0, module };
  if (existsSync(to)) {
    if (!options.force) return { status: 0, module };
    tell({ kind: 'source-replaced', module: `${module.name}/${module.version}` });
  }
  const beside = `${trees.sourceTree}/.${module.name}-${module.version}.plugd-${process.pid}`;
  try {
    mkdirSync(trees.sourceTree, { recursive: true, mode: 0o755 });
    cpSync(from, beside, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    rmSync(to, { recursive: true, force: true });
    renameSync(beside, to);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    tell({ kind: 'source-not-copied', folder: to, why: reason(error) });
    return { status: 6 };
  }
  return { status: 0, module };
}
