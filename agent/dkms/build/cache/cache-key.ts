/** What a build's result depends on, as one hash: equal keys mean that the result would be equal. */
import { createHash, type Hash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { commandPath, runProgram } from '../process/program.ts';
import type { BuildRequest } from '../build-request.ts';
import type { Toolchain } from '../toolchain.ts';

/** The form of what is hashed and kept; another one makes all kept results strangers. */
const FORMAT = 'plugd-dkms-cache-1';

/** Variables that say who builds, not what. */
const PERSONAL = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'TMPDIR', 'TZ', 'parallel_jobs'];

/** Files of the headers that every change of the kernel or its configuration changes. */
const HEADERS = [
  'Makefile',
  'Module.symvers',
  '.kernelvariables',
  'include/config/auto.conf',
  'include/config/kernel.release',
  'include/generated/autoconf.h',
  'include/generated/compile.h',
  'include/generated/utsrelease.h',
];

/** What is built, where, and with what. */
export interface KeyParts {
  readonly request: Pick<BuildRequest, 'conf' | 'kernel' | 'framework' | 'module' | 'version'>;
  /** The build folder, as it is before the first patch. */
  readonly build: string;
  readonly env: Readonly<Record<string, string>>;
  readonly toolchain: Toolchain;
}

/**
 * The key of a build, 64 hexadecimal digits; undefined for one whose result depends on more than plugd can see: its scripts look at the
 * machine (PRE_BUILD) or change it (POST_BUILD), or it takes part in another module's symbols.
 */
export async function cacheKey({ request, build, env, toolchain }: KeyParts): Promise<string | undefined> {
  const { conf, kernel, framework, module, version } = request;
  if (conf.preBuild !== undefined || conf.postBuild !== undefined) return undefined;
  if (conf.buildDepends.length > 0 || env['KBUILD_EXTRA_SYMBOLS'] !== undefined) return undefined;
  const hash = createHash('sha256');
  const { make, patches, modules } = conf;
  const records = modules.map(({ name, location, strip, exclusion }) => [
    name,
    location,
    strip,
    exclusion === undefined,
  ]);
  const variables = Object.entries(env)
    .filter(([name]) => !PERSONAL.includes(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  add(hash, JSON.stringify([FORMAT, module, version, kernel.release, kernel.arch, make, patches, records, variables]));
  add(hash, toolchain.llvm ? 'llvm' : 'gnu');
  addTree(hash, build, '');
  for (const name of HEADERS) addFile(hash, join(kernel.sourceDir, name));
  addSizes(hash, join(kernel.sourceDir, 'scripts'));
  if (framework.buildEnvironment !== '') addFile(hash, framework.buildEnvironment);
  const programs = [toolchain.variables['CC'] ?? 'gcc', 'ld', 'make'];
  const versions = await Promise.all(programs.map(async (program) => versionOf(program, env)));
  for (const [i, program] of programs.entries()) {
    add(hash, versions[i] ?? '');
    // A package may be rebuilt without a new version.
    const path = commandPath(program, env['PATH']);
    if (path !== undefined) addFile(hash, path);
  }
  return hash.digest('hex');
}

/** The length in front keeps two texts apart. */
function add(hash: Hash, bytes: string | Uint8Array): void {
  hash.update(`${bytes.length}:`).update(bytes);
}

function addFile(hash: Hash, path: string): void {
  try {
    add(hash, readFileSync(path));
  } catch {
    add(hash, `no ${path}`);
  }
}

function addTree(hash: Hash, root: string, below: string): void {
  for (const name of readdirSync(join(root, below)).toSorted()) {
    const path = join(below, name);
    const stat = lstatSync(join(root, path));
    if (path === 'make.log') continue;
    add(hash, `${path} ${(stat.mode & 0o170111).toString(8)}`);
    if (stat.isDirectory()) addTree(hash, root, path);
    else if (stat.isSymbolicLink()) add(hash, readlinkSync(join(root, path)));
    else if (stat.isFile()) addFile(hash, join(root, path));
  }
}

/** The tools of the headers: their names and sizes, since objtool alone has megabytes. */
function addSizes(hash: Hash, folder: string): void {
  try {
    const real = realpathSync(folder);
    for (const entry of readdirSync(real, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      add(hash, `${entry.name} ${entry.isFile() ? lstatSync(join(real, entry.name)).size : ''}`);
  } catch {
    add(hash, `no ${folder}`);
  }
}

/** What a program says it is. */
async function versionOf(program: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { output, complaint } = await runProgram([program, program === 'make' ? '--version' : '-v'], { env });
  return output + complaint;
}
