/** Builds the indexes of a module tree in memory, as depmod(8) does. Writes nothing; publication.ts does. */
import { errnoText } from '../base/errno.ts';
import { allDependencies, orderDependencies } from './dependency-graph.ts';
import {
  aliasIndex,
  aliasText,
  builtinAliasBytes,
  builtinBytes,
  dependencyIndex,
  dependencyLines,
  devnameText,
  orderSymbols,
  softdepText,
  symbolIndex,
  symbolText,
  weakdepText,
  type TreeFacts,
} from './index-files.ts';
import type { IndexLayout } from '../indexes/index-writer.ts';
import { parseSymvers, parseSystemMap } from './kernel-build-symbols.ts';
import { canBeDependency, inOneLine, whyNotInLine } from './line-text.ts';
import type { Say } from './message.ts';
import { readModules } from './module-contents.ts';
import { orderModules } from './module-order.ts';
import { searchModules } from './module-search.ts';
import type { IndexFiles } from './publication.ts';
import { NOBODY, SymbolTable } from './symbol-table.ts';
import { readTreeText, type ReadPlace } from './tree-text.ts';
import { toMachineText } from '../base/machine-text.ts';
import type { TreeModule } from './tree-module.ts';

/** What to build and from what. */
export interface BuildOptions extends ReadPlace {
  /** The release that depmod.d's lines refer to. */
  readonly kernel: string;
  /** Only these files, instead of the tree's. */
  readonly modules?: readonly TreeModule[] | undefined;
  /** Directories or files of configuration instead of depmod.d (-C). */
  readonly configPaths?: readonly string[] | undefined;
  /** Module.symvers (-E), or else System.map (-F): the kernel's own symbols. */
  readonly symvers?: string | undefined;
  readonly systemMap?: string | undefined;
  /** Warn about symbols that nothing provides, or with another version (-e); needs one of the two files. */
  readonly reportUnknown?: boolean | undefined;
  /** One character before the architecture's symbols (-P). */
  readonly symbolPrefix?: string | undefined;
  readonly say: Say;
  /** Called for each first symbol for which a module needs another (-v): `/…/a.ko needs "x": /…/b.ko`. */
  readonly showDependency?: ((text: string) => void) | undefined;
  /** Called before each module file is read. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** The tree's facts, or why there are none: the tree cannot be read, or its modules need each other in cycles. */
export type TreeReading =
  | { readonly kind: 'read'; readonly tree: TreeFacts }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'circular'; readonly cycles: ReadonlyArray<readonly string[]> };

/** Reads a tree: its module files, which of them count, and what they need. */
export async function readTree(options: BuildOptions): Promise<TreeReading> {
  const { root, moduleDir, say } = options;
  const knowsKernel = options.symvers !== undefined || options.systemMap !== undefined;
  const details = options.reportUnknown === true && knowsKernel;
  const symbols = new SymbolTable({ prefix: options.symbolPrefix, details });
  const failure = addKernelSymbols(symbols, options);
  if (failure !== undefined) return { kind: 'failed', why: failure };
  let found = options.modules;
  if (found === undefined) {
    const { kernel, configPaths } = options;
    const search = searchModules({ root, moduleDir, kernel, configPaths }, say);
    if (search.kind === 'failed')
      return { kind: 'failed', why: `could not search modules: ${errnoText(search.errno)}` };
    found = [...search.modules.values()];
  }
  const modules = orderModules(found, options, say);
  const facts = await readModules(
    root,
    modules,
    (position, file) => symbols.addModule(position, file),
    say,
    options.progress,
  );
  const direct = modules.map((module, i) => directDependencies(modules, module, i, symbols, options));
  const order = orderDependencies(direct);
  if (order.kind === 'circular') {
    return { kind: 'circular', cycles: order.cycles.map((cycle) => cycle.map((i) => modules[i]?.name ?? '')) };
  }
  const dependencies = modules.map((_, i) => allDependencies(direct, order.rank, i));
  return {
    kind: 'read',
    tree: { modules, facts, dependencies, symbols: orderSymbols(listableSymbols(symbols, modules, say)) },
  };
}

/** The symbols that modules provide, without those that would break modules.symbols. */
function listableSymbols(symbols: SymbolTable, modules: readonly TreeModule[], say: Say): TreeFacts['symbols'] {
  return symbols.provided().filter(({ name, module }) => {
    const why = whyNotInLine(name, false);
    if (why !== undefined)
      say('error', `${modules[module]?.path ?? ''}: symbol with ${why}, which is left out: ${inOneLine(name)}`);
    return why === undefined;
  });
}

function addKernelSymbols(symbols: SymbolTable, options: BuildOptions): string | undefined {
  const file = options.symvers ?? options.systemMap;
  if (file === undefined) return undefined;
  const read = readTreeText(options.root, toMachineText(file));
  if (read.kind === 'unread') return `could not load ${file}: ${read.why}`;
  const parse = options.symvers === undefined ? parseSystemMap : parseSymvers;
  symbols.addKernel(parse(read.text, file, options.symbolPrefix, options.say));
  return undefined;
}

function directDependencies(
  modules: readonly TreeModule[],
  module: TreeModule,
  position: number,
  symbols: SymbolTable,
  options: BuildOptions,
): readonly number[] {
  for (const { name, symbol, crc, weak } of symbols.needs(position)) {
    if (weak) continue;
    if (symbols.provider(symbol) === NOBODY) options.say('warning', `${module.path} needs unknown symbol ${name}`);
    else if (options.symvers !== undefined && symbols.crc(symbol) !== crc) {
      options.say('warning', `${module.path} disagrees about version of symbol ${name}`);
    }
  }
  const direct: number[] = [];
  for (const symbol of symbols.needed(position)) {
    const provider = symbols.provider(symbol);
    if (provider < 0 || direct.includes(provider)) continue;
    const { path = '', listed = '' } = modules[provider] ?? {};
    if (!canBeDependency(listed)) {
      const what = `${module.path} needs "${inOneLine(symbols.name(symbol))}" of ${path}`;
      options.say('error', `${what}, which modprobe cannot find: its path has a blank`);
      continue;
    }
    direct.push(provider);
    options.showDependency?.(`${module.path} needs "${symbols.name(symbol)}": ${path}`);
  }
  return direct;
}

/** Options of the files. */
export interface WriteOptions {
  readonly layout: IndexLayout;
  readonly warnDuplicates?: boolean | undefined;
  readonly say: Say;
}

/** The files of a tree that `depmod -n` shows, in its order. */
export const TEXT_FILES = [
  'modules.dep',
  'modules.alias',
  'modules.softdep',
  'modules.weakdep',
  'modules.symbols',
  'modules.devname',
] as const;

/** The text files alone, by name. */
export function textFiles(tree: TreeFacts, say: Say): ReadonlyMap<(typeof TEXT_FILES)[number], string> {
  return new Map([
    [
      'modules.dep',
      dependencyLines(tree)
        .map((line) => `${line}\n`)
        .join(''),
    ],
    ['modules.alias', aliasText(tree)],
    ['modules.softdep', softdepText(tree)],
    ['modules.weakdep', weakdepText(tree)],
    ['modules.symbols', symbolText(tree)],
    ['modules.devname', devnameText(tree, say)],
  ]);
}

/** All files of a tree, text and binary, by name. */
export function indexFiles(place: ReadPlace, tree: TreeFacts, options: WriteOptions): IndexFiles {
  const { layout, say } = options;
  const checked = { warnDuplicates: options.warnDuplicates === true, say };
  const files = new Map<string, Buffer>();
  files.set('modules.dep.bin', dependencyIndex(tree, dependencyLines(tree), checked).build(layout));
  files.set('modules.alias.bin', aliasIndex(tree, checked).build(layout));
  files.set('modules.symbols.bin', symbolIndex(tree, checked).build(layout));
  files.set('modules.builtin.bin', fromKernelBuild(place, 'modules.builtin', builtinBytes, options));
  files.set('modules.builtin.alias.bin', fromKernelBuild(place, 'modules.builtin.modinfo', builtinAliasBytes, options));
  for (const [name, text] of textFiles(tree, say)) files.set(name, Buffer.from(text, 'latin1'));
  return files;
}

/** An index of a file from the kernel's build; zero bytes when that file is missing, as in kmod. */
function fromKernelBuild(
  { root, moduleDir }: ReadPlace,
  name: string,
  make: (text: string, layout: IndexLayout, say: Say) => Buffer,
  { layout, say }: WriteOptions,
): Buffer {
  const read = readTreeText(root, `${moduleDir}/${name}`);
  if (read.kind !== 'text') {
    say('warning', `could not open ${name} at ${moduleDir}: ${read.why}`);
    return Buffer.alloc(0);
  }
  return make(read.text, layout, say);
}
