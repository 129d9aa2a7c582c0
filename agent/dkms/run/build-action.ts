/** `dkms build` and `unbuild` for one module and kernel. */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { reason } from '../../base/error.ts';
import { buildModule } from '../build/build.ts';
import type { BuildKernel, Signer } from '../build/build-request.ts';
import { headersRefusal } from '../build/headers.ts';
import { openSandbox, type Sandbox } from '../build/sandbox/sandbox.ts';
import { prepareSigning } from '../build/signing.ts';
import { assignmentsOf, type DkmsConf } from '../conf/dkms-conf.ts';
import { removeEmptyFolder } from '../install/module-indexes.ts';
import { nameOf, builtFolder, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { installedVersion, isBuilt, isInstalled, registrationOf } from '../tree/registry.ts';
import { addModule } from './addition.ts';
import type { DkmsSession } from './session.ts';
import { uninstallFor } from './uninstall-action.ts';

/** Adds the module if it is not registered; gives 0, or the status of why not. */
export function ensureAdded(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): number {
  const registration = registrationOf(session.trees, module);
  if (registration === 'added') return 0;
  if (registration === 'broken') {
    session.tell({ kind: 'broken', module: nameOf(module), during: 'action' });
    return 4;
  }
  const status = addModule(session, module, kernel);
  if (status === 0) session.tell({ kind: 'blank' });
  return status;
}

/**
 * `dkms build` for a kernel: skips what is built, unless --force says to build it again. Gives dkms's exit status.
 */
export async function buildFor(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Promise<number> {
  const added = ensureAdded(session, module, kernel);
  if (added !== 0) return added;
  if (isBuilt(session.trees, module, kernel)) {
    if (!session.options.force) {
      session.tell({ kind: 'already-built', module: nameOf(module), ...kernel });
      return 0;
    }
    const status = await unbuildFor(session, module, kernel, 'silent');
    if (status !== 0) return status;
  }
  return build(session, module, kernel);
}

/** Builds what is registered and not built. Gives dkms's exit status. */
export async function build(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Promise<number> {
  const { trees, tell, parts, options } = session;
  const conf = session.conf(module, kernel, 'strict');
  if (typeof conf === 'number') return conf;
  if (conf.exclusion !== undefined) {
    tell({
      kind: 'excluded',
      folder: builtFolder(trees, module, kernel),
      module: nameOf(module),
      exclusion: conf.exclusion,
    });
    return 77;
  }
  const missingDepends = conf.buildDepends.filter((name) => installedVersion(trees, name, kernel) === undefined);
  const outcome = await buildModule({
    module: module.name,
    version: module.version,
    conf,
    kernel: buildKernel(session, kernel),
    trees,
    framework: parts.framework,
    os: parts.os,
    etc: parts.etc,
    force: options.force,
    verbose: parts.framework.verbose,
    jobs: parts.framework.parallelJobs,
    signer: async () => signerOf(session, kernel),
    // Exported in dkms, so make sees them, too.
    variables: Object.fromEntries(assignmentsOf(options.directives).map(({ name, value }) => [name, value])),
    jobserver: session.jobserver,
    cache: parts.cache,
    sandbox: isSandboxed(session, conf) ? async () => sandboxOf(session, kernel) : undefined,
    missingDepends,
    tell,
  });
  if (outcome.kind === 'stopped') return outcome.status;
  if (conf.buildDependsRebuild) noteDependencies(session, module, kernel, conf);
  return 0;
}

/**
 * Looks for the headers of a kernel and says how its modules will be signed, before the first of several builds. Gives 0, or 21 without
 * headers.
 */
export async function prepareKernel(session: DkmsSession, kernel: DkmsKernel): Promise<number> {
  const refusal = headersRefusal(buildKernel(session, kernel), session.trees, session.parts.os);
  for (const message of refusal) session.tell(message);
  if (refusal.length > 0) return 21;
  await signerOf(session, kernel);
  return 0;
}

/** Who signs the modules of a kernel; the lines about it are told once a run. */
export async function signerOf(session: DkmsSession, kernel: DkmsKernel): Promise<Signer | undefined> {
  const { tell, trees, parts } = session;
  const key = `${kernel.release}/${kernel.arch}`;
  if (!session.signers.has(key)) {
    const framework = session.signing(kernel);
    const { distribution } = parts;
    const signer = await prepareSigning({ kernel: buildKernel(session, kernel), framework, distribution, trees, tell });
    session.signers.set(key, signer);
  }
  return session.signers.get(key);
}

/** Whether the builds of a module are walled in: its own word counts, then that of the run, then dkms's custom, which has no walls. */
export function isSandboxed({ parts }: DkmsSession, conf?: DkmsConf): boolean {
  return conf?.sandbox ?? parts.framework.buildSandbox ?? !parts.asDkms;
}

/** The walls of this run's builds, found out once; gaps are told then. */
export async function sandboxOf(session: DkmsSession, kernel: DkmsKernel): Promise<Sandbox> {
  session.sandbox ??= openSandbox({ entered: [session.trees.dkmsTree, session.headersOf(kernel)] }).then((sandbox) => {
    const { missing } = sandbox;
    if (missing.length > 0) session.tell({ kind: 'walls-missing', missing });
    return sandbox;
  });
  return session.sandbox;
}

/** The kernel as a build sees it. */
export function buildKernel(session: DkmsSession, kernel: DkmsKernel): BuildKernel {
  return {
    ...kernel,
    sourceDir: session.headersOf(kernel),
    config: session.kernelConfigOf(kernel),
    suffix: session.copies(kernel.release).suffix,
  };
}

/** BUILD_DEPENDS_REBUILD: `.dep_NAME` keeps the version that the build saw, for the day when it changes. */
function noteDependencies(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel, conf: DkmsConf): void {
  const folder = builtFolder(session.trees, module, kernel);
  for (const name of conf.buildDepends) {
    const version = installedVersion(session.trees, name, kernel);
    if (version !== undefined) writeFileSync(`${folder}/.dep_${name}`, `${version}\n`);
  }
}

/**
 * `dkms unbuild` for a kernel: uninstalls, and deletes the build. `silent` says nothing about what is not there. Gives dkms's exit
 * status.
 */
export async function unbuildFor(
  session: DkmsSession,
  module: DkmsModule,
  kernel: DkmsKernel,
  how: 'told' | 'silent' = 'told',
): Promise<number> {
  const { trees, tell } = session;
  if (how === 'told' || isInstalled(trees, module, kernel)) {
    const status = await uninstallFor(session, module, kernel);
    if (status !== 0) return status;
  }
  if (!isBuilt(trees, module, kernel)) {
    if (how === 'told') tell({ kind: 'not-built', module: nameOf(module), ...kernel });
    return 0;
  }
  const folder = builtFolder(trees, module, kernel);
  try {
    rmSync(folder, { recursive: true, force: true });
    removeEmptyFolder(dirname(folder));
  } catch (error) {
    tell({ kind: 'delete-failed', path: folder, why: reason(error) });
    return 1;
  }
  return 0;
}
