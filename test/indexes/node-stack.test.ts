import t from 'tap';
import { HAS_PREFIX } from '../../agent/indexes/index-format.ts';
import { NodeReader } from '../../agent/indexes/node-reader.ts';
import { ENTRY, stack } from '../../agent/indexes/node-stack.ts';

/** Prefixes by name, and a reader over a file that holds them. */
function prefixes<Name extends string>(texts: Readonly<Record<Name, string>>) {
  let bytes = Buffer.alloc(12);
  const nodes = {} as Record<Name, number>;
  for (const name of Object.keys(texts) as Name[]) {
    nodes[name] = HAS_PREFIX | bytes.length;
    bytes = Buffer.concat([bytes, Buffer.from(`${texts[name]}\0`, 'latin1')]);
  }
  const reader = new NodeReader(bytes, (offset, what) => {
    throw new Error(`${what} @${offset}`);
  });
  return { nodes, reader };
}

t.test('entries come back as pushed, last first, however many', (t) => {
  stack.begin('name');
  t.equal(stack.pointer, 0);
  const count = 5000;
  for (let i = 0; i < count; i++) stack.push(i | HAS_PREFIX, 9, i, -i, i, i & 0xff, -1);
  t.equal(stack.pointer, count * ENTRY);
  for (let i = count - 1; i >= 0; i--) {
    const at = (stack.pointer -= ENTRY);
    const entry = [...stack.entries.subarray(at, at + ENTRY)];
    const expected = [i | HAS_PREFIX, 9, i, -i, (i << 8) | (i & 0xff), -1];
    if (entry.join() !== expected.join()) t.same(entry, expected, `entry ${i}`);
  }
  t.equal(stack.pointer, 0);
  t.end();
});

t.test('a new search begins with an empty stack', (t) => {
  stack.begin('one');
  stack.push(1, 0, 0, 0, 0, 0, 0);
  stack.begin('two');
  t.equal(stack.pointer, 0);
  t.end();
});

type Step = readonly [depth: number, node: 'ab' | 'star' | 'odd' | 'none', byte: string];
const TRAILS: ReadonlyArray<readonly [rule: string, literal: number, trail: readonly Step[], expected: string]> = [
  ['before the first wildcard: the literal part of the name', 4, [], 'pci:'],
  ['no literal part', 0, [[0, 'star', '']], '*d'],
  ['the literal part, then the byte that leads to a node, then its prefix', 4, [[0, 'ab', '*']], 'pci:*ab'],
  ['byte 0: the rest of a prefix, nothing leads to it', 4, [[0, 'star', '']], 'pci:*d'],
  ['a node without a prefix adds only its byte', 4, [[0, 'none', '*']], 'pci:*'],
  [
    'a deeper node adds to the ones above',
    4,
    [
      [0, 'none', '*'],
      [1, 'ab', 'x'],
      [2, 'star', 'y'],
    ],
    'pci:*xaby*d',
  ],
  [
    'a visit at a depth replaces what was visited there before',
    1,
    [
      [0, 'none', '*'],
      [1, 'ab', 'x'],
      [1, 'star', 'z'],
    ],
    'p*z*d',
  ],
  ['bytes of a prefix are latin1', 0, [[0, 'odd', '?']], '?\xe4\xff'],
];
t.test("the pattern of the walk's trail", (t) => {
  const { nodes, reader } = prefixes({ ab: 'ab', star: '*d', odd: '\xe4\xff', none: '' });
  for (const [rule, literal, trail, expected] of TRAILS) {
    stack.begin('pci:v0000');
    stack.literal = literal;
    for (const [depth, node, byte] of trail) {
      stack.visit(depth, node === 'none' ? 12 : nodes[node], byte === '' ? 0 : byte.charCodeAt(0));
    }
    t.equal(stack.pattern(reader, trail.at(-1)?.[0] ?? -1), expected, rule);
  }
  t.end();
});

t.test('a trail of 4,095 nodes, and a pattern as long as it takes', (t) => {
  const { nodes, reader } = prefixes({ ten: '0123456789' });
  stack.begin('');
  stack.literal = 0;
  for (let depth = 0; depth < 4095; depth++) stack.visit(depth, nodes.ten, 0x2a);
  t.equal(stack.pattern(reader, 4094), '*0123456789'.repeat(4095));
  t.equal(stack.pattern(reader, 0), '*0123456789', 'the trail above it stays');
  t.end();
});
