/** The positions in a key that a pattern can have reached. Pure. */
import { bracketAccepts } from '../base/fnmatch.ts';

/** One position: the case before any `*`, and mostly after one too. */
export const POINT = 0;
/** Every position from one on: after a `*`. */
export const FLOOR = 1;
/** Several positions: after a byte that follows a `*` and occurs more than once. */
export const SET = 2;
/** The bits of a number that hold one of these. */
export const KIND = 3;

/** The limit on positions kept at once (16 MiB). Only an index made to exhaust its reader needs more. */
const MOST_KEPT = 1 << 22;

const NO_BYTES = /[^\0-\xff]/;

/** Each byte as a string: indexOf on a string is V8's fastest loop, ten times faster than a loop over an array. */
const CHARACTERS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/**
 * A name, and the positions in it that the patterns through a trie node can have reached.
 *
 * One array keeps all sets, in the order of the walk's stack. Everything above `top` is free, so a lookup allocates nothing. The
 * positions of a set ascend.
 */
class KeyPositions {
  /** The bytes of the name and a NUL. No pattern contains a NUL, so a comparison past the end fails. */
  key = Buffer.alloc(256);
  length = 0;
  kind = POINT;
  /** The point, the floor, or the index in `kept` where the set begins. */
  a = 0;
  /** The number of positions in the set. */
  count = 0;
  kept = new Int32Array(4096);
  top = 0;
  #name = '';

  /** Begins a lookup of `name`. */
  load(name: string): void {
    // A character that is not a byte matches wildcards only, like NUL.
    this.#name = NO_BYTES.test(name) ? name.replaceAll(new RegExp(NO_BYTES, 'g'), '\0') : name;
    const { length } = name;
    if (length >= this.key.length) this.key = Buffer.alloc(2 * length);
    this.key.write(this.#name, 0, 'latin1');
    this.key[length] = 0;
    this.length = length;
    this.top = 0;
  }

  /** Restores the positions of a node from the stack. `b` is a set's size; for the other kinds, the new `top`. */
  restore(kind: number, a: number, b: number): void {
    this.kind = kind;
    this.a = a;
    this.count = b;
    this.top = kind === SET ? a + b : b;
  }

  /** Makes room for `more` positions above `top`; false when no real index needs that many. */
  reserve(more: number): boolean {
    const end = this.top + more;
    if (end <= this.kept.length) return true;
    if (end > MOST_KEPT) return false;
    const larger = new Int32Array(Math.max(end, 2 * this.kept.length));
    larger.set(this.kept);
    this.kept = larger;
    return true;
  }

  /** True when a pattern that ends here matches the whole name. */
  atEnd(): boolean {
    if (this.kind === POINT) return this.a === this.length;
    return this.kind === FLOOR || this.kept[this.a + this.count - 1] === this.length;
  }

  least(): number {
    return this.kind === SET ? (this.kept[this.a] as number) : this.a;
  }

  takeStar(): void {
    this.a = this.least();
    if (this.kind === SET) this.top -= this.count;
    this.kind = FLOOR;
  }

  /** Advances over any one byte; false when no position is left. */
  takeOne(): boolean {
    if (this.kind !== SET) return this.a++ < this.length;
    return this.#settle(this.a, this.collectNext(this.a));
  }

  /** Advances over bytes [from, to) of the index; false when no position is left. Needs room for `length` positions. */
  takeBytes(bytes: Buffer, from: number, to: number): boolean {
    const { key, kept } = this;
    if (this.kind === POINT) {
      this.a = after(key, this.a, bytes, from, to);
      return this.a >= 0;
    }
    const begin = this.kind === SET ? this.a : this.top;
    let end = begin;
    if (this.kind === SET) {
      for (let i = begin; i < begin + this.count; i++) {
        const p = after(key, kept[i] as number, bytes, from, to);
        if (p >= 0) kept[end++] = p;
      }
    } else {
      const first = bytes[from] as number;
      for (let p = this.find(first, this.a); p >= 0; p = this.find(first, p + 1)) {
        const q = after(key, p + 1, bytes, from + 1, to);
        if (q >= 0) kept[end++] = q;
      }
    }
    return this.#settle(begin, end);
  }

  /** For a floor: advances past the first occurrence of bytes [from, to); false when there is none. */
  takeFirst(bytes: Buffer, from: number, to: number): boolean {
    const first = bytes[from] as number;
    for (let p = this.find(first, this.a); p >= 0; p = this.find(first, p + 1)) {
      this.a = after(this.key, p + 1, bytes, from + 1, to);
      if (this.a >= 0) return true;
    }
    return false;
  }

  /** Advances over one byte that the bracket at `open` accepts; false when no position is left. Needs room like takeBytes. */
  takeBracket(pattern: string, open: number): boolean {
    const { key, kept, length } = this;
    const accepts = (p: number): boolean => p < length && bracketAccepts(pattern, open, key[p] as number);
    const begin = this.kind === SET ? this.a : this.top;
    let end = begin;
    if (this.kind === POINT) {
      if (accepts(this.a)) kept[end++] = this.a + 1;
    } else if (this.kind === FLOOR) {
      for (let p = this.a; p < length; p++) if (accepts(p)) kept[end++] = p + 1;
    } else {
      for (let i = begin; i < begin + this.count; i++) {
        const p = kept[i] as number;
        if (accepts(p)) kept[end++] = p + 1;
      }
    }
    return this.#settle(begin, end);
  }

  /** The first position of a byte in the name at or after `from`; -1 when there is none. */
  find(byte: number, from: number): number {
    return this.#name.indexOf(CHARACTERS[byte] as string, from);
  }

  /** For a set: writes `one` (1 to mark, 0 to clear) into `marks` for the bytes at its positions. */
  mark(marks: Uint8Array, one: number): void {
    const { key, kept } = this;
    for (let i = this.a; i < this.a + this.count; i++) {
      marks[key[kept[i] as number] as number] = one;
    }
  }

  /**
   * Writes the positions after `byte` into `kept`, beginning at `to`, and returns the index behind the last. Keeps only those
   * where `second` comes next, unless it is 0. `first` is the first position of `byte` at or above a floor.
   */
  collect(byte: number, second: number, first: number, to: number): number {
    const { key, kept } = this;
    let end = to;
    if (this.kind === SET) {
      for (let i = this.a; i < this.a + this.count; i++) {
        const p = kept[i] as number;
        if (key[p] === byte && (second === 0 || key[p + 1] === second)) kept[end++] = p + 1;
      }
      return end;
    }
    for (let p = first; p >= 0; p = this.find(byte, p + 1)) {
      if (second === 0 || key[p + 1] === second) kept[end++] = p + 1;
    }
    return end;
  }

  /** Copies the set's positions within `kept` to `to`, and returns the index behind the last. */
  copy(to: number): number {
    this.kept.copyWithin(to, this.a, this.a + this.count);
    return to + this.count;
  }

  /** Writes the set's positions, each one byte further, into `kept` at `to`, and returns the index behind the last. */
  collectNext(to: number): number {
    const { kept, length } = this;
    let end = to;
    for (let i = this.a; i < this.a + this.count; i++) {
      const p = kept[i] as number;
      if (p < length) kept[end++] = p + 1;
    }
    return end;
  }

  #settle(begin: number, end: number): boolean {
    if (end - begin === 1) {
      this.kind = POINT;
      this.a = this.kept[begin] as number;
      this.top = begin;
      return true;
    }
    this.kind = SET;
    this.a = begin;
    this.count = end - begin;
    this.top = end;
    return end > begin;
  }
}

/** All indexes share it: a search ends before another begins. */
export const positions = new KeyPositions();

/** The position after bytes [from, to) if the name has them at `p`; else -1. */
function after(key: Buffer, p: number, bytes: Buffer, from: number, to: number): number {
  let q = p;
  for (let at = from; at < to; at++) if (key[q++] !== bytes[at]) return -1;
  return q;
}
