/**
 * Everything that answers are made from, read once: the module tree, the administrator's rules, the loaded modules. A later
 * change of any of them makes a new generation: new sources, never changed ones.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Host } from '../base/host.ts';
import type { Problem } from '../base/problem.ts';
import {
  readKernelCommandLine,
  readModprobeConfig,
  readUdevRules,
  type ConfigText,
  type ConfigTexts,
} from '../facts/config/config-text.ts';
import { readLoadedModules } from '../facts/kernel/kernel-state.ts';
import type { ModuleTreeFiles } from '../facts/trees/module-tree.ts';
import { readShippedFile } from '../facts/config/shipped-file.ts';
import { createMatcher, type Matcher } from '../match/matcher.ts';
import { createPlanner, type Planner, type PlannerInput } from '../plan/planner.ts';
import type { Config, OptionsRule } from '../rules/modprobe/config.ts';
import { parseLoadRules, type LoadRules } from '../rules/udev/load-rules.ts';
import { configuredNames, mergeConfig } from '../rules/modprobe/merged-config.ts';
import { findTree, noTreeError, treeOf, type ModuleTree, type NoTree } from './tree.ts';

/** One generation. */
export interface Sources {
  readonly kind: 'sources';
  readonly tree: ModuleTree;
  readonly matcher: Matcher;
  readonly config: Config;
  /** The files that the configuration was read from, in the order in which they count. */
  readonly configFiles: readonly string[];
  readonly loadRules: LoadRules;
  readonly planner: Planner;
  /** What is wrong with the files behind it, up to now. */
  problems(): readonly Problem[];
}

/** The same for who cannot go on without a module tree. Errors: `no-modules-directory`. */
export function openSources(host: Host, state?: PlannerInput['state'], more?: readonly OptionsRule[]): Sources {
  const found = findSources(host, state, more);
  if (found.kind === 'no-tree') throw noTreeError(found);
  return found;
}

/**
 * Reads them all, if there is a module tree. `state` tells what is loaded, for callers that keep track of it; otherwise
 * /proc/modules is read once. `more` are parameters from elsewhere than modprobe.d, a list for boot: they come after its own.
 */
export function findSources(
  host: Host,
  state: PlannerInput['state'] = loadedNow(host),
  more: readonly OptionsRule[] = [],
): Sources | NoTree {
  const tree = findTree(host);
  if (tree.kind === 'no-tree') return tree;
  const { texts, unread } = readModprobeConfig(host);
  const readLoadRules = () => readUdevRules(host);
  const commandLine = readKernelCommandLine(host);
  return assemble({
    tree,
    root: host.root,
    moduleDir: host.moduleDir,
    texts,
    unread,
    commandLine,
    state,
    more,
    readLoadRules,
  });
}

/** The sources of a boot image: its tree, its modprobe.d in the order in which it counts, and nothing loaded. */
export function imageSources(files: ModuleTreeFiles, texts: readonly ConfigText[]): Sources {
  const tree = treeOf(files);
  return assemble({ tree, moduleDir: files.dir, texts, unread: [], state: nothing, more: [], readLoadRules: noTexts });
}

const nothing = () => undefined;
const noTexts = () => ({ texts: [] });

interface Parts extends ConfigTexts {
  readonly tree: ModuleTree;
  readonly root?: string;
  readonly moduleDir: string;
  readonly commandLine?: ConfigText;
  readonly state: PlannerInput['state'];
  readonly more: readonly OptionsRule[];
  readonly readLoadRules: () => Pick<ConfigTexts, 'texts'>;
}

function assemble({
  tree,
  root = '',
  moduleDir,
  texts,
  unread,
  commandLine,
  state,
  more,
  readLoadRules,
}: Parts): Sources {
  const merged = mergeConfig({ texts, unread }, commandLine);
  const config = more.length === 0 ? merged : { ...merged, options: [...merged.options, ...more] };
  let loadRules: LoadRules | undefined;
  const matcher = createMatcher(tree.indexes, configuredNames(config));
  const planner = createPlanner({ matcher, config, root, moduleDir, state });
  return {
    kind: 'sources',
    tree,
    matcher,
    config,
    configFiles: [...texts, ...(commandLine === undefined ? [] : [commandLine])].map(({ file }) => file),
    // Read at the first question: in a coldplug the first insertions are under way by then.
    get loadRules() {
      return (loadRules ??= parseLoadRules(readLoadRules().texts, readShippedFile('rules/80-drivers.rules')));
    },
    planner,
    problems: () => [...config.problems, ...(loadRules?.problems ?? []), ...tree.problems()],
  };
}

function loadedNow(host: Host): PlannerInput['state'] {
  const loaded = readLoadedModules(host);
  return (module) => loaded?.get(module);
}

/** Whether a path that a rule names is there: below the device's directory, or absolute with /sys wherever sysfs is. */
export function pathExists(sysfs: string, directory: string, path: string): boolean {
  return existsSync(path.startsWith('/sys/') ? sysfs + path.slice(4) : resolve(directory, path));
}
