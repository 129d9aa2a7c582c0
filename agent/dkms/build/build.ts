/**
 * Builds one module for one kernel: the source is copied to `BASE/build`, patched and compiled there, and what comes out is finished in
 * a folder beside the result's place and renamed there. Until then, and after any failure, the result of the build before is there.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { includedModules } from '../conf/conf-modules.ts';
import { join } from 'node:path';
import { CLOCK } from '../../base/clock.ts';
import { reason } from '../../base/error.ts';
import { namesInRoot } from '../../base/root.ts';
import { buildEnvironment } from './process/build-environment.ts';
import { diskUse, fillBuildFolder, overlayPatches, type Copying } from './build-folder.ts';
import { keepCost, lastCost } from './space/build-cost.ts';
import { buildPaths, type BuildPaths } from './build-paths.ts';
import type { BuildOutcome, BuildRequest } from './build-request.ts';
import { applyPatches, compile, runScript, type Refusal, type Work } from './build-steps.ts';
import { fetchBuild, storeBuild } from './cache/build-cache.ts';
import { cacheKey } from './cache/cache-key.ts';
import { builtForAnother } from './built-kernel.ts';
import { builtFile, finishModule, isBuilt, keepSymvers } from './finished-module.ts';
import { freeSpace, isLackOfSpace, lackOfSpace, tellsLackOfSpace } from './space/free-space.ts';
import { headersRefusal } from './headers.ts';
import { openMakeLog, type MakeLog } from './make-log.ts';
import { runProgram } from './process/program.ts';
import { openResultFolder, recoverResult, type ResultFolder } from './result-folder.ts';
import { giveFolder, type Sandbox } from './sandbox/sandbox.ts';
import { findToolchain } from './toolchain.ts';

/** Seconds from which on people want to know how long a build takes. */
const LONG_S = 5;

/**
 * Builds a module: `await buildModule(request)`. Everything that people are to read was told before it returns. A failure leaves
 * `build/` with make.log for people to read, and nothing else. Errors: none.
 */
export async function buildModule(request: BuildRequest): Promise<BuildOutcome> {
  const clock = request.clock ?? CLOCK;
  const started = clock.now();
  const paths = buildPaths(request.trees, request.module, request.version, request.kernel);
  const refusal = await refusalOf(request, paths);
  if (refusal === undefined) return { kind: 'built', seconds: (clock.now() - started) / 1000 };
  for (const message of refusal.messages) request.tell(message);
  return { kind: 'stopped', status: refusal.status };
}

async function refusalOf(request: BuildRequest, paths: BuildPaths): Promise<Refusal | undefined> {
  const { kernel, trees, module, version, missingDepends: missing, force, tell } = request;
  if (namesInRoot('', paths.source).length < 2)
    return { status: 8, messages: [{ kind: 'source-empty', source: paths.source }] };
  const headers = headersRefusal(kernel, trees, request.os);
  if (headers.length > 0) return { status: 21, messages: headers };
  const signer = await request.signer();
  const place = { module, version, kernel: kernel.release, arch: kernel.arch };
  if (missing.length > 0 && !force) return { status: 13, messages: [{ kind: 'depends-missing', ...place, missing }] };
  if (missing.length > 0) tell({ kind: 'depends-ignored', ...place, missing });
  try {
    recoverResult(paths, kernel.arch);
    return await buildCopy({ ...request, signer: async () => signer }, paths);
  } catch (error) {
    // What node:fs throws: the disk is full, or read-only, or somebody else's.
    if (isLackOfSpace(error)) return noSpace(paths, 6);
    return { status: 6, messages: [{ kind: 'write-failed', file: fileOf(error) ?? paths.build, why: reason(error) }] };
  }
}

async function buildCopy(request: BuildRequest, paths: BuildPaths): Promise<Refusal | undefined> {
  const { kernel, module, version, etc, trees } = request;
  // A build needs at least the space of its sources, and usually as much as the last build took.
  const last = lastCost(trees, { name: module, version });
  const needed = Math.max(diskUse(`${paths.source}/`), last?.bytes ?? 0);
  const lacking = lackOfSpace(paths.base, needed);
  if (lacking !== undefined) return { status: 6, messages: [lacking] };
  const copying = await fillBuildFolder(paths.source, paths.build);
  const overlaid = copying.kind === 'copied' ? await overlayPatches(`${etc}/${module}/patches`, paths.build) : copying;
  if (overlaid.kind === 'failed') return copyRefusal(overlaid, paths);
  const toolchain = await findToolchain(kernel, process.env['PATH']);
  const log = openMakeLog(paths.log, {
    module,
    version,
    kernel: kernel.release,
    arch: kernel.arch,
    date: (await runProgram(['date'])).output.trim() || new Date().toUTCString(),
  });
  try {
    const env = buildEnvironment(process.env, { ...toolchain.variables, ...request.variables });
    const walls = wallsOf(request, paths);
    return await buildLogged({ request, paths, log, env, toolchain, walls, last, used: { memory: 0 } });
  } finally {
    log.close();
  }
}

/** A build from the cache may run no command, and finding out which walls can stand takes longer than all else of it. */
function wallsOf({ sandbox }: BuildRequest, { build }: BuildPaths): Work['walls'] {
  let opened: Promise<Sandbox | undefined> | undefined;
  const open = async () => {
    const walls = await sandbox?.();
    await giveFolder(walls, build);
    return walls;
  };
  return async () => (opened ??= open());
}

async function buildLogged(work: Work): Promise<Refusal | undefined> {
  const { paths, log, request } = work;
  const clock = request.clock ?? CLOCK;
  const started = clock.now();
  const made = await make(work);
  const refusal = made === 'fetched' ? undefined : made;
  if (refusal !== undefined) {
    return tellsLackOfSpace(log.bytes().toString('latin1')) ? noSpace(paths, refusal.status, log) : refusal;
  }
  const wrong = missingModule(work) ?? wrongKernel(work);
  if (wrong !== undefined) return wrong;
  const result = openResultFolder(paths, request.kernel.arch);
  let kept = false;
  try {
    const unfinished = (await fillResult(work, result)) ?? (await runScript(work, 'post_build'));
    if (unfinished !== undefined) return unfinished;
    writeFileSync(join(paths.result, 'log/make.log'), log.bytes());
    // A result from the cache has cost no build.
    if (made !== 'fetched') {
      const memory = work.used.memory || undefined;
      const cost = { bytes: diskUse(paths.build), seconds: (clock.now() - started) / 1000, memory };
      keepCost(join(paths.result, 'log'), cost);
      request.tell({ kind: 'build-cost', ...cost });
    }
    result.keep();
    kept = true;
  } finally {
    if (!kept) result.drop();
  }
  rmSync(paths.build, { recursive: true, force: true });
  return undefined;
}

/** Has make make the modules, unless the same build is fetched from the cache. */
async function make(work: Work): Promise<Refusal | 'fetched' | undefined> {
  const { request, paths, env, toolchain, log } = work;
  const { cache, module, version } = request;
  const key = cache === undefined ? undefined : await cacheKey({ request, build: paths.build, env, toolchain });
  const kept = { folder: paths.build, modules: includedModules(request.conf) };
  if (cache !== undefined && key !== undefined && fetchBuild(cache, key, kept)) {
    log.begin('Taking module(s) from the cache', `cp ${cache.folder}/${key}/*`);
    log.end(0, 0);
    request.tell({ kind: 'from-cache', module, version });
    return 'fetched';
  }
  const seconds = work.last?.seconds ?? 0;
  if (seconds >= LONG_S) request.tell({ kind: 'build-forecast', seconds });
  const refusal = (await applyPatches(work)) ?? (await runScript(work, 'pre_build')) ?? (await compile(work));
  if (refusal !== undefined) return refusal;
  const whole = missingModule(work) === undefined && wrongKernel(work) === undefined;
  if (cache !== undefined && key !== undefined && whole) await storeBuild(cache, key, kept);
  return undefined;
}

/** Finishes the modules and puts them into their place, where POST_BUILD scripts expect them. */
async function fillResult(work: Work, result: ResultFolder): Promise<Refusal | undefined> {
  const { request, paths, toolchain, log } = work;
  const finish = {
    build: paths.build,
    into: result.modules,
    llvm: toolchain.llvm,
    signer: await request.signer(),
    suffix: request.kernel.suffix,
    settings: request.framework,
    tell: request.tell,
  };
  for (const module of includedModules(request.conf)) {
    if (!(await finishModule(module, finish))) return noSpace(paths, 6, log);
  }
  keepSymvers(paths.build, result.modules);
  result.publish();
  return undefined;
}

function missingModule({ request, paths }: Work): Refusal | undefined {
  const { release, arch } = request.kernel;
  const missing = includedModules(request.conf).find((module) => !isBuilt(paths.build, module));
  if (missing === undefined) return undefined;
  const module = `${missing.location}${missing.name}.ko`;
  return { status: 7, messages: [{ kind: 'module-missing', module, kernel: release, arch, log: paths.log }] };
}

function wrongKernel({ request, paths }: Work): Refusal | undefined {
  const { kernel, trees } = request;
  const own = kernel.sourceDir === `${trees.installTree}/${kernel.release}/build`;
  for (const { name, location } of includedModules(request.conf)) {
    const built = builtForAnother(builtFile(paths.build, { name, location }), kernel, own);
    if (built === undefined) continue;
    const module = `${location}${name}.ko`;
    return { status: 7, messages: [{ kind: 'wrong-kernel', module, built, wanted: kernel.release, log: paths.log }] };
  }
  return undefined;
}

function copyRefusal({ why }: Extract<Copying, { kind: 'failed' }>, paths: BuildPaths): Refusal {
  if (tellsLackOfSpace(why)) return noSpace(paths, 6);
  return { status: 6, messages: [{ kind: 'write-failed', file: paths.build, why }] };
}

/**
 * The refusal when a disk turned out to be full. What the build wrote is removed but for the log, so that the machine has its space
 * back; it tells how much is needed at least.
 */
function noSpace({ base, build, log: logPath }: BuildPaths, status: number, log?: MakeLog): Refusal {
  const used = diskUse(build);
  for (const name of namesInRoot('', build)) {
    if (join(build, name) !== logPath || log === undefined) rmSync(join(build, name), { recursive: true, force: true });
  }
  const free = freeSpace(base) ?? 0;
  const needed = Math.max(used, free) + 2 ** 20;
  return { status, messages: [{ kind: 'no-space', folder: base, needed, free }] };
}

/** The file that a failed call of node:fs was about. */
function fileOf(error: unknown): string | undefined {
  const path = (error as { readonly path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}
