/**
 * What nearly answered a name without an answer: a module file in the tree that depmod has not seen, a module of dkms that this kernel
 * lacks, or the modules of another installed kernel. Reads only.
 */
import { fnmatch } from '../base/fnmatch.ts';
import { installedReleases, openHost, type Host } from '../base/host.ts';
import { lookupKey, moduleFile, moduleNameFromPath } from '../base/names.ts';
import { modinfoValues } from '../facts/modfiles/modinfo.ts';
import { openModuleFile } from '../facts/modfiles/module-file.ts';
import { findModules } from '../depmod/module-search.ts';
import { nameOf } from '../dkms/tree/dkms-places.ts';
import type { ModuleReadiness } from '../dkms/tree/readiness.ts';
import { createMatcher } from '../match/matcher.ts';
import type { Sources } from '../load/sources.ts';
import { filesOf, readOutOfTree } from './dkms/out-of-tree.ts';
import { readinessRemedy, readinessText } from './dkms/readiness-words.ts';
import { findTree } from '../load/tree.ts';

/** What was found, and the command to use; undefined when nothing was. */
export interface NearMiss {
  readonly evidence: readonly string[];
  readonly remedy: string;
}

/** With more files than these, depmod has never seen the tree at all. */
const MOST_FILES = 200;

/** Searches for any of the names that a device requests. */
export function nearMiss(host: Host, sources: Sources, names: readonly string[]): NearMiss | undefined {
  const keys = names.map((name) => lookupKey(name) ?? name);
  const strays = strayFiles(host, sources, keys);
  if (strays.length > 0) {
    return {
      evidence: strays.map((path) => `${moduleFile(host, path)} is for it, and the indexes do not have it`),
      remedy: host.root === '' ? `depmod ${host.kernel}` : `depmod -b ${host.root} ${host.kernel}`,
    };
  }
  const unbuilt = readOutOfTree(host).filter((each) => each.readiness !== 'installed' && hasAnswer(host, each, keys));
  const others = installedReleases(host.root)
    .filter((release) => release !== host.kernel)
    .flatMap((release) => {
      const modules = modulesOf(host, release, names);
      return modules.length === 0 ? [] : [{ release, modules }];
    });
  const [first] = others;
  const [own] = unbuilt;
  const remedy = own === undefined ? undefined : readinessRemedy(own, host.kernel);
  if (first === undefined && own === undefined) return undefined;
  return {
    evidence: [
      ...unbuilt.map((each) => `dkms has ${nameOf(each.module)} for it: ${readinessText(each)}`),
      ...others.map(({ release, modules }) => `kernel ${release}, installed too, has ${modules.join(', ')} for it`),
    ],
    remedy: remedy ?? `boot kernel ${first?.release ?? ''}`,
  };
}

/** Whether a module of dkms answers any of the names. Builds for other kernels show its aliases. */
function hasAnswer(host: Host, each: ModuleReadiness, keys: readonly string[]): boolean {
  if (each.modules.some((module) => keys.includes(module))) return true;
  return filesOf(host, each).some((path) => keys.some((key) => answersTo(host, moduleNameFromPath(path), path, key)));
}

function strayFiles(host: Host, { matcher }: Sources, keys: readonly string[]): readonly string[] {
  const strays = findModules(host, () => undefined).filter(({ name }) => matcher.dependencies(name) === undefined);
  if (strays.length > MOST_FILES) return [];
  return strays
    .map(({ listed }) => listed)
    .filter((path) => keys.some((key) => answersTo(host, moduleNameFromPath(path), moduleFile(host, path), key)));
}

function answersTo(host: Host, module: string, path: string, key: string): boolean {
  if (module === key) return true;
  const file = openModuleFile(host.root, path);
  if (file.kind !== 'module') return false;
  const aliases = modinfoValues(file.modinfo, 'alias');
  file.close();
  return aliases.some((alias) => fnmatch(lookupKey(alias) ?? alias, key));
}

function modulesOf(host: Host, release: string, names: readonly string[]): readonly string[] {
  const tree = findTree(openHost({ root: host.root === '' ? undefined : host.root, kernel: release }));
  if (tree.kind === 'no-tree') return [];
  const matcher = createMatcher(tree.indexes, { aliases: [], commands: [] });
  const modules = names.flatMap((name) => {
    const found = matcher.lookup(name);
    return found.kind === 'found' ? found.candidates.map(({ module }) => module) : [];
  });
  return [...new Set(modules)];
}
