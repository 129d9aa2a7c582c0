import { bracketAccepts } from '../base/fnmatch.ts';

/** One position: before any `*`, and mostly behind one too. */
export const POINT = 0;
/** Every position from one on: behind a `*`. */
export const FLOOR = 1;
/** Some positions: behind a byte that follows a `*` and occurs more than once. */
export const SET = 2;

/** Positions that may be kept at once (16 MiB): only an index made to exhaust its reader needs more. */
const MOST_KEPT = 1 << 22;

/**
 * A name, and the positions in it at which the patterns that run through a trie node can stand.
 *
 * Sets are kept in one array in the order of the walk's stack: what lies above `top` is free, so that nothing is allocated
 * during a lookup. They hold their greatest position first.
 */
export class KeyPositions {
  /** The bytes of the name; behind the last one a number that is no byte, so that comparing past the end fails. */
  key = new Uint16Array(256);
  length = 0;
  kind = POINT;
  /** The point, the floor, or where the set begins in `kept`. */
  a = 0;
  /** How many positions the set has. */
  count = 0;
  kept = new Int32Array(4096);
  top = 0;

  // last[c] is the last position of byte c in the name, previous[p] the one before p with the same byte; -1 for none.
  readonly #last = new Int32Array(256);
  #previous = new Int32Array(256);
  #linked = false;

  load(name: string): void {
    const length = name.length;
    if (length >= this.key.length) {
      this.key = new Uint16Array(2 * length);
      this.#previous = new Int32Array(2 * length);
    }
    const key = this.key;
    for (let i = 0; i < length; i++) key[i] = name.charCodeAt(i);
    key[length] = 0xffff;
    this.length = length;
    this.#linked = false;
    this.top = 0;
  }

  /** The last position of a byte in the name at or behind the least position; -1 when it does not occur there. */
  lastOf(byte: number): number {
    if (!this.#linked) this.#link();
    return this.#last[byte] as number;
  }

  #link(): void {
    this.#linked = true;
    const { key, length } = this;
    const last = this.#last;
    const previous = this.#previous;
    last.fill(-1);
    for (let i = 0; i < length; i++) {
      const c = key[i] as number;
      if (c > 255) continue;
      previous[i] = last[c] as number;
      last[c] = i;
    }
  }

  /** Makes room for so many positions above `top`; false when that is more than any real index needs. */
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
    return this.kind === FLOOR || this.kept[this.a] === this.length;
  }

  least(): number {
    return this.kind === SET ? (this.kept[this.a + this.count - 1] as number) : this.a;
  }

  takeStar(): void {
    this.a = this.least();
    if (this.kind === SET) this.top -= this.count;
    this.kind = FLOOR;
  }

  /** Goes one byte on, whatever it is; false when no position is left. Needs room for the set. */
  takeOne(): boolean {
    if (this.kind !== SET) return this.a++ < this.length;
    return this.#settle(this.a, this.collectNext(this.a));
  }

  /** Goes on over bytes [from, to) of the index; false when no position is left. Needs room for `length` positions. */
  takeBytes(bytes: Buffer, from: number, to: number): boolean {
    const { key, kept } = this;
    if (this.kind === POINT) {
      let p = this.a;
      for (let at = from; at < to; at++) if (key[p++] !== bytes[at]) return false;
      this.a = p;
      return true;
    }
    const begin = this.kind === SET ? this.a : this.top;
    let end = begin;
    if (this.kind === SET) {
      for (let i = this.a; i < this.a + this.count; i++) {
        const p = after(key, kept[i] as number, bytes, from, to);
        if (p >= 0) kept[end++] = p;
      }
    } else {
      for (let p = this.lastOf(bytes[from] as number); p >= this.a; p = this.#previous[p] as number) {
        const q = after(key, p, bytes, from, to);
        if (q >= 0) kept[end++] = q;
      }
    }
    return this.#settle(begin, end);
  }

  /** Goes on over one byte that the bracket at `open` accepts; false when no position is left. Needs room as takeBytes. */
  takeBracket(pattern: string, open: number): boolean {
    const { key, kept, length } = this;
    const accepts = (p: number): boolean => p < length && bracketAccepts(pattern, open, key[p] as number);
    const begin = this.kind === SET ? this.a : this.top;
    let end = begin;
    if (this.kind === POINT) {
      if (accepts(this.a)) kept[end++] = this.a + 1;
    } else if (this.kind === FLOOR) {
      for (let p = length - 1; p >= this.a; p--) if (accepts(p)) kept[end++] = p + 1;
    } else {
      for (let i = begin; i < begin + this.count; i++) {
        const p = kept[i] as number;
        if (accepts(p)) kept[end++] = p + 1;
      }
    }
    return this.#settle(begin, end);
  }

  /** Puts the positions behind `byte` into `kept` from `to` on and answers their end. */
  collect(byte: number, to: number): number {
    const { key, kept } = this;
    let end = to;
    if (this.kind === SET) {
      for (let i = this.a; i < this.a + this.count; i++) {
        const p = kept[i] as number;
        if (key[p] === byte) kept[end++] = p + 1;
      }
    } else {
      for (let p = this.lastOf(byte); p >= this.a; p = this.#previous[p] as number) kept[end++] = p + 1;
    }
    return end;
  }

  /** Puts the set's positions into `kept` once more, from `to` on, and answers their end. */
  copy(to: number): number {
    this.kept.copyWithin(to, this.a, this.a + this.count);
    return to + this.count;
  }

  /** Puts the set's positions one byte on into `kept` from `to` on and answers their end. */
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

/** The position behind bytes [from, to) where they stand in the name at `p`; -1 where they do not. */
function after(key: Uint16Array, p: number, bytes: Buffer, from: number, to: number): number {
  let q = p;
  for (let at = from; at < to; at++) if (key[q++] !== bytes[at]) return -1;
  return q;
}
