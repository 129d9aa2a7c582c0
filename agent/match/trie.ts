import { PlugdError } from '../base/error.ts';
import type { LookupKey } from '../base/names.ts';
import {
  HAS_CHILDREN,
  HAS_PREFIX,
  HAS_VALUES,
  INDEX_HEADER,
  INDEX_MAGIC,
  INDEX_MAJOR,
  MAX_DEPTH,
  OFFSET_BITS,
  type TrieMatch,
} from './index-format.ts';
import { WildcardSearch } from './wildcard-search.ts';

export type { TrieMatch } from './index-format.ts';

/** A value of the index with its key: `{ key: 'pci:v00001AF4d*…', value: 'virtio_pci', priority: 812 }`. */
export interface TrieEntry {
  readonly key: string;
  readonly value: string;
  readonly priority: number;
}

/** What can be asked of an index, wherever its bytes come from; IndexTrie says what the members do. */
export interface Index {
  exact(key: string): string | undefined;
  search(key: LookupKey): readonly TrieMatch[];
  entries(): Iterable<TrieEntry>;
}

/**
 * One index file of kmod, read in place: nothing is parsed before it is asked for. `index-format.ts` describes the bytes.
 *
 * Errors of every member: `corrupt-index`, naming the file and the offset, when the bytes are no index, are cut off, or
 * lead in a circle. A damaged part that a question does not reach does not disturb its answer.
 */
export class IndexTrie implements Index {
  readonly #bytes: Buffer;
  readonly #file: string;
  /** Root reference; 0 for an index of nothing. */
  readonly #root: number;
  #search: WildcardSearch | undefined;

  /** The index in `bytes`, the whole content of `file` (for messages). A file of zero bytes is an index of nothing. */
  constructor(bytes: Buffer, file: string) {
    this.#bytes = bytes;
    this.#file = file;
    this.#root = bytes.length === 0 ? 0 : this.#openRoot();
  }

  #openRoot(): number {
    const bytes = this.#bytes;
    if (bytes.length < INDEX_HEADER) this.#corrupt(bytes.length, 'the file ends inside its header');
    const magic = bytes.readUInt32BE(0);
    if (magic !== INDEX_MAGIC) this.#corrupt(0, `the magic number is ${hex(magic)}, not ${hex(INDEX_MAGIC)}`);
    const major = bytes.readUInt16BE(4);
    if (major !== INDEX_MAJOR) this.#corrupt(4, `format version ${major} is not known`);
    const root = bytes.readInt32BE(8);
    const offset = root & OFFSET_BITS;
    // kmod takes any root past the end for an empty index, so a cut-off file says "no match"; here only the true form of
    // an index of nothing is one: a root that has no parts.
    if (bytes.length === INDEX_HEADER && root === INDEX_HEADER) return 0;
    if (offset < INDEX_HEADER || offset >= bytes.length)
      this.#corrupt(8, `the root is at ${hex(offset)}, outside the file`);
    return root;
  }

  readonly #corrupt = (offset: number, what: string): never => {
    throw new PlugdError('corrupt-index', `${this.#file}: offset ${hex(offset)}: ${what}`, {
      remedy: 'make the indexes anew: depmod',
    });
  };

  /**
   * The first value of a key, taken literally: `exact('snd_hda_intel')` in modules.dep.bin is
   * `kernel/sound/pci/hda/snd-hda-intel.ko: kernel/…`. Undefined when the index has no such key.
   */
  exact(key: string): string | undefined {
    const bytes = this.#bytes;
    let node = this.#root;
    let i = 0;
    for (let steps = 0; node !== 0; steps++) {
      let at = this.#offset(node);
      if (node & HAS_PREFIX) {
        let c = bytes[at];
        for (; c !== 0; c = bytes[++at]) {
          if (c === undefined) this.#corrupt(at, 'the file ends inside a string');
          if (c !== key.charCodeAt(i++)) return undefined;
        }
        at++;
      }
      if (i === key.length) {
        if (!(node & HAS_VALUES)) return undefined;
        if (node & HAS_CHILDREN) at = this.#childrenEnd(at);
        return this.#count(at) === 0 ? undefined : bytes.toString('latin1', at + 8, this.#stringEnd(at + 8));
      }
      if (!(node & HAS_CHILDREN)) return undefined;
      const end = this.#childrenEnd(at);
      const slot = at + 2 + 4 * (key.charCodeAt(i++) - (bytes[at] ?? 0));
      node = slot >= at + 2 && slot < end ? bytes.readInt32BE(slot) : 0;
    }
    return undefined;
  }

  /**
   * The values of all keys that match, as patterns (`*`, `?`, `[…]`), the text `key`; ascending by priority, of equal ones
   * the later found first, as kmod answers. Each value of a key is there once. Empty when none matches.
   */
  search(key: LookupKey): readonly TrieMatch[] {
    if (this.#root === 0) return [];
    this.#search ??= new WildcardSearch(this.#bytes, this.#root, this.#corrupt);
    return this.#search.find(key);
  }

  /** All values, in byte order of their keys and, for one key, in the order of the file: what `modprobe -c` dumps. */
  *entries(): Generator<TrieEntry, void, undefined> {
    if (this.#root === 0) return;
    const bytes = this.#bytes;
    const stack = [{ node: this.#root, key: '', depth: 0 }];
    // Every byte of a trie belongs to one node; whoever reads more bytes than there are goes in a circle.
    let budget = bytes.length;
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      let at = this.#offset(top.node);
      const begin = at;
      if (budget < 0 || top.depth > MAX_DEPTH) this.#corrupt(at, 'the nodes lead in a circle');
      let key = top.key;
      if (top.node & HAS_PREFIX) {
        const end = this.#stringEnd(at);
        key += bytes.toString('latin1', at, end);
        at = end + 1;
      }
      const children = at;
      const end = top.node & HAS_CHILDREN ? this.#childrenEnd(at) : at;
      if (top.node & HAS_VALUES) {
        at = end + 4;
        for (let left = this.#count(end); left > 0; left--) {
          if (at + 4 > bytes.length) this.#corrupt(at, 'the file ends inside a value');
          const stop = this.#stringEnd(at + 4);
          yield { key, value: bytes.toString('latin1', at + 4, stop), priority: bytes.readUInt32BE(at) };
          at = stop + 1;
        }
      }
      budget -= Math.max(at, end) - begin || 1;
      const last = bytes[children + 1] ?? 0;
      for (let slot = end - 4, c = last; slot > children; slot -= 4, c--) {
        const node = bytes.readInt32BE(slot);
        if (node !== 0) stack.push({ node, key: key + String.fromCharCode(c), depth: top.depth + 1 });
      }
    }
  }

  #offset(node: number): number {
    const offset = node & OFFSET_BITS;
    if (offset < INDEX_HEADER || offset >= this.#bytes.length)
      this.#corrupt(offset, 'a reference points outside the file');
    return offset;
  }

  #stringEnd(from: number): number {
    const end = this.#bytes.indexOf(0, from);
    if (end < 0 || from > this.#bytes.length) this.#corrupt(from, 'the file ends inside a string');
    return end;
  }

  #childrenEnd(at: number): number {
    const first = this.#bytes[at] ?? 0;
    const last = this.#bytes[at + 1] ?? 0;
    if (first > last) this.#corrupt(at, 'a table of children ends before it begins');
    const end = at + 2 + 4 * (last - first + 1);
    if (end > this.#bytes.length) this.#corrupt(at, 'the file ends inside a table of children');
    return end;
  }

  #count(at: number): number {
    if (at + 4 > this.#bytes.length) this.#corrupt(at, 'the file ends inside a count of values');
    return this.#bytes.readUInt32BE(at);
  }
}

function hex(n: number): string {
  return `0x${n.toString(16).toUpperCase()}`;
}
