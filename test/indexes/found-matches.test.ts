import t from 'tap';
import { FoundMatches } from '../../agent/indexes/found-matches.ts';
import { NodeReader } from '../../agent/indexes/node-reader.ts';
import { stack } from '../../agent/indexes/node-stack.ts';

type Value = readonly [value: string, priority: number];

/** A file of value lists, and where each begins. */
function fileOf(...lists: ReadonlyArray<readonly Value[]>): {
  readonly reader: NodeReader;
  readonly at: readonly number[];
} {
  const at: number[] = [];
  let bytes = Buffer.alloc(12);
  const number = (n: number): Buffer => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n]);
  for (const list of lists) {
    at.push(bytes.length);
    const values = list.map(([value, priority]) =>
      Buffer.concat([number(priority), Buffer.from(`${value}\0`, 'latin1')]),
    );
    bytes = Buffer.concat([bytes, number(list.length), ...values]);
  }
  const reader = new NodeReader(bytes, (offset, what) => {
    throw new Error(`${what} @${offset}`);
  });
  return { reader, at };
}

/** What a search finds that adds these lists, in this order. */
function search(
  lists: ReadonlyArray<readonly Value[]>,
  repeats: boolean,
  order = [...lists.keys()],
): readonly string[] {
  const { reader, at } = fileOf(...lists);
  const found = new FoundMatches(reader);
  found.begin(repeats);
  stack.begin('key');
  stack.literal = 3;
  for (const list of order) found.add(at[list] ?? 0, -1);
  return found.inOrder().map(({ value, priority, pattern }) => {
    if (pattern !== 'key') throw new Error(`the pattern is ${pattern}`);
    return `${value} ${priority}`;
  });
}

const many = Array.from({ length: 40 }, (_, i): Value => [`m${i}`, (i * 7) % 40]);
const SEARCHES: ReadonlyArray<
  readonly [rule: string, lists: ReadonlyArray<readonly Value[]>, once: string, repeats: string, order?: number[]]
> = [
  ['nothing', [], '', ''],
  ['one', [[['a', 5]]], 'a 5', 'a 5'],
  ['ascending by priority', [[['b', 9]], [['a', 2]], [['c', 5]]], 'a 2,c 5,b 9', 'a 2,c 5,b 9'],
  ['equal ones in the order of adding', [[['b', 1]], [['a', 1]], [['c', 1]]], 'b 1,a 1,c 1', 'b 1,a 1,c 1'],
  [
    'the values of one list, the last one first',
    [
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ],
    ],
    'c 1,b 1,a 1',
    'c 1,b 1,a 1',
  ],
  [
    'a value that its list holds twice',
    [
      [
        ['a', 1],
        ['b', 1],
        ['a', 1],
      ],
    ],
    'a 1,b 1',
    'a 1,b 1,a 1',
  ],
  ['a list that is reached twice', [[['a', 1]], [['b', 1]]], 'a 1,b 1', 'a 1,b 1,a 1', [0, 1, 0]],
  ['one value of two lists is two matches', [[['a', 1]], [['a', 1]]], 'a 1,a 1', 'a 1,a 1'],
  ['a list without values', [[]], '', ''],
];
for (const [rule, lists, once, repeats, order] of SEARCHES) {
  t.test(rule, (t) => {
    t.equal(search(lists, false, order).join(), once, 'each once');
    t.equal(search(lists, true, order).join(), repeats, 'with repeats');
    t.end();
  });
}

t.test('more than a few are in the same order', (t) => {
  const lists = many.map((value) => [value]);
  const expected = many.toSorted((a, b) => a[1] - b[1]).map(([value, priority]) => `${value} ${priority}`);
  t.same(search(lists, false), expected);
  t.same(search(lists, false, [...lists.keys(), ...lists.keys()]), expected, 'each once');
  t.equal(search(lists, true, [...lists.keys(), ...lists.keys()]).length, 80, 'with repeats each twice');
  t.end();
});

t.test('add returns the offset behind the values', (t) => {
  const { reader, at } = fileOf(
    [
      ['ab', 1],
      ['c', 2],
    ],
    [['d', 3]],
  );
  const found = new FoundMatches(reader);
  found.begin(false);
  stack.begin('');
  stack.literal = 0;
  t.equal(found.add(at[0] ?? 0, -1), at[1]);
  t.equal(found.add(at[1] ?? 0, -1), reader.bytes.length);
  t.end();
});

t.test('a search that begins does not touch what an earlier one found', (t) => {
  const { reader, at } = fileOf([['a', 1]], [['b', 2]]);
  const found = new FoundMatches(reader);
  found.begin(false);
  found.add(at[0] ?? 0, -1);
  const before = found.inOrder();
  found.begin(false);
  found.add(at[1] ?? 0, -1);
  t.equal(before.map(({ value }) => value).join(), 'a');
  t.equal(
    found
      .inOrder()
      .map(({ value }) => value)
      .join(),
    'b',
  );
  found.begin(false);
  found.add(at[0] ?? 0, -1);
  t.equal(found.inOrder()[0], before[0], 'a value found again is not decoded again');
  t.end();
});

t.test('cut off at every length, it throws or has all values', (t) => {
  const list: readonly Value[] = [
    ['one', 1],
    ['two', 2],
    ['three', 3],
  ];
  const { reader } = fileOf(list);
  for (let length = 12; length <= reader.bytes.length; length++) {
    const cut = new FoundMatches(
      new NodeReader(reader.bytes.subarray(0, length), (offset, what) => {
        throw new Error(`${what} @${offset}`);
      }),
    );
    cut.begin(true);
    if (length === reader.bytes.length) t.equal(cut.add(12, -1), length);
    else t.throws(() => cut.add(12, -1), /the file ends inside a (value|string)/, `${length} bytes`);
  }
  t.end();
});
