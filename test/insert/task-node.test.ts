import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { createNode, foremost, raise, URGENT, waitsFor, type Node } from '../../agent/insert/task-node.ts';

function node(name: string, rest: { rank?: number; height?: number } = {}): Node<string> {
  const made = createNode({ module: name as ModuleName, after: [], run: async () => 'done' }, 0n);
  return Object.assign(made, rest);
}

const FOREMOST: ReadonlyArray<
  readonly [rule: string, ready: ReadonlyArray<Node<string>>, full: boolean, expected: string | undefined]
> = [
  ['nothing is ready', [], false, undefined],
  ['the first of equals', [node('a'), node('b')], false, 'a'],
  ['the higher rank', [node('a'), node('b', { rank: 1 })], false, 'b'],
  ['of one rank, the longer chain behind it', [node('a'), node('b', { height: 2 })], false, 'b'],
  ['rank before height', [node('a', { height: 9 }), node('b', { rank: 1 })], false, 'b'],
  ['an urgent one before all', [node('a', { rank: 9, height: 9 }), node('b', { rank: URGENT })], false, 'b'],
  ['at the limit, none', [node('a', { rank: 9 })], true, undefined],
  ['at the limit, an urgent one', [node('a', { rank: 9 }), node('b', { rank: URGENT })], true, 'b'],
];

for (const [rule, ready, full, expected] of FOREMOST) {
  t.test(`starts next: ${rule}`, (t) => {
    t.equal(foremost(ready, full)?.module, expected);
    t.end();
  });
}

t.test('a node waits for what those before it wait for', (t) => {
  const [a, b, c] = [node('a'), node('b'), node('c')];
  c.pending.add(b);
  b.pending.add(a);
  t.ok(waitsFor(c, a));
  t.notOk(waitsFor(a, c));
  t.ok(waitsFor(a, a), 'and for itself, so that no edge leads from a module to itself');
  t.end();
});

t.test('a height raises that of everything before it, and never falls', (t) => {
  const [a, b, c] = [node('a'), node('b', { height: 5 }), node('c')];
  c.pending.add(b).add(a);
  raise(c, 3);
  t.same([a.height, b.height, c.height], [4, 5, 3]);
  raise(c, 2);
  t.equal(c.height, 3);
  t.end();
});
