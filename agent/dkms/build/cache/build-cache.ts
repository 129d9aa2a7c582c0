/**
 * Results of builds, kept by what they depend on, so that the same source is compiled once for a kernel: a package that is upgraded,
 * removed and added again builds nothing. Modules are kept as make left them, without debug information and signature.
 *
 *     /var/cache/plugd/dkms/KEY/sums       the hash of each file
 *     /var/cache/plugd/dkms/KEY/0.ko …     the modules, by their record
 *     /var/cache/plugd/dkms/KEY/Module.symvers
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { namesInRoot } from '../../../base/root.ts';
import type { ConfModule } from '../../conf/conf-modules.ts';
import type { CachePlaces } from './cache-places.ts';
import { diskUse } from '../build-folder.ts';
import { builtFile } from '../finished-module.ts';
import { runProgram } from '../process/program.ts';

/** What a build has in `folder` when make has ended. */
export interface CachedBuild {
  readonly folder: string;
  /** The records that are built. */
  readonly modules: readonly ConfModule[];
}

const SUMS = 'sums';
const SYMVERS = 'Module.symvers';
/** A result that is being written. */
const HALF = '.half-';

/** Whether a result is kept; it may still turn out to be damaged. */
export function hasKeptBuild({ folder, shared = [] }: CachePlaces, key: string): boolean {
  return [folder, ...shared].some((place) => existsSync(join(place, key, SUMS)));
}

/**
 * Puts a kept result into a build folder, as if make had made it, and says whether there was one. A damaged one counts as none, and is
 * removed.
 */
export function fetchBuild({ folder, shared = [] }: CachePlaces, key: string, build: CachedBuild): boolean {
  for (const place of [folder, ...shared]) {
    const kept = join(place, key);
    if (!existsSync(join(kept, SUMS))) continue;
    if (!isWhole(kept, namesOf(build))) {
      if (place === folder) rmSync(kept, { recursive: true, force: true });
      continue;
    }
    build.modules.forEach((module, i) => put(join(kept, `${i}.ko`), builtFile(build.folder, module)));
    if (existsSync(join(kept, SYMVERS))) put(join(kept, SYMVERS), join(build.folder, SYMVERS));
    if (place === folder) utimesSync(kept, new Date(), new Date());
    return true;
  }
  return false;
}

/** Keeps what make made, then makes room. A disk without space keeps nothing. Throws nothing of node:fs. */
export async function storeBuild({ folder, limit }: CachePlaces, key: string, build: CachedBuild): Promise<void> {
  let half: string | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    half = mkdtempSync(join(folder, HALF));
    for (const [i, module] of build.modules.entries()) {
      const file = join(half, `${i}.ko`);
      copyFileSync(builtFile(build.folder, module), file);
      if (module.strip) await runProgram(['strip', '-g', file]);
    }
    // A link may lead to a file that the build itself may not read.
    if (lstatSync(join(build.folder, SYMVERS), { throwIfNoEntry: false })?.isFile() === true)
      copyFileSync(join(build.folder, SYMVERS), join(half, SYMVERS));
    writeFileSync(join(half, SUMS), sumsOf(half));
    rmSync(join(folder, key), { recursive: true, force: true });
    renameSync(half, join(folder, key));
    makeRoom(folder, limit);
  } catch {
    if (half !== undefined) rmSync(half, { recursive: true, force: true });
  }
}

/** Removes the results that were not used for the longest time, until the rest has `limit` bytes or less. */
export function makeRoom(folder: string, limit: number): void {
  const kept = namesInRoot('', folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({ path, bytes: diskUse(path), used: statSync(path).mtimeMs }))
    .toSorted((a, b) => b.used - a.used);
  let sum = 0;
  for (const { path, bytes } of kept) {
    sum += bytes;
    if (sum > limit) rmSync(path, { recursive: true, force: true });
  }
}

function namesOf({ modules }: CachedBuild): readonly string[] {
  return modules.map((_, i) => `${i}.ko`);
}

/** Whether the files are those that were kept, and all that are wanted are there. */
function isWhole(kept: string, wanted: readonly string[]): boolean {
  try {
    const sums = readFileSync(join(kept, SUMS), 'utf8');
    return sums === sumsOf(kept) && wanted.every((name) => sums.includes(` ${name}\n`));
  } catch {
    return false;
  }
}

function sumsOf(folder: string): string {
  return namesInRoot('', folder)
    .filter((name) => name !== SUMS)
    .toSorted()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')} ${name}\n`,
    )
    .join('');
}

/** In place of what is there, be it a link. */
function put(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
