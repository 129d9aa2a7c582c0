/**
 * kmod's wildcard search, slow and plain, as a model to compare with: down the compressed trie literally, at each node first
 * everything below its `*`, `?` and `[`, tested with fnmatch, then the values, then on with the name's next byte; values are put
 * before those of equal priority. (The behaviour of libkmod-index.c's index_mm_searchwild_*, described in words of our own.)
 */
import { fnmatch } from '../../agent/base/fnmatch.ts';
import type { Row } from '../fixtures/index.ts';

interface Node {
  /** The text from the root to the end of the node's prefix. */
  readonly text: string;
  readonly prefix: string;
  readonly values: readonly Row[];
  readonly children: ReadonlyMap<string, Node>;
}

/** The values kmod would answer for `name`, each as often as it finds it. */
export function kmodSearch(rows: readonly Row[], name: string): Row[] {
  const found: Row[] = [];
  const add = (row: Row): void => {
    const place = found.findIndex(([, , priority]) => priority >= row[2]);
    found.splice(place < 0 ? found.length : place, 0, row);
  };
  const all = (node: Node, wildFrom: number): void => {
    for (const byte of [...node.children.keys()].toSorted()) all(node.children.get(byte) as Node, wildFrom);
    if (fnmatch(node.text.slice(wildFrom), name.slice(wildFrom))) node.values.forEach(add);
  };
  let node: Node | undefined = grow(rows, 0, 0);
  let i = 0;
  while (node !== undefined) {
    for (const byte of node.prefix) {
      if ('*?['.includes(byte)) {
        all(node, i);
        return found;
      }
      if (byte !== name[i]) return found;
      i++;
    }
    for (const byte of '*?[') {
      const child = node.children.get(byte);
      if (child !== undefined) all(child, i);
    }
    if (i === name.length) {
      node.values.forEach(add);
      return found;
    }
    node = node.children.get(name[i] as string);
    i++;
  }
  return found;
}

/** The compressed trie of rows that agree up to `length`; the prefix begins at `start`. The root has none. */
function grow(rows: readonly Row[], start: number, length: number): Node {
  const text = rows[0]?.[0].slice(0, length) ?? '';
  const values: Row[] = [];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const byte = row[0][length];
    if (byte === undefined) {
      const place = values.findIndex(([, , priority]) => priority >= row[2]);
      values.splice(place < 0 ? values.length : place, 0, row);
    } else {
      groups.set(byte, [...(groups.get(byte) ?? []), row]);
    }
  }
  const children = new Map([...groups].map(([byte, group]) => [byte, grow(group, length + 1, agreement(group))]));
  return { text, prefix: text.slice(start), values, children };
}

function agreement(rows: readonly Row[]): number {
  const [first = ['', '', 0], ...others] = rows;
  let length = first[0].length;
  for (const [key] of others) {
    let same = 0;
    while (same < length && key[same] === first[0][same]) same++;
    length = same;
  }
  return length;
}
