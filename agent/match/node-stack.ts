/** Numbers of one entry; `push` says which. */
export const ENTRY = 6;

/** The nodes that a wildcard search has yet to visit, and the trail from the root to the one it visits. */
export class NodeStack {
  entries = new Int32Array(ENTRY * 512);
  pointer = 0;
  trailNodes = new Int32Array(64);
  trailBytes = new Uint8Array(64);

  /**
   * Puts a node on the stack: its reference, the kind and numbers of the positions in front of it, its depth, the byte that leads to it,
   * and where in the pattern an open bracket stands.
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

  /** Notes where the walk is. Nodes come off the stack deepest first, so above `depth` the trail is that of this node. */
  visit(depth: number, node: number, byte: number): void {
    if (depth === this.trailNodes.length) {
      const nodes = new Int32Array(2 * depth);
      const bytes = new Uint8Array(2 * depth);
      nodes.set(this.trailNodes);
      bytes.set(this.trailBytes);
      this.trailNodes = nodes;
      this.trailBytes = bytes;
    }
    this.trailNodes[depth] = node;
    this.trailBytes[depth] = byte;
  }
}
