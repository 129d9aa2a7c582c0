/** One of kmod's indexes: exact and wildcard lookups in its bytes. Pure; reports the damage that a lookup meets. */
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
import { NodeReader } from './node-reader.ts';
import { WildcardSearch } from './wildcard-search.ts';

export type { TrieMatch } from './index-format.ts';

/** A value of the index with its key: `{ key: 'pci:v00001AF4d*…', value: 'virtio_pci', priority: 812 }`. */
export interface TrieEntry {
  readonly key: string;
  readonly value: string;
  readonly priority: number;
}

/** An index, wherever its bytes come from; IndexTrie describes the members. */
export interface Index {
  exact(key: string): string | undefined;
  search(key: LookupKey, repeats?: boolean): readonly TrieMatch[];
  entries(): Iterable<TrieEntry>;
}

/**
 * One of kmod's index files, read in place: a lookup parses only what it reaches. `index-format.ts` describes the bytes.
 *
 * Errors of every member: `corrupt-index`, naming the file and the offset, when the bytes are not an index, are cut off, or
 * their nodes form a cycle. Damage that a lookup does not reach does not affect its result.
 */
export class IndexTrie implements Index {
  readonly #reader: NodeReader;
  /** Root reference; 0 for an empty index. */
  readonly #root: number;
  #search: WildcardSearch | undefined;

  /** The index in `bytes`, the whole content of `file` (named in messages). A file of zero bytes is an empty index. */
  constructor(bytes: Buffer, file: string) {
    this.#reader = new NodeReader(bytes, (offset, what) => {
      throw new PlugdError('corrupt-index', `offset ${hex(offset)}: ${what}`, {
        file,
        remedy: 'rebuild the indexes: depmod',
      });
    });
    this.#root = openRoot(this.#reader);
  }

  /**
   * The first value of a key, taken literally: `exact('snd_hda_intel')` in modules.dep.bin is
   * `kernel/sound/pci/hda/snd-hda-intel.ko: kernel/…`. Undefined when the index has no such key.
   */
  exact(key: string): string | undefined {
    const reader = this.#reader;
    const { bytes } = reader;
    let node = this.#root;
    for (let i = 0; node !== 0; i++) {
      let at = reader.offset(node);
      if (node & HAS_PREFIX) {
        for (let c = bytes[at]; c !== 0; c = bytes[++at]) {
          if (c === undefined) return reader.corrupt(at, 'the file ends inside a prefix');
          if (c !== key.charCodeAt(i++)) return undefined;
        }
        at++;
      }
      if (i === key.length) {
        if (!(node & HAS_VALUES)) return undefined;
        if (node & HAS_CHILDREN) at = reader.childrenEnd(at);
        return reader.number(at) === 0 ? undefined : reader.text(at + 8, reader.stringEnd(at + 8));
      }
      if (!(node & HAS_CHILDREN)) return undefined;
      const end = reader.childrenEnd(at);
      const slot = at + 2 + 4 * (key.charCodeAt(i) - (bytes[at] as number));
      node = slot >= at + 2 && slot < end ? reader.reference(slot) : 0;
    }
    return undefined;
  }

  /**
   * The values of all keys that, as patterns (`*`, `?`, `[…]`), match the text `key`. They ascend by priority; among equals, the
   * one found later comes first, as in kmod. Each value of a key appears once, or with `repeats` as often as kmod finds it. Empty
   * when none matches.
   */
  search(key: LookupKey, repeats = false): readonly TrieMatch[] {
    if (this.#root === 0) return [];
    this.#search ??= new WildcardSearch(this.#reader, this.#root);
    return this.#search.find(key, repeats);
  }

  /** All values, in byte order of their keys and, for one key, in file order, as `modprobe -c` dumps them. */
  *entries(): Generator<TrieEntry, void, undefined> {
    if (this.#root === 0) return;
    const reader = this.#reader;
    const stack = [{ node: this.#root, key: '', depth: 0 }];
    // Every byte of a trie belongs to one node, so a walk that reads more bytes than the file has is in a cycle.
    let budget = reader.bytes.length;
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { node, depth } = top;
      const begin = reader.offset(node);
      if (budget < 0 || depth > MAX_DEPTH) reader.corrupt(begin, 'the nodes form a cycle');
      const prefix = reader.prefix(node);
      const key = top.key + prefix;
      const children = node & HAS_PREFIX ? begin + prefix.length + 1 : begin;
      const end = node & HAS_CHILDREN ? reader.childrenEnd(children) : children;
      let at = end;
      if (node & HAS_VALUES) {
        at += 4;
        for (let left = reader.number(end); left > 0; left--) {
          const priority = reader.number(at);
          const stop = reader.stringEnd(at + 4);
          yield { key, value: reader.text(at + 4, stop), priority };
          at = stop + 1;
        }
      }
      budget -= at - begin || 1;
      for (let slot = end - 4, byte = reader.bytes[children + 1] ?? 0; slot > children; slot -= 4, byte--) {
        const child = reader.reference(slot);
        if (child !== 0) stack.push({ node: child, key: key + String.fromCharCode(byte), depth: depth + 1 });
      }
    }
  }
}

/** The reference to the root; 0 for an empty index. */
function openRoot(reader: NodeReader): number {
  const { bytes } = reader;
  if (bytes.length === 0) return 0;
  if (bytes.length < INDEX_HEADER) reader.corrupt(bytes.length, 'the file ends inside its header');
  const magic = reader.number(0);
  if (magic !== INDEX_MAGIC) reader.corrupt(0, `the magic number is ${hex(magic)}, not ${hex(INDEX_MAGIC)}`);
  const major = reader.number(4) >>> 16;
  if (major !== INDEX_MAJOR) reader.corrupt(4, `unknown format version ${major}`);
  const root = reader.reference(8);
  const offset = root & OFFSET_BITS;
  // kmod takes any root past the end for an empty index, so a cut-off file means "no match". Here only the true form counts as
  // an empty index: a root without parts.
  if (bytes.length === INDEX_HEADER && root === INDEX_HEADER) return 0;
  if (offset < INDEX_HEADER || offset >= bytes.length) {
    reader.corrupt(8, `the root is at ${hex(offset)}, outside the file`);
  }
  return root;
}

function hex(n: number): string {
  return `0x${n.toString(16).toUpperCase()}`;
}
