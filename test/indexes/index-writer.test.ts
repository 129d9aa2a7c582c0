import t from 'tap';
import { IndexBuilder } from '../../agent/indexes/index-writer.ts';
import { IndexTrie } from '../../agent/indexes/trie.ts';
import { indexBytes, type Row } from '../fixtures/index.ts';
import { Random } from '../fixtures/random.ts';

const hex = (bytes: Buffer) => bytes.toString('hex').toUpperCase();
const plain = (text: string) => text.replaceAll(/\s+/g, '');

// Bytes by hand; test/oracle/indexes/index-bytes.test.ts compares with what Debian's depmod wrote.
const GOLDEN: ReadonlyArray<readonly [rule: string, rows: readonly Row[], childrenFirst: string, parentFirst: string]> =
  [
    ['nothing', [], 'B007F457 00020001 0000000C', 'B007F457 00020001 0000000C'],
    [
      'one key: the root has no prefix',
      [['ab', 'm', 1]],
      'B007F457 00020001 20000018  6200 00000001 00000001 6D00  6161 C000000C',
      'B007F457 00020001 2000000C  6161 C0000012  6200 00000001 00000001 6D00',
    ],
    [
      'the empty key is the root',
      [['', 'm', 0]],
      'B007F457 00020001 4000000C 00000001 00000000 6D00',
      'B007F457 00020001 4000000C 00000001 00000000 6D00',
    ],
    [
      'a split, a hole, a value on the way',
      [
        ['abd', 'p', 3],
        ['ab', 'm', 1],
        ['abb', 'n', 2],
      ],
      `B007F457 00020001 2000003A
     00000001 00000002 6E00  00000001 00000003 7000
     6200 6264 4000000C 00000000 40000016 00000001 00000001 6D00
     6161 E0000020`,
      `B007F457 00020001 2000000C
     6161 E0000012
     6200 6264 4000002C 00000000 40000036 00000001 00000001 6D00
     00000001 00000002 6E00  00000001 00000003 7000`,
    ],
    [
      'values: ascending by priority, a new one before its equals, repeated ones stay',
      [
        ['k', 'a', 5],
        ['k', 'b', 2],
        ['k', 'c', 5],
        ['k', 'c', 5],
        ['k', 'd', 9],
      ],
      `B007F457 00020001 2000002E
     00000005 00000002 6200 00000005 6300 00000005 6300 00000005 6100 00000009 6400
     6B6B 4000000C`,
      `B007F457 00020001 2000000C
     6B6B 40000012
     00000005 00000002 6200 00000005 6300 00000005 6300 00000005 6100 00000009 6400`,
    ],
  ];
for (const [rule, rows, childrenFirst, parentFirst] of GOLDEN) {
  t.test(rule, (t) => {
    t.equal(hex(indexBytes(rows)), plain(childrenFirst));
    t.equal(hex(indexBytes(rows, 'children-first')), plain(childrenFirst), 'is the default');
    t.equal(hex(indexBytes(rows, 'parent-first')), plain(parentFirst));
    t.end();
  });
}

t.test('keys that cannot stand in an index', (t) => {
  const builder = new IndexBuilder();
  t.equal(builder.insert('a'.repeat(4095), 'm', 0), true);
  for (const key of ['a'.repeat(4096), 'caf\xe9', 'a\0b', '\u0142'])
    t.equal(builder.insert(key, 'm', 0), false, key.slice(0, 5));
  t.same(
    [...new IndexTrie(builder.build(), 'x').entries()].map(({ key }) => key.length),
    [4095],
  );
  t.end();
});

t.test('a builder can build twice, and go on', (t) => {
  const builder = new IndexBuilder();
  builder.insert('a', 'm', 0);
  const first = builder.build();
  t.same(builder.build(), first);
  builder.insert('b', 'n', 0);
  t.same([...new IndexTrie(builder.build('parent-first'), 'x').entries()].length, 2);
  t.end();
});

t.test('what goes in comes out, in both layouts, in any order of insertion (seeded)', (t) => {
  const random = new Random(5);
  for (let round = 0; round < 200; round++) {
    const rows = Array.from({ length: random.below(60) }, (_, i): Row => [
      random.text('ab*[\x01\x7f', 0, 6),
      `m${i}`,
      random.below(4),
    ]);
    const first = indexBytes(rows, 'children-first');
    const second = indexBytes(rows, 'parent-first');
    const entries = [...new IndexTrie(first, 'x').entries()];
    const expected = rows
      .map(([key, value, priority], i) => ({ key, value, priority, i }))
      .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.priority - b.priority || b.i - a.i))
      .map(({ key, value, priority }) => ({ key, value, priority }));
    t.same(entries, expected);
    t.same([...new IndexTrie(second, 'x').entries()], expected);
    t.equal(first.length, second.length);
    // Keys without repeats: the order of insertion does not show.
    const unique = [...new Map(rows.map((row) => [row[0], row])).values()];
    t.same(indexBytes(unique), indexBytes(unique.toReversed()));
  }
  t.end();
});

t.test('values may be long and of any bytes', (t) => {
  const long = `kernel/x.ko: ${'kernel/y.ko '.repeat(20_000)}\xff`;
  t.equal(new IndexTrie(indexBytes([['x', long, 1]]), 'x').exact('x'), long);
  t.end();
});
