/** Finds all patterns of an index that match a key, in kmod's order. Pure. */
import { bracketEnd, fnmatch } from '../base/fnmatch.ts';
import type { LookupKey } from '../base/names.ts';
import * as children from './child-nodes.ts';
import { FoundMatches } from './found-matches.ts';
import type { TrieMatch } from './index-format.ts';
import * as format from './index-format.ts';
import * as name from './key-positions.ts';
import type { NodeReader } from './node-reader.ts';
import * as nodes from './node-stack.ts';

// V8 folds a file's own constants into machine code, but loads imported ones at each use: a sixth of a lookup's time.
const { HAS_CHILDREN, HAS_PREFIX, HAS_VALUES, MAX_DEPTH, OFFSET_BITS } = format;
const { FLOOR, KIND, POINT, positions, SET } = name;
const { BRACKET, ENTRY, ESCAPED, NEW, stack } = nodes;
const { BACKSLASH, OPEN, PLAIN, QUESTION, STAR } = children;

const NOTHING: readonly TrieMatch[] = [];

/**
 * The wildcard search of one index. It resolves the wildcards inside the trie. kmod walks to the first wildcard and then runs fnmatch on every key below it; on
 * device-tree machines thousands of keys begin with `of:N*`. This search visits each node once, with all positions in the name
 * that the patterns through the node can have reached (key-positions.ts). So a pattern that matches in many ways is one match,
 * and the work is bounded by nodes × length of the name.
 *
 * Up to the first wildcard kmod compares bytes (a backslash too); fnmatch's rules apply only below it. So the walk begins with a
 * literal phase, which continues even through a `*` child when the name itself has a `*` there.
 *
 * Order: at each node of the literal phase, kmod first finds what is below `*`, `?` and `[`, then the node's values, then goes
 * down. Below a wildcard it takes the children by byte, then the node's values. It puts a value before those of equal priority.
 * This walk goes in exactly the opposite order (it fills a stack in ascending order), and puts a value behind its equals.
 */
export class WildcardSearch {
  readonly #reader: NodeReader;
  readonly #root: number;
  readonly #begins: Uint8Array | undefined;
  readonly #children: children.ChildNodes;
  readonly #found: FoundMatches;
  /** How many more bytes of nodes the search may read; see `#mayGoOn`. */
  #budget = 0;
  #extended = false;
  /** ESCAPED, BRACKET or 0, for the node being visited. */
  #flags = 0;
  /** The offset of the open bracket in the pattern's text. */
  #open = 0;

  constructor(reader: NodeReader, root: number) {
    this.#reader = reader;
    this.#root = root;
    this.#begins = beginnings(reader, root);
    this.#children = new children.ChildNodes(reader);
    this.#found = new FoundMatches(reader);
  }

  /** The matches of `key`, in kmod's order; see IndexTrie.search. */
  find(key: LookupKey, repeats: boolean): readonly TrieMatch[] {
    if (this.#begins !== undefined && key !== '' && this.#begins[key.charCodeAt(0)] !== 1) return NOTHING;
    this.#budget = 2 * this.#reader.bytes.length;
    this.#extended = false;
    positions.load(key);
    stack.begin(key);
    this.#found.begin(repeats);
    this.#descend();
    while (stack.pointer > 0) this.#visit(key);
    return this.#found.inOrder();
  }

  /** The literal phase. */
  #descend(): void {
    const reader = this.#reader;
    const { bytes } = reader;
    const { key, length } = positions;
    let node = this.#root;
    let i = 0;
    for (;;) {
      let at = reader.offset(node);
      if (node & HAS_PREFIX) {
        for (let c = bytes[at]; c !== 0; c = bytes[++at]) {
          if (c === STAR || c === QUESTION || c === OPEN) {
            // The rest of the prefix acts as a node.
            return stack.push((node & ~OFFSET_BITS) | at, POINT, i, 0, 0, 0, 0);
          }
          if (c !== key[i]) return c === undefined ? reader.corrupt(at, 'the file ends inside a prefix') : undefined;
          i++;
        }
        at++;
      }
      if (!(node & HAS_CHILDREN)) return i === length && node & HAS_VALUES ? this.#addLiteral(at, i) : undefined;
      const end = reader.childrenEnd(at);
      const first = bytes[at] as number;
      const last = bytes[at + 1] as number;
      const table = at + 2 - 4 * first;
      if (first <= OPEN && last >= STAR) {
        if (first <= STAR) this.#pushWild(table, STAR, FLOOR, i);
        if (first <= QUESTION && last >= QUESTION && i < length) this.#pushWild(table, QUESTION, POINT, i + 1);
        if (last >= OPEN) this.#pushWild(table, OPEN, POINT | BRACKET, i);
      }
      if (i === length) return node & HAS_VALUES ? this.#addLiteral(end, i) : undefined;
      const byte = key[i++] as number;
      if (byte < first || byte > last) return;
      node = reader.reference(table + 4 * byte);
      if (node === 0) return;
    }
  }

  #pushWild(table: number, byte: number, kind: number, a: number): void {
    const node = this.#reader.reference(table + 4 * byte);
    if (node !== 0) stack.push(node, kind, a, 0, 0, byte, NEW);
  }

  /** Adds the values of a pattern that is the name itself. */
  #addLiteral(at: number, length: number): void {
    stack.literal = length;
    this.#found.add(at, -1);
  }

  /** Visits the node on top of the stack: its prefix, its values, its children. Continues while exactly one child is left. */
  #visit(key: string): void {
    const reader = this.#reader;
    const { entries } = stack;
    const top = (stack.pointer -= ENTRY);
    let node = entries[top] as number;
    const kind = entries[top + 1] as number;
    const a = entries[top + 2] as number;
    let depth = (entries[top + 4] as number) >> 8;
    let byte = (entries[top + 4] as number) & 0xff;
    positions.restore(kind & KIND, a, entries[top + 3] as number);
    this.#flags = kind & (ESCAPED | BRACKET);
    this.#open = entries[top + 5] as number;
    // The part of the name before the first wildcard; `?` has already taken a byte.
    if (depth === 0) stack.literal = byte === QUESTION ? a - 1 : a;
    // Room for the positions within the prefix, and for the children.
    if (!positions.reserve(5 * positions.length + 8)) {
      reader.corrupt(0, 'its patterns need more memory than those of any real index');
    }
    for (;;) {
      const begin = this.#enter(node, depth);
      stack.visit(depth, node, byte);
      let at = this.#flags === BRACKET ? this.#insideBracket(node, begin, depth) : begin;
      if (at >= 0 && node & HAS_PREFIX && this.#flags !== BRACKET) at = this.#followPrefix(at, depth);
      if (at < 0) return;
      const values = node & HAS_CHILDREN ? reader.childrenEnd(at) : at;
      this.#budget -= values - begin + 1;
      if (node & HAS_VALUES && this.#atEnd(key, depth)) this.#budget -= this.#found.add(values, depth) - values;
      if (!(node & HAS_CHILDREN)) return;
      if (positions.kind !== POINT || this.#flags === BRACKET) {
        this.#children.push(at, depth, this.#flags, this.#open);
        return;
      }
      node = this.#children.pushAtPoint(at, depth, this.#flags === 0);
      if (node === 0) return;
      this.#flags = 0;
      byte = positions.key[positions.a++] as number;
      depth++;
    }
  }

  /** The offset of a node. The walk must not go deeper or read more than a trie of this size allows. */
  #enter(node: number, depth: number): number {
    const at = this.#reader.offset(node);
    if ((this.#budget < 0 && !this.#mayGoOn()) || depth > MAX_DEPTH) {
      this.#reader.corrupt(at, 'the nodes form a cycle');
    }
    return at;
  }

  /**
   * Every byte of a trie belongs to one node, and the walk below a wildcard meets a node once. But where the name itself has a
   * wildcard, the literal phase continues below it and can reach the same nodes again, once for each such wildcard.
   */
  #mayGoOn(): boolean {
    if (this.#extended) return false;
    this.#extended = true;
    let wildcards = 0;
    for (let i = 0; i < positions.length; i++) if (PLAIN[positions.key[i] as number] === 0) wildcards++;
    this.#budget += wildcards * this.#reader.bytes.length;
    return this.#budget >= 0;
  }

  /** Advances the positions over the prefix at `from`. Returns the offset behind it, or -1 when no position is left. */
  #followPrefix(from: number, depth: number): number {
    const { bytes } = this.#reader;
    const { key } = positions;
    let at = from;
    for (;;) {
      let c = bytes[at] as number;
      if (positions.kind === POINT && this.#flags === 0) {
        let { a } = positions;
        while (c === key[a] && PLAIN[c] === 1) {
          c = bytes[++at] as number;
          a++;
        }
        positions.a = a;
      }
      if (c === 0) return at + 1;
      let next = at + 1;
      let stays = true;
      if (this.#flags === ESCAPED) {
        this.#flags = 0;
        stays = positions.takeBytes(bytes, at, next);
      } else if (c === STAR) {
        positions.takeStar();
      } else if (PLAIN[c] === 1) {
        while (PLAIN[bytes[next] as number] === 1) next++;
        if (positions.kind === POINT) stays = false;
        else if (positions.kind === SET || bytes[next] !== STAR) stays = positions.takeBytes(bytes, at, next);
        // Between two stars the first occurrence is as good as any.
        else stays = positions.takeFirst(bytes, at, next++);
      } else if (c === QUESTION) {
        stays = positions.takeOne();
      } else if (c === BACKSLASH) {
        this.#flags = ESCAPED;
      } else if (c === OPEN) {
        const end = this.#reader.stringEnd(at);
        const pattern = stack.pattern(this.#reader, depth);
        next = this.#bracket(pattern, pattern.length - (end - at), end);
        if (this.#flags === BRACKET) return end + 1;
        stays = next >= 0;
      } else {
        this.#reader.corrupt(at, 'the file ends inside a prefix');
      }
      if (!stays) {
        this.#budget -= at - from;
        return -1;
      }
      at = next;
    }
  }

  /** Continues a bracket that began above this node. Returns the offset up to which it read, or -1 when no position is left. */
  #insideBracket(node: number, at: number, depth: number): number {
    const end = node & HAS_PREFIX ? this.#reader.stringEnd(at) : at;
    const pattern = stack.pattern(this.#reader, depth);
    const open = this.#open === NEW ? pattern.length - (end - at) - 1 : this.#open;
    const next = this.#bracket(pattern, open, end);
    return this.#flags === BRACKET && node & HAS_PREFIX ? end + 1 : next;
  }

  /**
   * Takes the bracket at `open` of a pattern whose text is known up to the index's offset `end`. If it is closed, returns the
   * offset behind it, or -1 when no position is left. Otherwise sets the flag BRACKET, and the nodes below decide. A bracket inside
   * the bracket counts as open too: its meaning (`[[:alpha:]]`, `[[.a.]]`) can depend on what follows.
   */
  #bracket(pattern: string, open: number, end: number): number {
    const close = bracketEnd(pattern, open);
    const nested = pattern.indexOf('[', open + 1);
    if (close < 0 || (nested >= 0 && nested < close)) {
      this.#flags = BRACKET;
      this.#open = open;
      return end;
    }
    this.#flags = 0;
    return positions.takeBracket(pattern, open) ? end - (pattern.length - close) : -1;
  }

  /** True when the pattern that ends at this node matches. */
  #atEnd(key: string, depth: number): boolean {
    if (this.#flags === 0) return positions.atEnd();
    if (this.#flags === ESCAPED) return false;
    // fnmatch knows what a bracket means that is nested or never closed.
    const rest = stack.pattern(this.#reader, depth).slice(this.#open);
    if (positions.kind === FLOOR) return fnmatch(`*${rest}`, key.slice(positions.a));
    if (positions.kind === POINT) return fnmatch(rest, key.slice(positions.a));
    const set = positions.kept.subarray(positions.a, positions.a + positions.count);
    return set.some((p) => fnmatch(rest, key.slice(p)));
  }
}

/** 1 for each byte that begins a key; undefined when a key begins with a wildcard, or when the root has a prefix. */
function beginnings(reader: NodeReader, root: number): Uint8Array | undefined {
  if (root & HAS_PREFIX || !(root & HAS_CHILDREN)) return undefined;
  const at = reader.offset(root);
  const end = reader.childrenEnd(at);
  const begins = new Uint8Array(256);
  for (let slot = at + 2, byte = reader.bytes[at] as number; slot < end; slot += 4, byte++) {
    if (reader.reference(slot) !== 0) begins[byte] = 1;
  }
  return [STAR, QUESTION, OPEN].some((wildcard) => begins[wildcard] === 1) ? undefined : begins;
}
