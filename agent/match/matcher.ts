/** Which modules a name stands for, in kmod's order. Pure. */
import { fnmatch } from '../base/fnmatch.ts';
import { lookupKey, moduleName, type LookupKey, type ModuleName } from '../base/names.ts';
import type { Candidate, CandidateSource, ConfiguredNames, Lookup } from './candidate.ts';
import type { Index } from '../indexes/trie.ts';

/** The five indexes of a module tree. A missing index matches nothing, as in kmod. */
export interface MatchIndexes {
  /** modules.dep.bin: module name → `kernel/a.ko: kernel/b.ko`. */
  readonly dep?: Index | undefined;
  /** modules.symbols.bin: `symbol:NAME` → module. */
  readonly symbols?: Index | undefined;
  /** modules.alias.bin: pattern → module. */
  readonly aliases?: Index | undefined;
  /** modules.builtin.bin: module name → nothing. */
  readonly builtin?: Index | undefined;
  /** modules.builtin.alias.bin: pattern → module. */
  readonly builtinAliases?: Index | undefined;
}

/** A module's file and what it needs: the two halves of its line in modules.dep. */
export interface ModuleFiles {
  /** `kernel/sound/pci/hda/snd-hda-intel.ko`, relative to the module directory; absolute for a module outside it. */
  readonly path: string;
  /** Paths of all modules it needs, directly or indirectly, nearest first; empty when it needs none. */
  readonly depends: readonly string[];
}

/** Finds the modules that a name stands for. */
export interface Matcher {
  /** The modules that a module name, alias or MODALIAS stands for, and how the lookup found each. */
  lookup(text: string): Lookup;
  /** The line of modules.dep for a module name; undefined when the tree has no such module. */
  dependencies(module: ModuleName): ModuleFiles | undefined;
  /** True when the module is part of the kernel itself. */
  isBuiltin(module: ModuleName): boolean;
}

/** kmod copies a name into a buffer of PATH_MAX bytes, so it ignores everything after 4,095 bytes. */
const LONGEST_NAME = 4095;

const NONE: Lookup = { kind: 'none' };

/** One lookup: the name's key, and the tree and configuration to search. */
interface Question {
  readonly key: LookupKey;
  readonly indexes: MatchIndexes;
  readonly names: ConfiguredNames;
  readonly repeats: boolean;
}

/**
 * The sources in search order; the first with any match ends the search. So an `alias` line hides a module of the same name, and
 * a module's name hides an alias of the indexes. (libkmod kmod_module_new_from_lookup)
 */
const ORDER: ReadonlyArray<(question: Question) => readonly Candidate[]> = [
  ({ key, names }) => configured(names.aliases, key),
  // No module name contains a colon; every modalias does.
  ({ key, indexes }) => (key.includes(':') ? NOTHING : exactly(indexes.dep, key, 'modules.dep')),
  (question) =>
    question.key.startsWith('symbol:') ? search(question, question.indexes.symbols, 'modules.symbols') : NOTHING,
  ({ key, names }) => commanded(names.commands, key),
  (question) => search(question, question.indexes.aliases, 'modules.alias'),
  ({ key, indexes }) => exactly(indexes.builtin, key, 'modules.builtin'),
  (question) => search(question, question.indexes.builtinAliases, 'builtin-alias'),
];
const NOTHING: readonly Candidate[] = [];

/** Options of a matcher. */
export interface MatcherOptions {
  /** true: list a module once for each pattern or `alias` line that matches, as kmod does. false (the default): once. */
  readonly repeats?: boolean;
}

/** A matcher over a tree's indexes and the administrator's `alias`, `install` and `remove` names. */
export function createMatcher(indexes: MatchIndexes, names: ConfiguredNames, options: MatcherOptions = {}): Matcher {
  const { repeats = false } = options;
  return {
    lookup(text) {
      const key = lookupKey(text.length > LONGEST_NAME ? text.slice(0, LONGEST_NAME) : text);
      if (key === undefined) return { kind: 'malformed', why: unmatchedBracket(text) };
      const question = { key, indexes, names, repeats };
      for (const ask of ORDER) {
        const candidates = ask(question);
        if (candidates.length === 0) continue;
        return { kind: 'found', candidates: repeats ? candidates : once(candidates) };
      }
      return NONE;
    },
    dependencies(module) {
      const line = indexes.dep?.exact(module);
      return line === undefined ? undefined : parseDepLine(line);
    },
    isBuiltin(module) {
      return indexes.builtin?.exact(module) !== undefined;
    },
  };
}

/**
 * The two halves of a line of modules.dep: `kernel/a.ko: kernel/b.ko kernel/c.ko`. Undefined for a line without a path and
 * colon, which no depmod writes. Source: modules.dep(5), and kmod_module_parse_depline.
 */
export function parseDepLine(line: string): ModuleFiles | undefined {
  const colon = line.indexOf(':');
  if (colon <= 0) return undefined;
  const rest = line.slice(colon + 1);
  return { path: line.slice(0, colon), depends: rest.split(/[ \t]+/).filter((word) => word !== '') };
}

function configured(aliases: ConfiguredNames['aliases'], key: LookupKey): readonly Candidate[] {
  if (aliases.length === 0) return NOTHING;
  return aliases
    .filter(({ pattern }) => fnmatch(pattern, key))
    .map(({ pattern, module, place }) => ({ module, source: 'config-alias', pattern, priority: 0, place }));
}

function commanded(commands: ConfiguredNames['commands'], key: LookupKey): readonly Candidate[] {
  if (commands.length === 0) return NOTHING;
  const command = commands.find(({ module }) => module === (key as string));
  if (command === undefined) return NOTHING;
  const { module, place } = command;
  return [{ module, source: 'config-command', pattern: key, priority: 0, place }];
}

function exactly(index: Index | undefined, key: LookupKey, source: CandidateSource): readonly Candidate[] {
  if (index?.exact(key) === undefined) return NOTHING;
  return [{ module: moduleName(key), source, pattern: key, priority: 0 }];
}

function search({ key, repeats }: Question, index: Index | undefined, source: CandidateSource): readonly Candidate[] {
  const matches = index?.search(key, repeats);
  if (matches === undefined || matches.length === 0) return NOTHING;
  return matches.map(({ value, priority, pattern }) => ({ module: moduleName(value), source, pattern, priority }));
}

/**
 * Keeps the first occurrence of each module. kmod repeats a module that two patterns name (an AHCI controller is `ahci ahci`);
 * the second load never does anything, so nothing is lost.
 */
function once(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.length === 1) return candidates;
  const kept: Candidate[] = [];
  const seen = candidates.length > FEW ? new Set<string>() : undefined;
  for (const candidate of candidates) {
    const { module } = candidate;
    if (seen === undefined ? kept.some((other) => other.module === module) : seen.has(module)) continue;
    seen?.add(module);
    kept.push(candidate);
  }
  return kept;
}

/** Up to this many candidates are compared one by one. */
const FEW = 16;

function unmatchedBracket(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === ']') return `the ']' at byte ${i + 1} has no '[' before it`;
    if (c === '[') {
      const close = text.indexOf(']', i);
      if (close < 0 || close >= LONGEST_NAME) return `the '[' at byte ${i + 1} has no ']' after it`;
      i = close;
    }
  }
  return 'its brackets do not match';
}
