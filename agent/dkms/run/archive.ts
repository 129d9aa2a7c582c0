/** `dkms mktarball` and `ldtarball`: a module's sources and builds in one archive, in dkms's form. The archive's writer is not trusted. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { reason } from '../../base/error.ts';
import {
  nameOf,
  buildFolder,
  builtFolder,
  sourceFolder,
  sourceLink,
  versionFolder,
  type DkmsKernel,
  type DkmsModule,
} from '../tree/dkms-places.ts';
import { buildsOf, isBuilt, namesIn, registrationOf } from '../tree/registry.ts';
import { takeSource, type Addition } from './addition.ts';

import type { DkmsSession } from './session.ts';

/** Longer lists of kernels make no file name. */
const MOST_NAME = 200;

/** Makes an archive of a module for the kernels given, or for all that it is built for; gives dkms's exit status. */
export function makeArchive(
  session: DkmsSession,
  module: DkmsModule,
  given: readonly DkmsKernel[] | undefined,
): number {
  const { trees, tell, options, parts } = session;
  const kernels = options.sourceOnly ? [] : (given ?? buildsOf(trees, module).map(({ kernel }) => kernel));
  const absent = kernels.find((kernel) => !isBuilt(trees, module, kernel));
  if (absent !== undefined || (kernels.length === 0 && !options.sourceOnly)) {
    const what = absent === undefined ? nameOf(module) : `${absent.release} (${absent.arch})`;
    tell({
      kind: 'archive',
      problem: 'not-built',
      what,
      why: `Modules must already be in the built state before using mktarball.`,
    });
    return 6;
  }
  const work = mkdtempSync(join(parts.framework.tmpLocation, 'dkms.'));
  try {
    for (const kernel of kernels) {
      tell({ kind: 'archive-step', step: 'marking-kernel', what: `${kernel.release} (${kernel.arch})` });
      const folder = `${work}/dkms_main_tree/${kernel.release}/${kernel.arch}`;
      mkdirSync(dirname(folder), { recursive: true });
      cpSync(builtFolder(trees, module, kernel), folder, {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
      });
    }
    if (options.binariesOnly) describeBinaries(session, module, work);
    else {
      tell({ kind: 'archive-step', step: 'marking-source', what: sourceLink(trees, module) });
      const from = realpathSync(sourceLink(trees, module));
      cpSync(from, `${work}/dkms_source_tree`, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    }
    return pack(session, module, kernels, work);
  } catch (error) {
    tell({ kind: 'archive', problem: 'not-made', what: nameOf(module), why: reason(error) });
    return 6;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function describeBinaries({ trees, tell }: DkmsSession, module: DkmsModule, work: string): void {
  tell({ kind: 'archive-step', step: 'binaries-only', what: nameOf(module) });
  const folder = `${work}/dkms_binaries_only`;
  mkdirSync(folder);
  writeFileSync(`${folder}/PACKAGE_NAME`, `${module.name}\n`);
  writeFileSync(`${folder}/PACKAGE_VERSION`, `${module.version}\n`);
  cpSync(`${sourceLink(trees, module)}/dkms.conf`, `${folder}/dkms.conf`);
}

function pack(session: DkmsSession, module: DkmsModule, kernels: readonly DkmsKernel[], work: string): number {
  const { trees, tell, options } = session;
  const path =
    options.archive === ''
      ? `${versionFolder(trees, module)}/tarball/${archiveName(module, kernels)}`
      : resolve(options.archive);
  tell({ kind: 'archive-step', step: 'location', what: path });
  try {
    mkdirSync(dirname(path), { recursive: true });
    accessSync(dirname(path), constants.W_OK);
  } catch {
    tell({ kind: 'archive', problem: 'not-writable', what: dirname(path) });
    return 9;
  }
  const child = spawnSync('tar', ['-C', work, '-caf', path, '--', ...readdirSync(work)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (child.status === 0) return 0;
  rmSync(path, { force: true });
  tell({
    kind: 'archive',
    problem: 'not-made',
    what: path,
    why: child.error === undefined ? child.stderr.trim() : reason(child.error),
  });
  return 6;
}

function archiveName({ name, version }: DkmsModule, kernels: readonly DkmsKernel[]): string {
  const list = kernels.map(({ release, arch }) => `-kernel${release}-${arch}`).join('');
  const shown = kernels.length === 0 ? '-source-only' : list;
  return `${name}-${version}${shown.length > MOST_NAME ? '-manykernels' : shown}.dkms.tar.gz`;
}

/** Loads an archive into the trees and registers its module; or the status of why not: told. */
export function loadArchive(session: DkmsSession, path: string, kernel: DkmsKernel): Addition {
  const { tell, parts } = session;
  if (!existsSync(path)) {
    tell({ kind: 'archive', problem: 'missing', what: path });
    return { status: 2 };
  }
  const work = mkdtempSync(join(parts.framework.tmpLocation, 'dkms.'));
  try {
    const unpacked = unpack(path, work);
    if (unpacked !== undefined) {
      tell({ kind: 'archive', problem: 'unsafe-member', what: path, why: unpacked });
      return { status: 7 };
    }
    return existsSync(`${work}/dkms_main_tree`)
      ? loadTrees(session, path, work, kernel)
      : loadSource(session, path, work, kernel);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Unpacks into an empty folder; gives why the archive is refused, undefined when all its members stay inside. */
function unpack(path: string, work: string): string | undefined {
  const child = spawnSync('tar', ['-C', work, '--no-same-owner', '-xf', resolve(path)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (child.status !== 0)
    return child.error === undefined ? (child.stderr.trim().split('\n')[0] ?? '') : reason(child.error);
  return badMember(work, work);
}

/** The first member that is no file, folder or link inside the archive. */
function badMember(folder: string, top: string): string | undefined {
  for (const name of readdirSync(folder)) {
    const path = `${folder}/${name}`;
    const stat = lstatSync(path);
    const shown = path.slice(top.length + 1);
    if (stat.isDirectory()) {
      const bad = badMember(path, top);
      if (bad !== undefined) return bad;
    } else if (stat.isSymbolicLink()) {
      const target = readlinkSync(path);
      if (isAbsolute(target) || !`${resolve(folder, target)}/`.startsWith(`${top}/`))
        return `its member ${shown} is a link to ${target}`;
    } else if (!stat.isFile()) return `its member ${shown} is neither a file nor a folder`;
  }
  return undefined;
}

/** An archive of sources only: any folder in it that has a dkms.conf. */
function loadSource(session: DkmsSession, path: string, work: string, kernel: DkmsKernel): Addition {
  const folder = findConf(work);
  if (folder !== undefined) return takeSource(session, folder, kernel);
  session.tell({ kind: 'archive', problem: 'no-conf', what: path });
  return { status: 3 };
}

function findConf(folder: string): string | undefined {
  if (existsSync(`${folder}/dkms.conf`)) return folder;
  for (const name of namesIn(folder)) {
    const below = lstatSync(`${folder}/${name}`).isDirectory() ? findConf(`${folder}/${name}`) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

function loadTrees(session: DkmsSession, path: string, work: string, kernel: DkmsKernel): Addition {
  const { trees, tell, options } = session;
  const part = ['dkms_source_tree', 'dkms_binaries_only'].find((name) => existsSync(`${work}/${name}/dkms.conf`));
  if (part === undefined) {
    tell({ kind: 'archive', problem: 'not-dkms', what: basename(path) });
    return { status: 7 };
  }
  const conf = session.conf({ name: '', version: '' }, kernel, 'lenient', `${work}/${part}/dkms.conf`);
  if (typeof conf === 'number') {
    tell({ kind: 'archive', problem: 'malformed', what: path });
    return { status: conf };
  }
  const module = { name: conf.packageName, version: conf.packageVersion };
  if (registrationOf(trees, module) === 'added' && !options.force) {
    tell({ kind: 'archive', problem: 'already-added', what: nameOf(module) });
    return { status: 8 };
  }
  tell({ kind: 'archive-step', step: 'loading', what: nameOf(module) });
  const source = sourceFolder(trees, module);
  try {
    mkdirSync(buildFolder(trees, module), { recursive: true, mode: 0o755 });
    if (!existsSync(source) || options.force)
      cpSync(`${work}/${part}`, source, { recursive: true, verbatimSymlinks: true });
    if (lstatSync(sourceLink(trees, module), { throwIfNoEntry: false }) === undefined)
      symlinkSync(source, sourceLink(trees, module));
    loadBuilds(session, module, `${work}/dkms_main_tree`);
  } catch (error) {
    tell({ kind: 'source-not-copied', folder: versionFolder(trees, module), why: reason(error) });
    return { status: 6 };
  }
  return { status: 0, module };
}

function loadBuilds({ trees, tell, options }: DkmsSession, module: DkmsModule, from: string): void {
  for (const release of namesIn(from)) {
    for (const arch of namesIn(`${from}/${release}`)) {
      const to = builtFolder(trees, module, { release, arch });
      if (existsSync(to) && !options.force) {
        tell({ kind: 'archive', problem: 'exists', what: to });
        continue;
      }
      tell({ kind: 'archive-step', step: 'loading-kernel', what: to });
      rmSync(to, { recursive: true, force: true });
      mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
      cpSync(`${from}/${release}/${arch}`, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    }
  }
}
