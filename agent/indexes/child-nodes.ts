/** Which children of a node a search must visit. Pure. */
import * as format from './index-format.ts';
import * as name from './key-positions.ts';
import type { NodeReader } from './node-reader.ts';
import * as nodes from './node-stack.ts';

// Local constants, so that V8 folds them; see wildcard-search.ts.
const { HAS_PREFIX, OFFSET_BITS } = format;
const { FLOOR, POINT, positions, SET } = name;
const { BRACKET, ESCAPED, NEW, stack } = nodes;

export const STAR = 0x2a;
export const QUESTION = 0x3f;
export const OPEN = 0x5b;
export const BACKSLASH = 0x5c;

/** 1 for bytes that stand for themselves; 0 for wildcards, the backslash, and the NUL that ends a string. */
export const PLAIN = new Uint8Array(256).fill(1);
for (const special of [0, STAR, QUESTION, OPEN, BACKSLASH]) PLAIN[special] = 0;

/** An index remembers at most this many tables of children; a tree's modules.alias has about a hundred behind stars. */
const REMEMBERED = 4096;

const marks = new Uint8Array(256);

/**
 * Pushes the children of a node that some position can reach, in ascending order of their bytes. The table of children is at
 * `at`; `flags` is ESCAPED, BRACKET (then `open` is the bracket's offset in the pattern), or 0.
 */
export class ChildNodes {
  readonly #reader: NodeReader;
  readonly #bytes = new Map<number, Uint8Array>();

  constructor(reader: NodeReader) {
    this.#reader = reader;
  }

  push(at: number, depth: number, flags: number, open: number): void {
    const { bytes } = this.#reader;
    // No key contains NUL.
    const first = bytes[at] || 1;
    const last = bytes[at + 1] as number;
    const table = at + 2 - 4 * (bytes[at] as number);
    if (flags === BRACKET) this.#inBracket(table, first, last, depth, open);
    else if (positions.kind === SET) this.#ofSet(table, first, last, depth, flags === 0);
    else this.#ofFloor(table, first, last, depth, flags === 0);
  }

  /**
   * Like `push`, for a point. When the child behind the name's own byte comes last, returns its reference instead of pushing a
   * node that the caller would pop at once; 0 when there is no such child.
   */
  pushAtPoint(at: number, depth: number, special: boolean): number {
    const { bytes } = this.#reader;
    const first = bytes[at] || 1;
    const last = bytes[at + 1] as number;
    const table = at + 2 - 4 * (bytes[at] as number);
    const { a, top } = positions;
    const byte = positions.key[a] as number;
    let node = 0;
    if (byte >= first && byte <= last && !(special && PLAIN[byte] === 0)) {
      node = this.#reader.reference(table + 4 * byte);
      const second = this.#firstOf(node);
      if (second !== 0 && second !== positions.key[a + 1]) node = 0;
    }
    if (special && first <= BACKSLASH && last >= STAR) {
      if (node !== 0 && byte < STAR) node = pushPoint(node, a + 1, top, depth, byte);
      if (first <= STAR) this.#child(table, STAR, FLOOR, a, top, depth);
      if (node !== 0 && byte < QUESTION) node = pushPoint(node, a + 1, top, depth, byte);
      if (first <= QUESTION && last >= QUESTION && a < positions.length) {
        this.#child(table, QUESTION, POINT, a + 1, top, depth);
      }
      if (node !== 0 && byte < OPEN) node = pushPoint(node, a + 1, top, depth, byte);
      if (first <= OPEN && last >= OPEN) this.#child(table, OPEN, POINT | BRACKET, a, top, depth);
      if (last >= BACKSLASH) this.#child(table, BACKSLASH, POINT | ESCAPED, a, top, depth);
    }
    return node;
  }

  #child(table: number, byte: number, kind: number, a: number, b: number, depth: number): void {
    const node = this.#reader.reference(table + 4 * byte);
    if (node !== 0) stack.push(node, kind, a, b, depth + 1, byte, NEW);
  }

  #ofFloor(table: number, first: number, last: number, depth: number, special: boolean): void {
    const { a } = positions;
    for (const byte of this.#bytesOf(table, first, last)) {
      if (special && PLAIN[byte] === 0) this.#wild(table, byte, depth);
      else {
        const p = positions.find(byte, a);
        if (p >= 0) this.#plain(table, byte, depth, p);
      }
    }
  }

  #ofSet(table: number, first: number, last: number, depth: number, special: boolean): void {
    positions.mark(marks, 1);
    for (const byte of this.#bytesOf(table, first, last)) {
      if (special && PLAIN[byte] === 0) this.#wild(table, byte, depth);
      else if (marks[byte] === 1) this.#plain(table, byte, depth, 0);
    }
    positions.mark(marks, 0);
  }

  /** The bytes that have children, ascending. Tables are mostly holes, and few tables stand behind a star. */
  #bytesOf(table: number, first: number, last: number): Uint8Array {
    const known = this.#bytes.get(table + 4 * first);
    if (known !== undefined) return known;
    const bytes: number[] = [];
    for (let byte = first; byte <= last; byte++) if (this.#reader.reference(table + 4 * byte) !== 0) bytes.push(byte);
    if (this.#bytes.size >= REMEMBERED) this.#bytes.clear();
    const list = Uint8Array.from(bytes);
    this.#bytes.set(table + 4 * first, list);
    return list;
  }

  /** The child behind a byte that stands for itself, for a floor or a set. `first`: see KeyPositions.collect. */
  #plain(table: number, byte: number, depth: number, first: number): void {
    const node = this.#reader.reference(table + 4 * byte);
    if (node === 0) return;
    const begin = positions.top;
    const end = positions.collect(byte, this.#firstOf(node), first, begin);
    if (end - begin === 1) {
      stack.push(node, POINT, positions.kept[begin] as number, begin, depth + 1, byte, 0);
    } else if (end > begin) {
      stack.push(node, SET, begin, end - begin, depth + 1, byte, 0);
      positions.top = end;
    }
  }

  /** The child behind a wildcard or backslash, for a floor or a set. */
  #wild(table: number, byte: number, depth: number): void {
    const node = this.#reader.reference(table + 4 * byte);
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

  /** Inside an open bracket any byte can follow. */
  #inBracket(table: number, first: number, last: number, depth: number, open: number): void {
    const isSet = positions.kind === SET;
    if (isSet && !positions.reserve((last - first + 1) * positions.count)) {
      this.#reader.corrupt(0, 'its patterns need more memory than those of any real index');
    }
    for (let byte = first; byte <= last; byte++) {
      const node = this.#reader.reference(table + 4 * byte);
      if (node === 0) continue;
      const { top } = positions;
      if (isSet) {
        positions.top = positions.copy(top);
        stack.push(node, SET | BRACKET, top, positions.count, depth + 1, byte, open);
      } else {
        stack.push(node, positions.kind | BRACKET, positions.a, top, depth + 1, byte, open);
      }
    }
  }

  /** The byte that a name needs next to enter a node, which spares most visits; 0 when any byte will do. */
  #firstOf(node: number): number {
    if (!(node & HAS_PREFIX)) return 0;
    const byte = this.#reader.bytes[node & OFFSET_BITS] as number;
    return PLAIN[byte] === 1 ? byte : 0;
  }
}

function pushPoint(node: number, a: number, top: number, depth: number, byte: number): 0 {
  stack.push(node, POINT, a, top, depth + 1, byte, 0);
  return 0;
}

function flagOf(byte: number): number {
  return byte === OPEN ? BRACKET : byte === BACKSLASH ? ESCAPED : 0;
}
