/** The commands of a build, one after the other: patches, scripts, make. Each is told, and has its part in make.log. */
import { join } from 'node:path';
import { statHere } from '../../base/root.ts';
import type { BuildMessage } from '../../records/dkms/build-message.ts';
import { makeCommand, scriptCommand } from './build-command.ts';
import type { BuildPaths } from './build-paths.ts';
import { runBuildCommand } from './process/build-process.ts';
import type { BuildRequest } from './build-request.ts';
import { explainFailure } from './why/make-failure.ts';
import type { JobSlot } from './process/jobserver.ts';
import type { MakeLog } from './make-log.ts';
import { isExecutable } from './process/program.ts';
import { sandboxVariables, type Sandbox } from './sandbox/sandbox.ts';
import type { BuildCost } from './space/build-cost.ts';
import type { Toolchain } from './toolchain.ts';

/** A build under way. */
export interface Work {
  readonly request: BuildRequest;
  readonly paths: BuildPaths;
  readonly log: MakeLog;
  readonly env: Readonly<Record<string, string>>;
  readonly toolchain: Toolchain;
  /** The walls around its commands, raised for the first of them; undefined for none. */
  readonly walls: () => Promise<Sandbox | undefined>;
  /** What the last build of the module took. */
  readonly last: BuildCost | undefined;
  /** What it has used so far: bytes of memory at most. */
  readonly used: { memory: number };
}

/** Why a build ends: dkms's exit status, and what is to be told. */
export interface Refusal {
  readonly status: number;
  readonly messages: readonly BuildMessage[];
}

/** The status after an abort, as that of a shell command that SIGINT ended. */
const ABORTED = 130;

/** Applies dkms.conf's patches in their order; stops at the first that is missing or does not apply. */
export async function applyPatches(work: Work): Promise<Refusal | undefined> {
  const { paths, request } = work;
  const folder = join(paths.build, 'patches');
  for (const patch of request.conf.patches) {
    if (patch.split('/').includes('..')) return { status: 5, messages: [{ kind: 'patch-outside', patch }] };
    if (statHere(join(folder, patch))?.isFile() !== true)
      return { status: 5, messages: [{ kind: 'patch-missing', patch, folder }] };
    const status = await step(work, {
      description: `Applying patch ${patch}`,
      command: `patch -p1 < ./patches/${patch}`,
    });
    if (typeof status !== 'number') return status;
    if (status !== 0) return { status: 6, messages: [{ kind: 'patch-failed', patch, log: paths.log }] };
  }
  return undefined;
}

/**
 * Runs PRE_BUILD or POST_BUILD: the administrator's script of that name in /etc/dkms/NAME, else that of the source. A script that is
 * no program is told and left out.
 */
export async function runScript(work: Work, name: 'pre_build' | 'post_build'): Promise<Refusal | undefined> {
  const { paths, request } = work;
  const script = name === 'pre_build' ? request.conf.preBuild : request.conf.postBuild;
  const [program = ''] = script?.trim().split(/\s+/) ?? [];
  if (script === undefined || program === '') return undefined;
  const folder = [`${request.etc}/${request.module}`, paths.build].find((place) => isExecutable(join(place, program)));
  if (folder === undefined) {
    request.tell({ kind: 'script-not-executable', script: name });
    return undefined;
  }
  const status = await step(work, {
    description: `Running the ${name} script`,
    command: scriptCommand(folder, script.trim()),
    // Scripts of lttng and zfs put files beside the modules, which are plugd's by then.
    ...(name === 'post_build' ? { beside: paths.result } : {}),
  });
  if (typeof status !== 'number') return status;
  return status === 0 ? undefined : { status, messages: [{ kind: 'script-failed', script: name, log: paths.log }] };
}

/** Runs make. */
export async function compile(work: Work): Promise<Refusal | undefined> {
  const { paths, request, toolchain, log } = work;
  const { kernel, module, version } = request;
  const command = makeCommand(request.conf.make, {
    release: kernel.release,
    jobs: request.jobserver === undefined ? request.jobs : undefined,
    llvm: toolchain.llvm,
  });
  const slot = await request.jobserver?.take(request.signal);
  const status = await step(work, { description: 'Building module(s)', command, dots: true, slot }).finally(() =>
    slot?.give(),
  );
  if (typeof status !== 'number') return status;
  if (status === 0) return undefined;
  const failure = explainFailure(log.bytes().toString('utf8'), { build: paths.build, kernel: kernel.release });
  return {
    status: 10,
    messages: [
      { kind: 'make-failed', kernel: kernel.release, arch: kernel.arch, log: paths.log },
      ...(failure === undefined
        ? []
        : [{ kind: 'explanation', failure, module, version, kernel: kernel.release } as const]),
    ],
  };
}

interface Step {
  readonly description: string;
  readonly command: string;
  /** A dot every three seconds. */
  readonly dots?: boolean;
  readonly slot?: JobSlot | undefined;
  /** A further folder to write to, with the rights of plugd's own user. */
  readonly beside?: string;
}

/** The exit status of a command, or the refusal after an abort. */
async function step(work: Work, { description, command, dots = false, slot, beside }: Step): Promise<number | Refusal> {
  const { request, paths, log, env } = work;
  const { tell, verbose, module, version, kernel, trees, framework } = request;
  const sandbox = await work.walls();
  tell({ kind: 'step', description, command, verbose });
  log.begin(description, command);
  // The modules of dkms's own test suite get no dots, so that their outputs can be compared.
  const quiet = verbose || !dots || /^dkms.*_test$/.test(module);
  const ending = await runBuildCommand({
    command,
    before: sandbox?.words(
      [paths.build, ...(beside === undefined ? [] : [beside])],
      beside === undefined ? 'user' : 'caller',
    ),
    cwd: paths.build,
    env: { ...env, ...(sandbox === undefined ? {} : sandboxVariables(sandbox)), ...request.variables, ...slot?.env },
    inherited: slot?.inherited,
    variables: {
      kernelver: kernel.release,
      arch: kernel.arch,
      kernel_source_dir: kernel.sourceDir,
      kernel_config: kernel.config ?? '',
      dkms_tree: trees.dkmsTree,
      source_tree: trees.sourceTree,
      install_tree: trees.installTree,
      module,
      module_version: version,
      PACKAGE_NAME: request.conf.packageName,
      PACKAGE_VERSION: request.conf.packageVersion,
      parallel_jobs: request.jobs === 0 ? '' : String(request.jobs),
    },
    source: framework.buildEnvironment,
    output: log.fd,
    signal: request.signal,
    clock: request.clock,
    dot: quiet ? undefined : () => tell({ kind: 'dot' }),
  });
  if (ending.kind === 'aborted') {
    log.end(ABORTED, ending.seconds);
    return { status: ABORTED, messages: [{ kind: 'interrupted', module, version, kernel: kernel.release }] };
  }
  log.end(ending.status, ending.seconds);
  work.used.memory = Math.max(work.used.memory, ending.memory);
  tell(ending.status === 0 ? { kind: 'step-done' } : { kind: 'step-failed', status: ending.status, command, verbose });
  return ending.status;
}
