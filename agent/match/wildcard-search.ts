import { bracketEnd, fnmatch } from '../base/fnmatch.ts';
import type { LookupKey } from '../base/names.ts';
import {
  HAS_CHILDREN,
  HAS_PREFIX,
  HAS_VALUES,
  INDEX_HEADER,
  MAX_DEPTH,
  OFFSET_BITS,
  type TrieMatch,
} from './index-format.ts';
import { FLOOR, KeyPositions, POINT, SET } from './key-positions.ts';
import { ENTRY, NodeStack } from './node-stack.ts';

/*
 * The wildcards are walked inside the trie. kmod goes down to the first wildcard and then runs fnmatch on every key below
 * it; on device-tree machines thousands of keys begin `of:N*`. Here each node is visited once, with all positions in the
 * name at which the patterns that run through it can stand (key-positions.ts). So a pattern that matches in many ways is
 * one match, and the work is bounded by nodes × length of the name.
 *
 * Down to the first wildcard kmod compares bytes (a backslash too); only below it fnmatch's rules begin. So the walk has a
 * first, literal phase, which goes on even through a `*` child when the name itself has a `*` there.
 *
 * Order: kmod finds, at each node of the literal phase, first what is below `*`, `?` and `[`, then the node's values, then goes
 * down; below a wildcard, children by byte, then the node's values. It puts a value before those of equal priority that it
 * has. The walk here goes exactly the other way (a stack filled in ascending order), and puts a value behind its equals.
 *
 * Flags beside the kind of positions:
 */
const KIND = 3;
/** Behind a backslash: the next byte means itself. */
const ESCAPED = 4;
/** Inside a `[` that is not closed yet: the positions are those in front of it. */
const BRACKET = 8;
/** Not a node but the rest of a node's prefix; the trail has that node. */
const RESUMED = 16;

/** The bracket begins with the byte that leads to the node. */
const NEW = -1;

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;

/**
 * How many matches an index remembers with their texts decoded; beyond this many it starts anew. A machine's devices need some
 * hundreds (150 bytes each), a whole tree's aliases are 26,000.
 */
const REMEMBERED = 1 << 15;

/** Says that the file is damaged at an offset; never returns. */
export type Corrupt = (offset: number, what: string) => never;

// Shared by all indexes: a search runs to its end before another begins.
const positions = new KeyPositions();
const stack = new NodeStack();
let text = Buffer.alloc(256);

/** Puts a byte of a pattern's text at `length` and answers the length then. */
function append(length: number, byte: number): number {
  if (length === text.length) text = Buffer.concat([text], 2 * length);
  text[length] = byte;
  return length + 1;
}

/** The wildcard search of one index. */
export class WildcardSearch {
  readonly #bytes: Buffer;
  readonly #root: number;
  readonly #corrupt: Corrupt;
  readonly #remembered = new Map<number, TrieMatch>();
  #found: TrieMatch[] = [];
  /** Bytes of nodes that may still be read, see `#mayGoOn`. */
  #budget = 0;
  #extended = false;
  /** ESCAPED or BRACKET, for the node that is being visited. */
  #flags = 0;
  /** Where in the pattern's text the open bracket stands. */
  #open = 0;

  constructor(bytes: Buffer, root: number, corrupt: Corrupt) {
    this.#bytes = bytes;
    this.#root = root;
    this.#corrupt = corrupt;
  }

  /** The matches of `key`, in kmod's order; see IndexTrie.search. */
  find(key: LookupKey): readonly TrieMatch[] {
    const found: TrieMatch[] = [];
    this.#found = found;
    this.#budget = 2 * this.#bytes.length;
    this.#extended = false;
    positions.load(key);
    stack.pointer = 0;
    this.#descend();
    while (stack.pointer > 0) this.#visit(key);
    return found.length < 2 ? found : inOrder(found, /[*?[]/.test(key));
  }

  /** The literal phase. */
  #descend(): void {
    const bytes = this.#bytes;
    const { key, length } = positions;
    let node = this.#root;
    let byte = 0;
    let i = 0;
    for (let depth = 0; ; depth++) {
      let at = this.#enter(node, depth);
      stack.visit(depth, node, byte);
      if (node & HAS_PREFIX) {
        for (let c = bytes[at]; c !== 0; c = bytes[++at]) {
          if (c === STAR || c === QUESTION || c === OPEN) {
            return stack.push((node & ~OFFSET_BITS) | at, POINT | RESUMED, i, 0, depth, byte, 0);
          }
          if (c !== key[i]) return c === undefined ? this.#corrupt(at, 'the file ends inside a prefix') : undefined;
          i++;
        }
        at++;
      }
      if (!(node & HAS_CHILDREN)) {
        if (i === length && node & HAS_VALUES) this.#report(at, depth);
        return;
      }
      const end = this.#childrenEnd(at);
      const first = bytes[at] as number;
      const last = bytes[at + 1] as number;
      const table = at + 2 - 4 * first;
      if (first <= OPEN && last >= STAR) {
        if (first <= STAR) this.#push(table, STAR, FLOOR, i, 0, depth);
        if (first <= QUESTION && last >= QUESTION && i < length) this.#push(table, QUESTION, POINT, i + 1, 0, depth);
        if (last >= OPEN) this.#push(table, OPEN, POINT | BRACKET, i, 0, depth, NEW);
      }
      if (i === length) {
        if (node & HAS_VALUES) this.#report(end, depth);
        return;
      }
      byte = key[i++] as number;
      if (byte < first || byte > last) return;
      node = reference(bytes, table + 4 * byte);
      if (node === 0) return;
    }
  }

  /** Puts the child behind `byte` on the stack, if there is one. */
  #push(table: number, byte: number, kind: number, a: number, b: number, depth: number, open = 0): void {
    const node = reference(this.#bytes, table + 4 * byte);
    if (node !== 0) stack.push(node, kind, a, b, depth + 1, byte, open);
  }

  /** Visits the node on top of the stack: its prefix, its values, its children. */
  #visit(key: string): void {
    const entries = stack.entries;
    const top = (stack.pointer -= ENTRY);
    const node = entries[top] as number;
    const kind = entries[top + 1] as number;
    const place = entries[top + 4] as number;
    const depth = place >> 8;
    positions.kind = kind & KIND;
    const a = (positions.a = entries[top + 2] as number);
    const b = (positions.count = entries[top + 3] as number);
    // Beside a point or a floor, b is where free room begins.
    positions.top = positions.kind === SET ? a + b : b;
    this.#flags = kind & (ESCAPED | BRACKET);
    this.#open = entries[top + 5] as number;
    if (!positions.reserve(5 * positions.length + 8)) this.#tooMuch();
    const begin = this.#enter(node, depth);
    if (!(kind & RESUMED)) stack.visit(depth, node, place & 0xff);
    let at = this.#flags & BRACKET ? this.#insideBracket(node, begin, depth) : begin;
    if (at >= 0 && node & HAS_PREFIX && !(this.#flags & BRACKET)) at = this.#followPrefix(at, depth);
    if (at < 0) return;
    const values = node & HAS_CHILDREN ? this.#childrenEnd(at) : at;
    this.#budget -= values - begin + 1;
    if (node & HAS_VALUES && this.#atEnd(key, depth)) this.#report(values, depth);
    if (node & HAS_CHILDREN) this.#children(at, depth);
  }

  /** The start of a node. The walk must not go deeper or read more than a trie of this size can hold. */
  #enter(node: number, depth: number): number {
    const at = node & OFFSET_BITS;
    if (at < INDEX_HEADER || at >= this.#bytes.length) this.#corrupt(at, 'a reference points outside the file');
    if ((this.#budget < 0 && !this.#mayGoOn()) || depth > MAX_DEPTH) this.#corrupt(at, 'the nodes lead in a circle');
    return at;
  }

  /**
   * Every byte of a trie belongs to one node, and the walk below a wildcard meets a node once. But where the name itself has a
   * wildcard, the literal phase goes on below it and can lead to the same nodes again, once for each of them.
   */
  #mayGoOn(): boolean {
    if (this.#extended) return false;
    this.#extended = true;
    let wildcards = 0;
    for (let i = 0; i < positions.length; i++) if (isWildcard(positions.key[i] as number)) wildcards++;
    this.#budget += wildcards * this.#bytes.length;
    return this.#budget >= 0;
  }

  #tooMuch(): never {
    return this.#corrupt(0, 'its patterns need more memory than those of any real index');
  }

  #childrenEnd(at: number): number {
    const first = this.#bytes[at] as number;
    const last = this.#bytes[at + 1] as number;
    const end = at + 2 + 4 * (last - first + 1);
    // Past the end of the file the bytes are undefined and `end` is not a number.
    if (!(first <= last && end <= this.#bytes.length)) this.#corrupt(at, 'a table of children is cut off');
    return end;
  }

  /** Follows the prefix at `from` with the positions: the offset behind it, or -1 when none is left. */
  #followPrefix(from: number, depth: number): number {
    const bytes = this.#bytes;
    const key = positions.key;
    let at = from;
    for (;;) {
      const c = bytes[at];
      if (c === 0) return at + 1;
      let next = at + 1;
      let stays = true;
      if (this.#flags & ESCAPED) {
        this.#flags = 0;
        stays = positions.takeBytes(bytes, at, next);
      } else if (c === STAR) {
        positions.takeStar();
      } else if (c === QUESTION) {
        stays = positions.takeOne();
      } else if (c === BACKSLASH) {
        this.#flags = ESCAPED;
      } else if (c === OPEN) {
        const end = this.#stringEnd(at);
        const pattern = this.#pattern(depth);
        next = this.#bracket(pattern, pattern.length - (end - at), end);
        if (this.#flags & BRACKET) return end + 1;
        stays = next >= 0;
      } else if (c === undefined) {
        this.#corrupt(at, 'the file ends inside a prefix');
      } else if (positions.kind === POINT) {
        if (key[positions.a] === c) positions.a++;
        else stays = false;
      } else {
        while (!isSpecial(bytes[next])) next++;
        stays = positions.takeBytes(bytes, at, next);
      }
      if (!stays) {
        this.#budget -= at - from;
        return -1;
      }
      at = next;
    }
  }

  /** Goes on inside a bracket that began above this node: the offset up to which it was read, or -1 when no position is left. */
  #insideBracket(node: number, at: number, depth: number): number {
    const end = node & HAS_PREFIX ? this.#stringEnd(at) : at;
    const pattern = this.#pattern(depth);
    const open = this.#open === NEW ? pattern.length - (end - at) - 1 : this.#open;
    const next = this.#bracket(pattern, open, end);
    return this.#flags & BRACKET && node & HAS_PREFIX ? end + 1 : next;
  }

  /**
   * Takes the bracket at `open` of a pattern that is known as far as the index's offset `end`. Closed: the offset behind it, or -1
   * when no position is left. Else the flag BRACKET is set, and the nodes below decide; also for a bracket in the bracket, whose
   * meaning (`[[:alpha:]]`, `[[.a.]]`) can depend on what follows.
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
    if (this.#flags & BRACKET) {
      // Never closed, or nested: fnmatch knows what it means.
      const rest = this.#pattern(depth).slice(this.#open);
      if (positions.kind === FLOOR) return fnmatch(`*${rest}`, key.slice(positions.a));
      if (positions.kind === POINT) return fnmatch(rest, key.slice(positions.a));
      const set = positions.kept.subarray(positions.a, positions.a + positions.count);
      return set.some((p) => fnmatch(rest, key.slice(p)));
    }
    return !(this.#flags & ESCAPED) && positions.atEnd();
  }

  /** Puts the children that a position can go on to on the stack, in ascending order of their bytes. */
  #children(at: number, depth: number): void {
    const bytes = this.#bytes;
    const first = bytes[at] as number;
    const last = bytes[at + 1] as number;
    const table = at + 2 - 4 * first;
    if (this.#flags & BRACKET) return this.#allChildren(table, first, last, depth);
    const special = this.#flags === 0;
    if (positions.kind === POINT) return this.#childrenOfPoint(table, first, last, depth, special);
    const least = positions.least();
    for (let byte = first; byte <= last; byte++) {
      if (special && isWildcard(byte)) {
        this.#wildChild(table, byte, depth);
      } else if (positions.lastOf(byte) >= least) {
        const node = reference(bytes, table + 4 * byte);
        if (node === 0) continue;
        const begin = positions.top;
        const end = positions.collect(byte, begin);
        if (end - begin === 1) {
          stack.push(node, POINT, positions.kept[begin] as number, begin, depth + 1, byte, 0);
        } else if (end > begin) {
          stack.push(node, SET, begin, end - begin, depth + 1, byte, 0);
          positions.top = end;
        }
      }
    }
  }

  #childrenOfPoint(table: number, first: number, last: number, depth: number, special: boolean): void {
    const { a, top } = positions;
    const byte = positions.key[a] as number;
    const plain = byte >= first && byte <= last && !(special && isWildcard(byte));
    if (special && first <= BACKSLASH && last >= STAR) {
      if (plain && byte < STAR) this.#push(table, byte, POINT, a + 1, top, depth);
      if (first <= STAR) this.#push(table, STAR, FLOOR, a, top, depth);
      if (plain && byte > STAR && byte < QUESTION) this.#push(table, byte, POINT, a + 1, top, depth);
      if (first <= QUESTION && last >= QUESTION && a < positions.length) {
        this.#push(table, QUESTION, POINT, a + 1, top, depth);
      }
      if (plain && byte > QUESTION && byte < OPEN) this.#push(table, byte, POINT, a + 1, top, depth);
      if (first <= OPEN && last >= OPEN) this.#push(table, OPEN, POINT | BRACKET, a, top, depth, NEW);
      if (last >= BACKSLASH) this.#push(table, BACKSLASH, POINT | ESCAPED, a, top, depth);
      if (plain && byte > BACKSLASH) this.#push(table, byte, POINT, a + 1, top, depth);
    } else if (plain) {
      this.#push(table, byte, POINT, a + 1, top, depth);
    }
  }

  /** The child behind a wildcard or backslash, for a floor or a set. */
  #wildChild(table: number, byte: number, depth: number): void {
    const node = reference(this.#bytes, table + 4 * byte);
    if (node === 0) return;
    const { a, kind, top } = positions;
    if (byte === STAR) {
      stack.push(node, FLOOR, positions.least(), top, depth + 1, byte, 0);
    } else if (kind === FLOOR) {
      if (byte !== QUESTION) stack.push(node, FLOOR | flagOf(byte), a, top, depth + 1, byte, NEW);
      else if (a < positions.length) stack.push(node, FLOOR, a + 1, top, depth + 1, byte, 0);
    } else {
      const end = byte === QUESTION ? positions.collectNext(top) : positions.copy(top);
      if (end > top) stack.push(node, SET | flagOf(byte), top, end - top, depth + 1, byte, NEW);
      positions.top = end;
    }
  }

  /** Inside an open bracket every byte may be its next. */
  #allChildren(table: number, first: number, last: number, depth: number): void {
    const isSet = positions.kind === SET;
    if (isSet && !positions.reserve((last - first + 1) * positions.count)) this.#tooMuch();
    for (let byte = first; byte <= last; byte++) {
      const node = reference(this.#bytes, table + 4 * byte);
      if (node === 0) continue;
      const { top } = positions;
      if (isSet) {
        positions.top = positions.copy(top);
        stack.push(node, SET | BRACKET, top, positions.count, depth + 1, byte, this.#open);
      } else {
        stack.push(node, positions.kind | BRACKET, positions.a, top, depth + 1, byte, this.#open);
      }
    }
  }

  /** Adds the values at `at` to what was found, the last one first. */
  #report(at: number, depth: number): void {
    const bytes = this.#bytes;
    const found = this.#found;
    if (at + 4 > bytes.length) this.#corrupt(at, 'the file ends inside a count of values');
    const begin = found.length;
    let next = at + 4;
    for (let left = bytes.readUInt32BE(at); left > 0; left--) {
      const value = next + 4;
      const end = this.#stringEnd(value);
      const match = this.#remembered.get(value) ?? this.#remember(value, end, depth);
      found.push(match);
      next = end + 1;
    }
    this.#budget -= next - at;
    if (found.length - begin > 1) {
      const last = new Map<string, TrieMatch>();
      for (const match of found.splice(begin).toReversed()) if (!last.has(match.value)) last.set(match.value, match);
      found.push(...last.values());
    }
  }

  #remember(value: number, end: number, depth: number): TrieMatch {
    const match = {
      value: this.#bytes.toString('latin1', value, end),
      priority: this.#bytes.readUInt32BE(value - 4),
      pattern: this.#pattern(depth),
    };
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(value, match);
    return match;
  }

  /** The text of the pattern down to the end of the prefix of the trail's node at `depth`. */
  #pattern(depth: number): string {
    const bytes = this.#bytes;
    const { trailBytes, trailNodes } = stack;
    let length = 0;
    for (let i = 0; i <= depth; i++) {
      if (i > 0) length = append(length, trailBytes[i] as number);
      const node = trailNodes[i] as number;
      if (!(node & HAS_PREFIX)) continue;
      let at = node & OFFSET_BITS;
      for (const end = this.#stringEnd(at); at < end; at++) length = append(length, bytes[at] as number);
    }
    return text.toString('latin1', 0, length);
  }

  #stringEnd(from: number): number {
    const bytes = this.#bytes;
    // Strings are short: a loop is faster than a call of indexOf.
    for (let at = from; at < bytes.length; at++) if (bytes[at] === 0) return at;
    return this.#corrupt(from, 'the file ends inside a string');
  }
}

function isWildcard(byte: number): boolean {
  return byte === STAR || byte === QUESTION || byte === OPEN || byte === BACKSLASH;
}

/** True for what ends a run of plain bytes: a wildcard, a backslash, the NUL, the end of the file. */
function isSpecial(byte: number | undefined): boolean {
  return byte === undefined || byte === 0 || isWildcard(byte);
}

function flagOf(byte: number): number {
  return byte === OPEN ? BRACKET : byte === BACKSLASH ? ESCAPED : 0;
}

/** A reference inside a table whose bounds were checked. */
function reference(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Ascending by priority, equal ones as found. A name with wildcards can meet one node in both phases: once is enough. */
function inOrder(found: TrieMatch[], mayRepeat: boolean): readonly TrieMatch[] {
  const once = mayRepeat ? [...new Set(found)] : found;
  for (let i = 1; i < once.length; i++) {
    if ((once[i - 1] as TrieMatch).priority > (once[i] as TrieMatch).priority) {
      return once.toSorted((a, b) => a.priority - b.priority);
    }
  }
  return once;
}
