/** What building or installing one version for one kernel would come to, and why. Changes nothing. */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { statHere } from '../../../base/root.ts';
import type { PlanReason, PlanStep } from '../../../records/dkms/plan-message.ts';
import { buildEnvironment } from '../../build/process/build-environment.ts';
import { hasProgram } from '../../build/process/program.ts';
import { hasKeptBuild } from '../../build/cache/build-cache.ts';
import { cacheKey } from '../../build/cache/cache-key.ts';
import { hasHeaders, headersPackage } from '../../build/headers.ts';
import { findToolchain } from '../../build/toolchain.ts';
import { assignmentsOf, type ConfReading, type DkmsConf } from '../../conf/dkms-conf.ts';
import {
  buildFolder,
  kernelTree,
  sourceFolder,
  sourceLink,
  type DkmsKernel,
  type DkmsModule,
} from '../../tree/dkms-places.ts';
import { installedVersion, isBuilt, isDirectory, isInstalled, registrationOf } from '../../tree/registry.ts';
import { buildKernel } from '../build-action.ts';
import { isInPlace } from '../dkms-status.ts';
import type { DkmsSession } from '../session.ts';

/** What would be done with one module and kernel. */
export interface Outlook {
  readonly steps: readonly PlanStep[];
  readonly why: PlanReason;
  /** The exit status that it would lead to. */
  readonly status: number;
}

/** The outlook that nothing is done. */
export function nothing(why: PlanReason, status = 0): Outlook {
  return { steps: [], why, status };
}

/** What installing or building one version for one kernel comes to. `promised` are names that the plan installs before it. */
export async function outlookOf(
  session: DkmsSession,
  module: DkmsModule,
  kernel: DkmsKernel,
  promised: readonly string[] = [],
): Promise<Outlook> {
  const { trees, options } = session;
  const installs = options.action !== 'build';
  const registration = registrationOf(trees, module);
  if (registration === 'broken') return nothing({ kind: 'broken' }, 4);
  const add: readonly PlanStep[] = registration === undefined ? ['add'] : [];
  if (installs && isInstalled(trees, module, kernel) && !options.force) {
    return isInPlace(session, module, kernel)
      ? nothing({ kind: 'installed' })
      : { steps: ['install'], why: { kind: 'not-in-place' }, status: 0 };
  }
  const file = options.source === '' ? undefined : confFileOf(options.source);
  const folder = sourceFolder(trees, module);
  if (registration === undefined && file === undefined && !isDirectory(folder))
    return nothing({ kind: 'no-source', folder }, 2);
  const reading = session.look(
    module,
    kernel,
    'strict',
    registration === undefined ? (file ?? `${folder}/dkms.conf`) : undefined,
  );
  if (reading.kind !== 'read') return nothing(confReason(reading), reading.kind === 'missing' ? 4 : 8);
  const { conf } = reading;
  if (isBuilt(trees, module, kernel) && (!options.force || installs)) {
    if (!installs) return nothing({ kind: 'built' });
    return installOutlook(session, module, kernel);
  }
  const why = await obstacle(session, conf, kernel, promised);
  if (why !== undefined) return why;
  const kept = registration === 'added' && (await isKept(session, module, kernel, conf));
  const remade: readonly PlanStep[] = isBuilt(trees, module, kernel) ? ['unbuild'] : [];
  const steps: readonly PlanStep[] = [
    ...remade,
    ...add,
    kept ? 'fetch' : 'build',
    ...(installs ? (['install'] as const) : []),
  ];
  return { steps, why: buildReason(session, module), status: 0 };
}

function installOutlook(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Outlook {
  const { trees } = session;
  const tree = kernelTree(trees, kernel.release);
  if (!isDirectory(tree)) return nothing({ kind: 'no-kernel-tree', folder: tree }, 6);
  if (isInstalled(trees, module, kernel))
    return { steps: ['uninstall', 'install'], why: { kind: 'forced' }, status: 0 };
  const other = installedVersion(trees, module.name, kernel);
  const why: PlanReason = other === undefined ? { kind: 'not-installed' } : { kind: 'other-version', version: other };
  return { steps: ['install'], why, status: 0 };
}

/** Why a module cannot be built; undefined when nothing is in the way. */
async function obstacle(
  session: DkmsSession,
  conf: DkmsConf,
  kernel: DkmsKernel,
  promised: readonly string[],
): Promise<Outlook | undefined> {
  const { trees, options, parts } = session;
  const tree = kernelTree(trees, kernel.release);
  if (conf.exclusion !== undefined) return nothing({ kind: 'excluded', ...conf.exclusion }, 77);
  const headers = session.headersOf(kernel);
  if (!hasHeaders(headers)) {
    const name = parts.os === undefined ? undefined : headersPackage(parts.os, kernel.release);
    return nothing({ kind: 'no-headers', package: name }, 21);
  }
  if (options.action !== 'build' && !isDirectory(tree)) return nothing({ kind: 'no-kernel-tree', folder: tree }, 6);
  const { variables } = await findToolchain(buildKernel(session, kernel), process.env['PATH']);
  const compiler = variables['CC'] ?? 'gcc';
  if (!hasProgram(compiler.split(' ')[0] ?? compiler, process.env['PATH']))
    return nothing({ kind: 'no-compiler', program: compiler }, 10);
  const names = conf.buildDepends.filter(
    (name) => !promised.includes(name) && installedVersion(trees, name, kernel) === undefined,
  );
  return names.length === 0 || options.force ? undefined : nothing({ kind: 'depends-missing', names }, 13);
}

function buildReason({ trees, options }: DkmsSession, module: DkmsModule): PlanReason {
  if (options.force) return { kind: 'forced' };
  const log = `${buildFolder(trees, module)}/make.log`;
  return statHere(log)?.isFile() === true ? { kind: 'failed-before', log } : { kind: 'not-built' };
}

/** Whether the cache has the result, as far as the sources show; the administrator's patches would make it another one. */
async function isKept(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel, conf: DkmsConf): Promise<boolean> {
  const { cache, framework, etc } = session.parts;
  if (cache === undefined || existsSync(`${etc}/${module.name}/patches`)) return false;
  const target = buildKernel(session, kernel);
  const toolchain = await findToolchain(target, process.env['PATH']);
  const set = Object.fromEntries(assignmentsOf(session.options.directives).map(({ name, value }) => [name, value]));
  const env = buildEnvironment(process.env, { ...toolchain.variables, ...set });
  const request = { conf, kernel: target, framework, module: module.name, version: module.version };
  const key = await cacheKey({ request, build: `${sourceLink(session.trees, module)}/`, env, toolchain });
  return key !== undefined && hasKeptBuild(cache, key);
}

function confReason(reading: Exclude<ConfReading, { readonly kind: 'read' }>): PlanReason {
  return reading.kind === 'missing'
    ? { kind: 'no-conf', file: reading.file }
    : { kind: 'bad-conf', errors: reading.errors };
}

/** The dkms.conf of a source that the command line names: the file itself, or its folder. */
export function confFileOf(given: string): string {
  const folder = basename(given) === 'dkms.conf' || !isDirectory(given) ? dirname(given) : given;
  return `${folder}/dkms.conf`;
}
