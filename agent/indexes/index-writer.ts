/** Writes kmod's index format, byte for byte as depmod does. Pure: bytes in memory. */
import { HAS_CHILDREN, HAS_PREFIX, HAS_VALUES, INDEX_HEADER, INDEX_MAGIC, INDEX_VERSION } from './index-format.ts';

/** kmod up to 33 writes a node after its children, 34 and later before them: same size, different bytes. */
export type IndexLayout = 'children-first' | 'parent-first';

/** kmod cuts names at 4,095 bytes, so no lookup finds a longer key. */
const LONGEST_KEY = 4095;

interface Value {
  readonly key: string;
  readonly value: string;
  readonly priority: number;
}

/**
 * Builds the bytes of an index file (`indexes/index-format.ts`) as kmod's depmod does: the same insertions in the same order give
 * the same bytes.
 *
 * kmod grows a trie key by key. The shape of a radix trie does not depend on the order of insertion; only the values of one key
 * do. They ascend by priority, a new one goes before those of equal priority, and duplicates stay. So this builder distributes the
 * keys byte by byte when it writes the file, without a trie in between.
 */
export class IndexBuilder {
  readonly #values: Value[] = [];

  /**
   * Adds a value: `insert('pci:v00001AF4d*sv*sd*bc*sc*i*', 'virtio_pci', 812)`. The key must be normalised. Returns false and adds
   * nothing when an index cannot hold the key: it has a byte that is not 7-bit (depmod ends with an error there), or over 4,095 bytes.
   */
  insert(key: string, value: string, priority: number): boolean {
    if (key.length > LONGEST_KEY || !IS_KEY.test(key)) return false;
    this.#values.push({ key, value, priority });
    return true;
  }

  /** The file's bytes; an empty index is the 12-byte header alone. `children-first` is what Debian 12's kmod 30 writes. */
  build(layout: IndexLayout = 'children-first'): Buffer {
    return new Writer(this.#values, layout).write();
  }
}

// The bytes that a key can have: 7-bit, no NUL.
const IS_KEY = /^[\x01-\x7f]*$/;

/** Writes the trie of a list of values. A node is a range of `#order` whose keys agree up to some length. */
class Writer {
  readonly #values: readonly Value[];
  readonly #parentFirst: boolean;
  /** Indexes into `#values`. In the range of a node the values of each child are neighbours, in order of insertion. */
  readonly #order: Int32Array;
  readonly #spare: Int32Array;
  readonly #counts = new Int32Array(129);
  #bytes = Buffer.allocUnsafe(1 << 16);
  #at = INDEX_HEADER;

  constructor(values: readonly Value[], layout: IndexLayout) {
    this.#values = values;
    this.#parentFirst = layout === 'parent-first';
    this.#order = Int32Array.from(values.keys());
    this.#spare = new Int32Array(values.length);
  }

  write(): Buffer {
    // Iterative, because the keys of a hostile modules.alias can nest 4,095 deep.
    const open: Node[] = [];
    // The root never has a label, even if all keys share a beginning.
    let node: Node | undefined = this.#open(0, this.#values.length, 0, 0);
    let root = 0;
    while (node !== undefined) {
      const range = node.children[node.next];
      if (range !== undefined) {
        open.push(node);
        node = this.#open(range.from, range.to, range.start, this.#agreement(range));
        continue;
      }
      if (!this.#parentFirst) this.#writeNode(node);
      const parent = open.pop();
      if (parent === undefined) root = node.reference;
      else this.#give(parent, node.reference);
      node = parent;
    }
    this.#bytes.writeUInt32BE(INDEX_MAGIC, 0);
    this.#bytes.writeUInt32BE(INDEX_VERSION, 4);
    this.#bytes.writeInt32BE(root, 8);
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  #value(i: number): Value {
    return this.#values[this.#order[i] as number] as Value;
  }

  /** The node of values [from, to), whose keys agree up to `length`; its label begins at `start`. */
  #open(from: number, to: number, start: number, length: number): Node {
    const label = start < length ? this.#value(from).key.slice(start, length) : '';
    const { own, children } = this.#distribute(from, to, length);
    const node = { label, from, own, children, references: [], next: 0, reference: 0, table: 0 };
    if (this.#parentFirst) this.#writeNode(node);
    return node;
  }

  /** Stores the reference of the child that was written last. */
  #give(node: Node, reference: number): void {
    const index = node.next++;
    if (!this.#parentFirst) {
      node.references.push(reference);
      return;
    }
    const first = node.children[0]?.byte ?? 0;
    this.#bytes.writeInt32BE(reference, node.table + 4 * ((node.children[index]?.byte ?? 0) - first));
  }

  #writeNode(node: Node): void {
    const { label, from, own, children, references } = node;
    node.reference = this.#at;
    if (label !== '') {
      node.reference |= HAS_PREFIX;
      this.#string(label);
    }
    if (children.length > 0) {
      node.reference |= HAS_CHILDREN;
      const first = children[0]?.byte ?? 0;
      const last = children.at(-1)?.byte ?? 0;
      const size = 4 * (last - first + 1);
      this.#reserve(2 + size);
      const bytes = this.#bytes;
      bytes[this.#at] = first;
      bytes[this.#at + 1] = last;
      node.table = this.#at + 2;
      this.#at = node.table + size;
      bytes.fill(0, node.table, this.#at);
      for (const [i, reference] of references.entries()) {
        bytes.writeInt32BE(reference, node.table + 4 * ((children[i]?.byte ?? 0) - first));
      }
    }
    if (own > from) {
      node.reference |= HAS_VALUES;
      this.#writeValues(from, own);
    }
  }

  #writeValues(from: number, to: number): void {
    this.#number(to - from);
    // Nearly all keys have one value.
    if (to - from === 1) {
      const { value, priority } = this.#value(from);
      this.#number(priority);
      this.#string(value);
      return;
    }
    const values = Array.from({ length: to - from }, (_, i) => this.#value(to - 1 - i));
    // The last insertion comes first; the sort is stable.
    values.sort((a, b) => a.priority - b.priority);
    for (const { value, priority } of values) {
      this.#number(priority);
      this.#string(value);
    }
  }

  /** The length up to which all keys of a child agree. */
  #agreement({ from, to, start }: Range): number {
    const first = this.#value(from).key;
    let length = first.length;
    for (let i = from + 1; i < to; i++) {
      const { key } = this.#value(i);
      if (key.length < length) length = key.length;
      let same = start;
      while (same < length && key.charCodeAt(same) === first.charCodeAt(same)) same++;
      length = same;
    }
    return length;
  }

  /** Sorts the range: first the values of keys that end at `length` (up to `own`), then a range for each next byte, ascending. */
  #distribute(from: number, to: number, length: number): { own: number; children: Range[] } {
    if (to - from === 1 && this.#value(from).key.length === length) return { own: to, children: [] };
    const counts = this.#counts.fill(0);
    // Bucket 0 holds the keys that end here; no key has a NUL.
    for (let i = from; i < to; i++) {
      const { key } = this.#value(i);
      (counts[key.length === length ? 1 : key.charCodeAt(length) + 1] as number)++;
    }
    const own = from + (counts[1] as number);
    const children: Range[] = [];
    let at = from;
    for (let byte = 0; byte < 128; byte++) {
      const count = counts[byte + 1] as number;
      counts[byte] = at;
      if (byte > 0 && count > 0) children.push({ byte, from: at, to: at + count, start: length + 1 });
      at += count;
    }
    const order = this.#order;
    const spare = this.#spare;
    for (let i = from; i < to; i++) {
      const { key } = this.#value(i);
      const bucket = key.length === length ? 0 : key.charCodeAt(length);
      const next = counts[bucket] as number;
      counts[bucket] = next + 1;
      spare[next] = order[i] as number;
    }
    order.set(spare.subarray(from, to), from);
    return { own, children };
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #number(n: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32BE(n, this.#at);
  }

  #string(text: string): void {
    this.#reserve(text.length + 1);
    const bytes = this.#bytes;
    // Most strings have a few characters, and a call into Node would cost more than copying them here.
    if (text.length > 32) this.#at += bytes.write(text, this.#at, 'latin1');
    else for (let i = 0; i < text.length; i++) bytes[this.#at++] = text.charCodeAt(i);
    bytes[this.#at++] = 0;
  }
}

/** Values [from, to) whose keys continue with `byte`; the child's label begins at `start`. */
interface Range {
  readonly byte: number;
  readonly from: number;
  readonly to: number;
  readonly start: number;
}

interface Node {
  readonly label: string;
  /** The values of the node itself are [from, own). */
  readonly from: number;
  readonly own: number;
  readonly children: readonly Range[];
  /** References of the children written so far. */
  readonly references: number[];
  /** Index of the child to write next. */
  next: number;
  reference: number;
  /** Offset of the table of children. */
  table: number;
}
