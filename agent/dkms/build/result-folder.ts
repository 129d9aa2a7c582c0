/**
 * The folder of a result, `BASE/KERNEL/ARCH`: filled beside its place and put there by a rename. The result before it comes back if
 * the new one is not kept, also at the next run if this one was killed.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesInRoot } from '../../base/root.ts';
import type { BuildPaths } from './build-paths.ts';

/** Results that are being filled are `.tmp_ARCH_XXXXXX`, as dkms calls and removes them; one that was put aside is `.tmp_ARCH_old`. */
const prefixOf = (arch: string) => `.tmp_${arch}_`;
const ASIDE = 'old';

/** A result on its way. */
export interface ResultFolder {
  /** For module files and Module.symvers. */
  readonly modules: string;
  /** For make.log. */
  readonly log: string;
  /** Puts it in its place; the one before is kept aside. */
  publish(): void;
  /** It stays: the one before goes. */
  keep(): void;
  /** It goes, whether published or not, and the one before is back. */
  drop(): void;
}

/** Begins a result. Throws what node:fs throws. */
export function openResultFolder({ kernel, result }: BuildPaths, arch: string): ResultFolder {
  mkdirSync(kernel, { recursive: true });
  const folder = mkdtempSync(join(kernel, prefixOf(arch)));
  chmodSync(folder, 0o755);
  const modules = join(folder, 'module');
  const log = join(folder, 'log');
  mkdirSync(modules);
  mkdirSync(log);
  const aside = join(kernel, `${prefixOf(arch)}${ASIDE}`);
  let published = false;
  return {
    modules,
    log,
    publish() {
      rmSync(aside, { recursive: true, force: true });
      if (existsSync(result)) renameSync(result, aside);
      renameSync(folder, result);
      published = true;
    },
    keep() {
      rmSync(aside, { recursive: true, force: true });
    },
    drop() {
      rmSync(published ? result : folder, { recursive: true, force: true });
      if (published && existsSync(aside)) renameSync(aside, result);
      removeIfEmpty(kernel);
    },
  };
}

/** Removes what a killed run left beside a result, and puts back the result that it had put aside. */
export function recoverResult({ kernel, result }: BuildPaths, arch: string): void {
  const left = namesInRoot('', kernel).filter((name) => name.startsWith(prefixOf(arch)));
  for (const name of left) {
    const folder = join(kernel, name);
    if (name === `${prefixOf(arch)}${ASIDE}` && !existsSync(result)) renameSync(folder, result);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another architecture's result is in it.
  }
}
