/** Debian's modprobe as the reference, on a tree and configuration of the test's own, beside plugd's rooms on the same files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../../../agent/base/host.ts';
import { moduleNameFromPath } from '../../../agent/base/names.ts';
import { readKernelCommandLine, readModprobeConfig } from '../../../agent/facts/config/config-text.ts';
import { readModuleTree, type IndexName } from '../../../agent/facts/trees/module-tree.ts';
import { createMatcher, type MatchIndexes } from '../../../agent/match/matcher.ts';
import { IndexTrie } from '../../../agent/indexes/trie.ts';
import { configuredNames, mergeConfig } from '../../../agent/rules/modprobe/merged-config.ts';
import type { DebianTree } from '../../fixtures/debian.ts';

/** Files by name, in directories `a` and `b`: those of `b` are masked by those of `a`. */
export type ConfigSet = Readonly<Record<string, string>>;

/** The tree's host, with the machine's own command line unless `proc` has another. */
export function hostOf(tree: DebianTree, proc = '/proc'): Host {
  const moduleDir = join(tree.root, 'lib/modules', tree.kernel);
  return { root: tree.root, kernel: tree.kernel, moduleDir, sysfs: '/sys', proc };
}

/** Writes a set; answers its directories, the more important first. */
export function writeSet(folder: string, set: ConfigSet): string[] {
  for (const name of ['a', 'b']) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(set)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, 'latin1');
  }
  return [join(folder, 'a'), join(folder, 'b')];
}

/** `-C` for each. */
export const configArguments = (paths: readonly string[]) => paths.flatMap((path) => ['-C', path]);
/** What makes modprobe look at the tree. */
export const treeArguments = (tree: DebianTree) => ['-S', tree.kernel, '-d', tree.root];

/** The words before a program that let it see `file` in the place of `path`, in a mount namespace of its own. */
export const withFileAt = (path: string, file: string) => [
  'unshare',
  ...(process.getuid?.() === 0 ? ['-m'] : ['-rm']),
  'sh',
  '-c',
  'mount --bind "$0" "$1" && shift && exec "$@"',
  file,
  path,
];

/** plugd's rooms over a tree and configuration directories. */
export function openTree(tree: DebianTree, paths: readonly string[]) {
  const host = hostOf(tree);
  const files = readModuleTree(host);
  if (files === undefined) throw new Error(`${host.moduleDir} is not there`);
  const open = (name: IndexName) => {
    const bytes = files.readIndex(name);
    return bytes === undefined ? undefined : new IndexTrie(bytes, `${name}.bin`);
  };
  const indexes: MatchIndexes = {
    dep: open('modules.dep'),
    symbols: open('modules.symbols'),
    aliases: open('modules.alias'),
    builtin: open('modules.builtin'),
    builtinAliases: open('modules.builtin.alias'),
  };
  const config = mergeConfig(readModprobeConfig(host, { paths }), readKernelCommandLine(host));
  const matcher = createMatcher(indexes, configuredNames(config));
  const names = (text = '') =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => moduleNameFromPath(line.split(':')[0] ?? ''));
  return {
    host,
    config,
    matcher,
    modules: names(files.readText('modules.dep')),
    builtin: names(files.readText('modules.builtin')),
  };
}
