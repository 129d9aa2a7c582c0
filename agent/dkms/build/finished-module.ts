/** What happens to a module that make made: it is stripped, signed, compressed, and becomes part of the result. */
import { chmodSync, constants, copyFileSync, existsSync, lstatSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ModuleSuffix } from '../../facts/modfiles/compression.ts';
import type { ConfModule } from '../conf/conf-modules.ts';
import type { BuildSettings, Signer, Tell } from './build-request.ts';
import { tellsLackOfSpace } from './space/free-space.ts';
import { runProgram } from './process/program.ts';

/** What to do with module files. */
export interface Finish {
  readonly build: string;
  /** The folder that the finished modules go to. */
  readonly into: string;
  readonly llvm: boolean;
  readonly signer: Signer | undefined;
  readonly suffix: ModuleSuffix;
  readonly settings: BuildSettings;
  readonly tell: Tell;
}

/** The path of the file that make makes for a record: `BUILD/src/m.ko`. */
export function builtFile(build: string, { name, location }: Pick<ConfModule, 'name' | 'location'>): string {
  return join(build, location, `${name}.ko`);
}

/**
 * Whether make made the module: a regular file inside the build folder. A link to a file of the folder counts, one that leads out
 * does not.
 */
export function isBuilt(build: string, module: Pick<ConfModule, 'name' | 'location'>): boolean {
  try {
    const path = realpathSync(builtFile(build, module));
    return path.startsWith(`${realpathSync(build)}/`) && statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Copies a module into the result and finishes it there. dkms works on make's own file; its name is told all the same. The module
 * stays unsigned or uncompressed where a program fails, which was told; false only if one fails for want of space. Throws what node:fs
 * throws.
 */
export async function finishModule(module: ConfModule, finish: Finish): Promise<boolean> {
  const { build, into, llvm, signer, suffix, settings, tell } = finish;
  const built = builtFile(build, module);
  const file = join(into, `${module.destName}.ko`);
  copyFileSync(built, file, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  chmodSync(file, 0o644);
  if (module.strip) {
    const { complaint } = await runProgram([llvm ? 'llvm-strip' : 'strip', '-g', file]);
    if (tellsLackOfSpace(complaint)) return false;
  }
  if (signer !== undefined) {
    tell({ kind: 'signing-module', file: built });
    const signed = await signer.sign(file);
    if (signed.kind === 'failed' && tellsLackOfSpace(signed.output)) return false;
    if (signed.kind === 'failed') tell({ kind: 'signing-failed', file: built, output: signed.output });
  }
  return suffix === '' || compress(file, suffix, settings, tell);
}

/** Copies the CRCs of what the modules export, for modules that need them; does nothing when make left none. */
export function keepSymvers(build: string, into: string): void {
  const symvers = join(build, 'Module.symvers');
  if (lstatSync(symvers, { throwIfNoEntry: false })?.isFile() !== true) return;
  copyFileSync(symvers, join(into, 'Module.symvers'));
}

/** The compressions that framework.conf has options for. With any other, modules stay as they are: each kernel loads those too. */
const PROGRAMS: Readonly<
  Partial<Record<Exclude<ModuleSuffix, ''>, (settings: BuildSettings) => readonly [string, string]>>
> = {
  '.gz': ({ compressGzipOpts }) => ['gzip', compressGzipOpts],
  '.xz': ({ compressXzOpts }) => ['xz', compressXzOpts],
  '.zst': ({ compressZstdOpts }) => ['zstd', compressZstdOpts],
};

async function compress(
  file: string,
  suffix: Exclude<ModuleSuffix, ''>,
  settings: BuildSettings,
  tell: Tell,
): Promise<boolean> {
  const choose = PROGRAMS[suffix];
  if (choose === undefined) return true;
  const [program, options] = choose(settings);
  const words = options.split(/\s+/).filter((word) => word !== '');
  const { status, complaint } = await runProgram([program, ...words, '-f', file]);
  const packed = `${file}${suffix}`;
  if (status === 0 && existsSync(packed)) {
    rmSync(file, { force: true }); // zstd keeps it unless --rm is among the options.
    return true;
  }
  if (tellsLackOfSpace(complaint)) return false;
  tell({ kind: 'compression-failed', file, output: complaint });
  if (existsSync(file)) rmSync(packed, { force: true });
  return true;
}
