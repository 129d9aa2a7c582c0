/** Reads nodes of kmod's index format. Pure; checks every offset before it reads. */
import * as format from './index-format.ts';

// Local constants, so that V8 folds them; see wildcard-search.ts.
const { HAS_PREFIX, INDEX_HEADER, OFFSET_BITS } = format;

/** Reports that a file is damaged at an offset; never returns. */
export type Corrupt = (offset: number, what: string) => never;

/** Reads the parts of an index file's nodes and checks every offset; index-format.ts describes them. */
export class NodeReader {
  readonly bytes: Buffer;
  readonly corrupt: Corrupt;
  readonly #numbers: DataView;

  constructor(bytes: Buffer, corrupt: Corrupt) {
    this.bytes = bytes;
    this.corrupt = corrupt;
    this.#numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The offset at which the node of a reference begins. */
  offset(node: number): number {
    const at = node & OFFSET_BITS;
    if (at < INDEX_HEADER || at >= this.bytes.length) this.corrupt(at, 'a reference points outside the file');
    return at;
  }

  /** The offset behind the table of children that begins at `at`. */
  childrenEnd(at: number): number {
    const first = this.bytes[at] as number;
    const last = this.bytes[at + 1] as number;
    const end = at + 2 + 4 * (last - first + 1);
    // Past the end of the file the bytes are undefined and `end` is NaN.
    if (!(first <= last && end <= this.bytes.length)) this.corrupt(at, 'a table of children is cut off');
    return end;
  }

  /** A reference in a table whose bounds are already checked; 0 where there is no child. */
  reference(at: number): number {
    return this.#numbers.getInt32(at);
  }

  /** A count of values, or a priority. */
  number(at: number): number {
    if (at + 4 > this.bytes.length) this.corrupt(at, 'the file ends inside a value');
    return this.#numbers.getUint32(at);
  }

  /** The offset of the NUL that ends the string at `from`. */
  stringEnd(from: number): number {
    const { bytes } = this;
    // Most strings are short, so a loop is faster than a call of indexOf.
    for (let at = from; at < bytes.length; at++) if (bytes[at] === 0) return at;
    return this.corrupt(from, 'the file ends inside a string');
  }

  /** The bytes [from, to), latin1. */
  text(from: number, to: number): string {
    return this.bytes.toString('latin1', from, to);
  }

  /** The text of a node's prefix; empty when it has none. */
  prefix(node: number): string {
    if (!(node & HAS_PREFIX)) return '';
    const at = this.offset(node);
    return this.text(at, this.stringEnd(at));
  }
}
