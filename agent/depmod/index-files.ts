/**
 * The text of the files that depmod writes, from the facts about the tree. Lines and their order are kmod's, byte for byte; a priority
 * is the module's position. No I/O.
 */
import { lookupKey } from '../base/names.ts';
import { IndexBuilder, type IndexLayout } from '../indexes/index-writer.ts';
import { inOneLine } from './line-text.ts';
import type { Say } from './message.ts';
import type { ModuleFacts } from './module-contents.ts';
import { hashOrder, SYMBOL_BUCKETS } from './superfast-hash.ts';
import { builtinAliasIndex, builtinIndex, type TextIndex } from '../indexes/text-index.ts';
import type { TreeModule } from './tree-module.ts';

/** The facts that the files contain; lists are indexed by module position. */
export interface TreeFacts {
  readonly modules: readonly TreeModule[];
  readonly facts: readonly ModuleFacts[];
  /** All dependencies of each module, in the order of its line. */
  readonly dependencies: ReadonlyArray<readonly number[]>;
  /** Symbols and the position of the module that provides each. */
  readonly symbols: ReadonlyArray<{ readonly name: string; readonly module: number }>;
}

/** How to treat doubtful entries. */
export interface IndexOptions {
  /** Warn about a pattern or symbol that is in an index twice (-w). */
  readonly warnDuplicates: boolean;
  readonly say: Say;
}

/** `kernel/a/x.ko: kernel/b/y.ko kernel/c/z.ko`, one line per module, without newline. */
export function dependencyLines({ modules, dependencies }: TreeFacts): readonly string[] {
  return modules.map(({ listed }, i) => {
    const needed = (dependencies[i] ?? []).map((position) => ` ${modules[position]?.listed ?? ''}`);
    return `${listed}:${needed.join('')}`;
  });
}

/** modules.dep.bin: module name → its line in modules.dep. */
export function dependencyIndex({ modules }: TreeFacts, lines: readonly string[], options: IndexOptions): IndexBuilder {
  const index = new CheckedIndex('deps', options);
  for (const [position, { name }] of modules.entries()) index.insert(name, lines[position] ?? '', position);
  return index.builder;
}

/** modules.alias: `alias pci:v00001AF4d*sv* virtio_pci`. */
export function aliasText(tree: TreeFacts): string {
  const header = '# Aliases extracted from modules themselves.\n';
  return header + linesOf(tree, (facts, name) => facts.aliases.map((alias) => `alias ${alias} ${name}\n`));
}

/** modules.alias.bin: normalised pattern → module. */
export function aliasIndex({ modules, facts }: TreeFacts, options: IndexOptions): IndexBuilder {
  const index = new CheckedIndex('alias', options);
  for (const [position, { name }] of modules.entries()) {
    for (const alias of facts[position]?.aliases ?? []) index.insertPattern(alias, name, position);
  }
  return index.builder;
}

/** modules.softdep: `softdep btrfs pre: blake2b-256`. */
export function softdepText(tree: TreeFacts): string {
  const header = '# Soft dependencies extracted from modules themselves.\n';
  return header + linesOf(tree, (facts, name) => facts.softdeps.map((softdep) => `softdep ${name} ${softdep}\n`));
}

/** modules.weakdep: `weakdep drm gud`. */
export function weakdepText(tree: TreeFacts): string {
  const header = '# Weak dependencies extracted from modules themselves.\n';
  return header + linesOf(tree, (facts, name) => facts.weakdeps.map((weakdep) => `weakdep ${name} ${weakdep}\n`));
}

/** The symbols in the order of modules.symbols: that of kmod's table. */
export function orderSymbols(symbols: TreeFacts['symbols']): TreeFacts['symbols'] {
  return hashOrder(symbols, ({ name }) => name, SYMBOL_BUCKETS);
}

/** modules.symbols: `alias symbol:crc32c_impl libcrc32c`. */
export function symbolText({ modules, symbols }: TreeFacts): string {
  const header = '# Aliases for symbols, used by symbol_request().\n';
  return header + symbols.map(({ name, module }) => `alias symbol:${name} ${modules[module]?.name ?? ''}\n`).join('');
}

/** modules.symbols.bin: `symbol:NAME` → module. */
export function symbolIndex({ modules, symbols }: TreeFacts, options: IndexOptions): IndexBuilder {
  const index = new CheckedIndex('syms', options);
  for (const { name, module } of symbols) index.insert(`symbol:${name}`, modules[module]?.name ?? '', module);
  return index.builder;
}

/**
 * modules.devname: `loop loop-control c10:237`, for a module with an alias `devname:X` and the first alias with numbers
 * (`char-major-10-237`). The header is there only if a line is.
 */
export function devnameText({ modules, facts }: TreeFacts, say: Say): string {
  let text = '';
  for (const [position, { name }] of modules.entries()) {
    let device: string | undefined;
    let numbers: string | undefined;
    for (const alias of facts[position]?.aliases ?? []) {
      if (alias.startsWith('devname:')) device = alias.slice('devname:'.length);
      else numbers = deviceNumbers(alias) ?? numbers;
      if (device !== undefined && numbers !== undefined) break;
    }
    if (device === undefined) continue;
    if (/[ \t]/.test(device)) say('error', `Module '${name}' has devname (${device}) with a blank. Ignoring.`);
    else if (numbers !== undefined) text += `${name} ${device} ${numbers}\n`;
    else {
      const what = `has devname (${device}) but lacks major and minor information. Ignoring.`;
      say('error', `Module '${name}' ${what}`);
    }
  }
  return text === '' ? '' : `# Device nodes to trigger on-demand module loading.\n${text}`;
}

/** `char-major-10-237` → `c10:237`, as sscanf reads it: blanks before a number, anything after the last. */
function deviceNumbers(alias: string): string | undefined {
  // Nearly all aliases are of other kinds.
  if (!alias.startsWith('char-major-') && !alias.startsWith('block-major-')) return undefined;
  const match = /^(char|block)-major-\s*([+-]?\d+)-\s*([+-]?\d+)/.exec(alias);
  if (match === null) return undefined;
  const [, type = '', major = '', minor = ''] = match;
  return `${type.charAt(0)}${unsigned(major)}:${unsigned(minor)}`;
}

function unsigned(digits: string): number {
  return Number(BigInt.asUintN(32, BigInt(digits.replace('+', ''))));
}

/** modules.builtin.bin from modules.builtin; lines that are not paths are errors. */
export function builtinBytes(text: string, layout: IndexLayout, say: Say): Buffer {
  const paths = (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).filter((line) => {
    const isPath = /^[A-Za-z]/.test(line);
    if (!isPath) say('error', `Invalid modules.builtin line: ${line}`);
    return isPath;
  });
  return reported(builtinIndex(paths.join('')), layout, say);
}

/** modules.builtin.alias.bin from modules.builtin.modinfo. */
export function builtinAliasBytes(text: string, layout: IndexLayout, say: Say): Buffer {
  return reported(builtinAliasIndex(text), layout, say);
}

function reported({ builder, leftOut }: TextIndex, layout: IndexLayout, say: Say): Buffer {
  for (const { text, reason, why } of leftOut)
    say('warning', reason === 'bracket' ? `Unmatched bracket in ${text}` : `${inOneLine(text)}: ${why}`);
  return builder.build(layout);
}

function linesOf(
  { modules, facts }: TreeFacts,
  lines: (facts: ModuleFacts, name: string) => readonly string[],
): string {
  return modules
    .map(({ name }, i) => lines(facts[i] ?? { aliases: [], softdeps: [], weakdeps: [] }, name).join(''))
    .join('');
}

/** An index that reports what it leaves out and, if asked, duplicates. */
class CheckedIndex {
  readonly builder = new IndexBuilder();
  readonly #what: string;
  readonly #options: IndexOptions;
  readonly #seen = new Set<string>();

  constructor(what: string, options: IndexOptions) {
    this.#what = what;
    this.#options = options;
  }

  insertPattern(pattern: string, value: string, priority: number): void {
    const key = lookupKey(pattern);
    if (key === undefined) this.#options.say('warning', `Unmatched bracket in ${pattern}`);
    else this.insert(key, value, priority);
  }

  insert(key: string, value: string, priority: number): void {
    if (!this.builder.insert(key, value, priority)) {
      this.#options.say('error', `Module index: only 7-bit ASCII is supported, so this is left out: ${key}`);
    } else if (this.#options.warnDuplicates) {
      const both = `${key}\n${value}`;
      if (this.#seen.has(both)) this.#options.say('warning', `duplicate module ${this.#what}:\n${key} ${value}`);
      this.#seen.add(both);
    }
  }
}
