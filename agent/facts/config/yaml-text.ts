/**
 * Reads YAML into a plain tree that knows its lines; the only importer of the package `yaml`, which it loads at its first use: few machines
 * have a YAML file that plugd reads.
 *
 * A file may be anybody's: a text over 256 KiB, one that stands for more than 20,000 values (references included), or deep nesting makes a
 * fault, never a long run.
 */
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { reason } from '../../base/error.ts';
import { moduleUrl } from '../../base/own-place.ts';

/** A value of a document. `line` is where it begins, 1 is the first. */
export type YamlNode =
  | { readonly kind: 'text'; readonly line: number; readonly text: string }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly YamlNode[] }
  | { readonly kind: 'map'; readonly line: number; readonly entries: ReadonlyMap<string, YamlNode> };

/** The documents of a text, empty ones left out; or the first thing that is wrong with it: all of it does not count then. */
export type YamlRead =
  | { readonly kind: 'documents'; readonly documents: readonly YamlNode[] }
  | { readonly kind: 'damaged'; readonly line: number; readonly why: string };

/** Reads a text. */
export type ReadYaml = (text: string) => YamlRead;

/** Clouds hand over at most 64 KiB. */
const MOST_CHARACTERS = 1 << 18;
const MOST_NODES = 20_000;
const MOST_TOKENS = 5 * MOST_NODES;
/** The package takes quadratic time for anchors and tags in a row. */
const MOST_ANCHORS = 500;
/** No configuration nests deeper. */
const DEEPEST = 64;
/** A level of a block needs a column at least. */
const WIDEST_INDENT = 4 * DEEPEST;

let loaded: typeof Yaml | undefined;

/**
 * `readYaml('a: [b, "c d"]')` → a map with a list of two texts. Scalars are texts as written, without their quotes: `yes`, `010`; what is
 * empty or null is left out. Of a key that stands twice the last counts.
 */
export function readYaml(text: string): YamlRead {
  if (text.length > MOST_CHARACTERS)
    return { kind: 'damaged', line: 0, why: `longer than ${MOST_CHARACTERS >> 10} KiB, which no such file is` };
  loaded ??= createRequire(moduleUrl(import.meta.url, 'facts/config/yaml-text.js'))('yaml') as typeof Yaml;
  const lines = new loaded.LineCounter();
  try {
    const excess = whyTooMuch(loaded, text);
    if (excess !== undefined) return { kind: 'damaged', line: 0, why: excess };
    const parsed = loaded.parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' });
    if ('empty' in parsed) return { kind: 'documents', documents: [] };
    const tree = new Tree(loaded, lines);
    const documents: YamlNode[] = [];
    for (const document of parsed) {
      const [error] = document.errors;
      if (error !== undefined) {
        const why = (error.message.split('\n')[0] ?? '').replace(/ at line \d+.*$/, '');
        return { kind: 'damaged', line: lines.linePos(error.pos[0]).line, why };
      }
      const node = tree.ofDocument(document);
      if (node !== undefined) documents.push(node);
    }
    return { kind: 'documents', documents };
  } catch (error) {
    return { kind: 'damaged', line: 0, why: error instanceof RangeError ? TOO_DEEP : reason(error) };
  }
}

const TOO_DEEP = 'nested too deeply';
const TOO_MUCH = `it stands for more than ${MOST_NODES} values`;

/**
 * Why a text is more than any configuration; undefined for one that is not. The package's parser is recursive, and where the stack ends V8
 * may give up the whole process; its lexer is not.
 */
function whyTooMuch({ Lexer }: typeof Yaml, text: string): string | undefined {
  let tokens = 0;
  let anchors = 0;
  let flow = 0;
  let column = 0;
  let indicators = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (isScalar) isScalar = false;
    else if (token === SCALAR) isScalar = true;
    else if (token === '[' || token === '{') flow++;
    else if (token === ']' || token === '}') flow--;
    else if (/^[&!]/.test(token)) anchors++;
    else if (flow === 0 && /^[-?:]$/.test(token)) {
      indicators++;
      if (column > WIDEST_INDENT) return TOO_DEEP;
    }
    if (flow > DEEPEST || indicators > DEEPEST) return TOO_DEEP;
    if (++tokens > MOST_TOKENS || anchors > MOST_ANCHORS) return TOO_MUCH;
    const newline = token.lastIndexOf('\n');
    column = newline < 0 ? column + token.length : token.length - newline - 1;
    if (newline >= 0) indicators = 0;
  }
  return undefined;
}

/** The lexer's token before a scalar that stands without quotes. */
const SCALAR = '\x1f';

/** Makes the plain tree, within a budget for all documents of a text. */
class Tree {
  readonly #yaml: typeof Yaml;
  readonly #lines: Yaml.LineCounter;
  /** What each alias stands for. */
  readonly #targets = new Map<Yaml.Alias, Yaml.Node>();
  #left = MOST_NODES;

  constructor(yaml: typeof Yaml, lines: Yaml.LineCounter) {
    this.#yaml = yaml;
    this.#lines = lines;
  }

  /**
   * A document. It finds what aliases stand for, the last anchor of that name before each, in one go; the package looks through the whole
   * document for each.
   */
  ofDocument(document: Yaml.Document): YamlNode | undefined {
    const anchors = new Map<string, Yaml.Node>();
    this.#yaml.visit(document, {
      Node: (_key, node) => {
        if (!this.#yaml.isAlias(node)) {
          if (node.anchor !== undefined) anchors.set(node.anchor, node);
          return;
        }
        const target = anchors.get(node.source);
        if (target !== undefined) this.#targets.set(node, target);
      },
    });
    return this.#of(document.contents, 0);
  }

  #of(node: unknown, depth: number): YamlNode | undefined {
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml;
    if (--this.#left < 0) throw new Error(TOO_MUCH);
    if (depth > DEEPEST) throw new RangeError('depth');
    if (isAlias(node)) return this.#of(this.#targets.get(node), depth + 1);
    const line = this.#lineOf(node);
    if (isScalar(node)) {
      const { value, source } = node;
      if (value === null || value === undefined) return undefined;
      return { kind: 'text', line, text: typeof value === 'string' ? value : (source ?? '') };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#of(item, depth + 1)).filter((item) => item !== undefined);
      return { kind: 'list', line, items };
    }
    if (!isMap(node)) return undefined;
    const entries = new Map<string, YamlNode>();
    for (const { key, value } of node.items) {
      const name = this.#of(key, depth + 1);
      const found = this.#of(value, depth + 1);
      if (name?.kind === 'text' && found !== undefined) entries.set(name.text, found);
    }
    return { kind: 'map', line, entries };
  }

  #lineOf(node: unknown): number {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return this.#lines.linePos(range?.[0] ?? 0).line || 1;
  }
}
