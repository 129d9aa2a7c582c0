import t from 'tap';
import { ChildNodes } from '../../agent/indexes/child-nodes.ts';
import { FLOOR, KIND, POINT, positions, SET } from '../../agent/indexes/key-positions.ts';
import { NodeReader } from '../../agent/indexes/node-reader.ts';
import { BRACKET, ENTRY, ESCAPED, stack } from '../../agent/indexes/node-stack.ts';
import { indexBytes } from '../fixtures/index.ts';
import { startAt } from './positions-rig.ts';

/** The table of children of the root of an index with these keys. */
function tableOf(keys: readonly string[]) {
  const reader = new NodeReader(indexBytes(keys.map((key) => [key, 'm', 0])), (offset, what) => {
    throw new Error(`${what} @${offset}`);
  });
  return { children: new ChildNodes(reader), at: reader.offset(reader.reference(8)), reader };
}

/** Starts at a position of a name, with an empty stack. */
function start(name: string, from: string): void {
  startAt(name, from);
  stack.begin(name);
}

/** The entries on the stack, in the order of pushing: `a→point 1`, with `\` for ESCAPED and `[` for BRACKET. */
function pushed(): string[] {
  const entries: string[] = [];
  for (let at = 0; at < stack.pointer; at += ENTRY) {
    const [, flags = 0, a = 0, b = 0, byte = 0] = stack.entries.subarray(at, at + ENTRY);
    const kind = flags & KIND;
    const numbers = kind === SET ? [...positions.kept.subarray(a, a + b)].join() : `${a}`;
    const marks = `${flags & ESCAPED ? '\\' : ''}${flags & BRACKET ? '[' : ''}`;
    const name = kind === POINT ? 'point' : kind === FLOOR ? 'floor' : 'set';
    entries.push(`${String.fromCharCode(byte & 0xff)}→${marks}${name} ${numbers}`);
  }
  return entries;
}

const PUSHES: ReadonlyArray<
  readonly [rule: string, keys: string, name: string, from: string, flags: number, expected: string]
> = [
  ['behind a star: no child whose byte does not occur', 'd e', 'abc', 'floor 0', 0, ''],
  ['… or whose next byte does not follow', 'ax bx', 'abc', 'floor 0', 0, ''],
  ['… but those whose byte and next byte do', 'ab bc', 'abc', 'floor 0', 0, 'a→point 1 b→point 2'],
  ['… or whose next byte is a wildcard', 'a* bx', 'abc', 'floor 0', 0, 'a→point 1'],
  ['… or that end', 'a b c d', 'abc', 'floor 0', 0, 'a→point 1 b→point 2 c→point 3'],
  ['… above the floor', 'a b', 'abca', 'floor 1', 0, 'a→point 4 b→point 2'],
  ['… at several positions', 'a b', 'abaa', 'floor 0', 0, 'a→set 1,3,4 b→point 2'],
  [
    'from a set: the children whose byte is at one of its positions',
    'a b c',
    'abcab',
    'set 1,3',
    0,
    'a→point 4 b→point 2',
  ],
  ['… several of its positions', 'a b', 'abcab', 'set 0,3', 0, 'a→set 1,4'],
  ['a star keeps a floor', '* a', 'xx', 'floor 1', 0, '*→floor 1'],
  ['a star makes a floor of a set, from its least position', '*', 'abcab', 'set 2,5', 0, '*→floor 2'],
  ['a question mark raises a floor', '?', 'abc', 'floor 1', 0, '?→floor 2'],
  ['… except at the end of the name', '?', 'abc', 'floor 3', 0, ''],
  ['a question mark moves a set', '?', 'abc', 'set 1,3', 0, '?→set 2'],
  ['a bracket stays open, before its byte', '[ab]', 'abc', 'floor 1', 0, '[→[floor 1'],
  ['a backslash means the next byte', '\\*', 'abc', 'floor 1', 0, '\\→\\floor 1'],
  ['behind a backslash a wildcard is a byte', '* ? a', 'a*b', 'floor 0', ESCAPED, '*→point 2 a→point 1'],
  ['behind a backslash, from a set', '* ? a', 'a*b', 'set 0,1', ESCAPED, '*→point 2 a→point 1'],
  ['inside a bracket every child can follow', 'a b ]', 'xyz', 'point 1', BRACKET, ']→[point 1 a→[point 1 b→[point 1'],
  ['… with a floor', 'a *', 'xyz', 'floor 2', BRACKET, '*→[floor 2 a→[floor 2'],
  ['… with a set of its own each', 'a b', 'xyz', 'set 0,2', BRACKET, 'a→[set 0,2 b→[set 0,2'],
];
t.test('the children that positions can reach, in order of bytes', (t) => {
  for (const [rule, keys, name, from, flags, expected] of PUSHES) {
    const { children, at } = tableOf(keys.split(' '));
    start(name, from);
    children.push(at, 0, flags, 1);
    t.equal(pushed().join(' '), expected, rule);
    start(name, from);
    children.push(at, 0, flags, 1);
    t.equal(pushed().join(' '), expected, `${rule}: the remembered table gives the same`);
  }
  t.end();
});

const POINTS: ReadonlyArray<
  readonly [rule: string, keys: string, name: string, a: number, special: boolean, expected: string, goesOn: string]
> = [
  ["the child behind the name's byte is returned, not pushed", 'a b c', 'abc', 1, true, '', 'b'],
  ['no child behind the byte', 'a c', 'abc', 1, true, '', ''],
  ['a byte outside the table', 'b c', 'abc', 0, true, '', ''],
  ['the end of the name', 'a b', 'ab', 2, true, '', ''],
  ['a child whose next byte differs', 'bx by', 'bc', 0, true, '', 'b'],
  ['… is not entered when all keys behind it go on like that', 'bx', 'bc', 0, true, '', ''],
  ['wildcards before it are pushed', '* ? a', 'abc', 0, true, '*→floor 0 ?→point 1', 'a'],
  ['a byte below a wildcard is pushed in its order', '! * ?', '!', 0, true, '!→point 1 *→floor 0 ?→point 1', ''],
  ['a question mark needs a byte', '* ?', 'a', 1, true, '*→floor 1', ''],
  ['a bracket and a backslash', '[a] \\*', 'a', 0, true, '[→[point 0 \\→\\point 0', ''],
  ['a wildcard in the name is only matched by wildcards', '* a', '*', 0, true, '*→floor 0', ''],
  ['behind a backslash it is a byte', '* a', '*', 0, false, '', '*'],
];
t.test('at a point', (t) => {
  for (const [rule, keys, name, a, special, expected, goesOn] of POINTS) {
    const { children, at, reader } = tableOf(keys.split(' '));
    start(name, `point ${a}`);
    const node = children.pushAtPoint(at, 0, special);
    t.equal(pushed().join(' '), expected, rule);
    const first = reader.bytes[at] ?? 0;
    const reference = goesOn === '' ? 0 : reader.reference(at + 2 + 4 * (goesOn.charCodeAt(0) - first));
    t.equal(node, reference, `${rule}: goes on with '${goesOn}'`);
  }
  t.end();
});

t.test('a table of every byte, none of them in the name', (t) => {
  const every = Array.from({ length: 126 }, (_, i) => String.fromCharCode(i + 1));
  const { children, at } = tableOf(every);
  start('\xff\xfe', 'floor 0');
  children.push(at, 0, 0, 1);
  t.same(pushed(), ['*→floor 0', '?→floor 1', '[→[floor 0', '\\→\\floor 0']);
  t.end();
});
