/** The stack of a search, in one array of numbers. Pure; allocates nothing per entry. */
import { HAS_PREFIX } from './index-format.ts';
import type { NodeReader } from './node-reader.ts';

/** How many numbers an entry has; `push` lists them. */
export const ENTRY = 6;

// Flags of an entry, beside the kind of its positions (key-positions.ts):
/** After a backslash: the next byte stands for itself. */
export const ESCAPED = 4;
/** Inside a `[` that is not closed yet: the positions are those before it. */
export const BRACKET = 8;

/** For `bracket`: it begins at the byte that leads to the node. */
export const NEW = -1;

/**
 * The nodes that a wildcard search has yet to visit, and the trail to the one it is visiting: how much of the name it compared
 * literally, and the nodes from the first wildcard on.
 */
class NodeStack {
  entries = new Int32Array(ENTRY * 512);
  pointer = 0;
  /** The pattern begins with this many bytes of the name. */
  literal = 0;
  #name = '';
  #nodes = new Int32Array(64);
  #bytes = new Uint8Array(64);
  #text = Buffer.alloc(256);

  /** Begins a search for `name`. */
  begin(name: string): void {
    this.#name = name;
    this.pointer = 0;
  }

  /**
   * Pushes a node: its reference; the positions before it as kind (with flags) and two numbers; its depth below the first
   * wildcard; the byte that leads to it (0 for the rest of a prefix); and the offset of an open bracket in the pattern.
   */
  push(node: number, kind: number, a: number, b: number, depth: number, byte: number, bracket: number): void {
    const at = this.pointer;
    if (at === this.entries.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.entries);
      this.entries = larger;
    }
    const entries = this.entries;
    entries[at] = node;
    entries[at + 1] = kind;
    entries[at + 2] = a;
    entries[at + 3] = b;
    entries[at + 4] = (depth << 8) | byte;
    entries[at + 5] = bracket;
    this.pointer = at + ENTRY;
  }

  /** Records the walk's position. Nodes come off the stack deepest first, so above `depth` the trail belongs to this node. */
  visit(depth: number, node: number, byte: number): void {
    if (depth === this.#nodes.length) {
      const nodes = new Int32Array(2 * depth);
      const bytes = new Uint8Array(2 * depth);
      nodes.set(this.#nodes);
      bytes.set(this.#bytes);
      this.#nodes = nodes;
      this.#bytes = bytes;
    }
    this.#nodes[depth] = node;
    this.#bytes[depth] = byte;
  }

  /** The pattern's text up to the end of the prefix of the trail's node at `depth`; depth -1 is before the first wildcard. */
  pattern(reader: NodeReader, depth: number): string {
    let length = 0;
    for (let i = 0; i <= depth; i++) {
      const byte = this.#bytes[i] as number;
      if (byte !== 0) length = this.#append(length, byte);
      const node = this.#nodes[i] as number;
      if (!(node & HAS_PREFIX)) continue;
      let at = reader.offset(node);
      for (const end = reader.stringEnd(at); at < end; at++) length = this.#append(length, reader.bytes[at] as number);
    }
    return this.#name.slice(0, this.literal) + this.#text.toString('latin1', 0, length);
  }

  #append(length: number, byte: number): number {
    if (length === this.#text.length) this.#text = Buffer.concat([this.#text], 2 * length);
    this.#text[length] = byte;
    return length + 1;
  }
}

/** All indexes share it: a search ends before another begins. */
export const stack = new NodeStack();
