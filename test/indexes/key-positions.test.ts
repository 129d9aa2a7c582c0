import t from 'tap';
import { FLOOR, POINT, positions, SET } from '../../agent/indexes/key-positions.ts';
import { startAt } from './positions-rig.ts';
import { Random } from '../fixtures/random.ts';

const NAMES = { [POINT]: 'point', [FLOOR]: 'floor', [SET]: 'set' } as const;

/** `point 3`, `floor 2` or `set 1,4,7`. */
function state(): string {
  const { kind, a, count, kept } = positions;
  const numbers = kind === SET ? [...kept.subarray(a, a + count)].join(',') : `${a}`;
  return `${NAMES[kind as keyof typeof NAMES]} ${numbers}`;
}

const take = (text: string) => () => positions.takeBytes(Buffer.from(text, 'latin1'), 0, text.length);
const first = (text: string) => () => positions.takeFirst(Buffer.from(text, 'latin1'), 0, text.length);
const bracket = (text: string) => () => positions.takeBracket(`x${text}`, 1);
const one = () => positions.takeOne();
const star = () => {
  positions.takeStar();
  return true;
};

const STEPS: ReadonlyArray<
  readonly [rule: string, name: string, from: string, step: () => boolean, expected: string | false]
> = [
  ['bytes at a point', 'abcab', 'point 0', take('abc'), 'point 3'],
  ['other bytes at a point', 'abcab', 'point 0', take('abd'), false],
  ['bytes that go past the end of the name', 'abcab', 'point 3', take('abc'), false],
  ['bytes behind a star, found once', 'abcab', 'floor 0', take('bc'), 'point 3'],
  ['bytes behind a star, found twice', 'abcab', 'floor 0', take('ab'), 'set 2,5'],
  ['bytes behind a star, above the floor only', 'abcab', 'floor 1', take('ab'), 'point 5'],
  ['bytes behind a star, not there', 'abcab', 'floor 0', take('x'), false],
  ['occurrences may overlap', 'aaaa', 'floor 0', take('aa'), 'set 2,3,4'],
  ['bytes of a set: some positions stay', 'abacad', 'set 0,2,4', take('ac'), 'point 4'],
  ['bytes of a set: none stays', 'abacad', 'set 0,2,4', take('x'), false],
  ['between two stars the first occurrence is enough', 'abcab', 'floor 0', first('ab'), 'floor 2'],
  ['… above the floor', 'abcab', 'floor 1', first('ab'), 'floor 5'],
  ['… that is not there', 'abcab', 'floor 0', first('abd'), false],
  ['a star at a point', 'abc', 'point 2', star, 'floor 2'],
  ['a star behind a star', 'abc', 'floor 1', star, 'floor 1'],
  ['a star of a set begins at its least', 'abcab', 'set 2,5', star, 'floor 2'],
  ['any byte at a point', 'abc', 'point 2', one, 'point 3'],
  ['any byte at the end of the name', 'abc', 'point 3', one, false],
  ['any byte behind a star', 'abc', 'floor 2', one, 'floor 3'],
  ['any byte behind a star at the end', 'abc', 'floor 3', one, false],
  ['any byte of a set, except at the end', 'abcab', 'set 2,4,5', one, 'set 3,5'],
  ['a set of one is a point', 'abcab', 'set 2,5', one, 'point 3'],
  ['a bracket at a point', 'a1', 'point 1', bracket('[0-9]'), 'point 2'],
  ['a bracket that does not take the byte', 'ab', 'point 1', bracket('[0-9]'), false],
  ['a bracket at the end of the name', 'a', 'point 1', bracket('[!x]'), false],
  ['a bracket behind a star', 'a1b2', 'floor 0', bracket('[0-9]'), 'set 2,4'],
  ['a bracket of a set', 'a1b2', 'set 1,2', bracket('[0-9]'), 'point 2'],
];
t.test('from positions to positions', (t) => {
  for (const [rule, name, from, step, expected] of STEPS) {
    startAt(name, from);
    const stays = step();
    t.equal(stays ? state() : stays, expected, rule);
  }
  t.end();
});

const ENDS: ReadonlyArray<readonly [from: string, atEnd: boolean]> = [
  ['point 3', true],
  ['point 2', false],
  ['floor 0', true],
  ['floor 3', true],
  ['set 1,3', true],
  ['set 1,2', false],
];
for (const [from, atEnd] of ENDS) {
  t.test(`a pattern that ends at ${from} of three bytes ${atEnd ? 'matches' : 'does not match'}`, (t) => {
    startAt('abc', from);
    t.equal(positions.atEnd(), atEnd);
    t.end();
  });
}

t.test('characters that are not bytes match no byte', (t) => {
  startAt('a\u0142b', 'point 1');
  t.equal(take('\x42')(), false, 'not their lower half');
  startAt('a\u0142b', 'point 1');
  t.equal(take('B')(), false);
  startAt('a\u0142b', 'point 1');
  t.ok(one());
  t.ok(take('b')());
  t.ok(positions.atEnd());
  t.end();
});

t.test('a name longer than any before', (t) => {
  const name = `${'a'.repeat(5000)}b`;
  startAt(name, 'floor 0');
  t.equal(take('ab')(), true);
  t.equal(state(), 'point 5001');
  t.ok(positions.atEnd());
  t.end();
});

t.test('more positions than any real index needs', (t) => {
  startAt('a', 'point 0');
  t.equal(positions.reserve(1 << 20), true);
  t.ok(positions.kept.length >= 1 << 20);
  t.equal(positions.reserve((1 << 22) + 1), false);
  t.end();
});

t.test('collecting for children leaves the positions as they are', (t) => {
  const b = 'b'.charCodeAt(0);
  const x = 'x'.charCodeAt(0);
  startAt('abxab', 'floor 0');
  let end = positions.collect(b, 0, positions.find(b, 0), 0);
  t.same([...positions.kept.subarray(0, end)], [2, 5], 'behind the byte');
  end = positions.collect(b, x, positions.find(b, 0), 0);
  t.same([...positions.kept.subarray(0, end)], [2], 'where a second byte follows');
  t.equal(state(), 'floor 0');

  startAt('abxab', 'set 1,3,5');
  const { top } = positions;
  t.same([...positions.kept.subarray(top, positions.collect(b, 0, 0, top))], [2]);
  t.same([...positions.kept.subarray(top, positions.collectNext(top))], [2, 4], 'one byte on, except at the end');
  t.same([...positions.kept.subarray(top, positions.copy(top))], [1, 3, 5]);
  const marks = new Uint8Array(256);
  positions.mark(marks, 1);
  t.same(
    [...marks.entries()].filter(([, mark]) => mark === 1).map(([byte]) => byte),
    [0, 'a'.charCodeAt(0), b],
  );
  positions.mark(marks, 0);
  t.ok(marks.every((mark) => mark === 0));
  t.equal(state(), 'set 1,3,5');
  t.end();
});

/** The same steps on a plain set of numbers. */
function model(name: string, from: readonly number[], step: string): readonly number[] {
  if (step === '*') return [...Array(name.length + 1).keys()].filter((p) => p >= Math.min(...from));
  if (step === '?') return from.filter((p) => p < name.length).map((p) => p + 1);
  return from.filter((p) => name.startsWith(step, p)).map((p) => p + step.length);
}

t.test('agrees with plain sets of numbers (seeded)', (t) => {
  const random = new Random(11);
  const expand = () => {
    const { kind, a, count, kept, length } = positions;
    if (kind === POINT) return [a];
    if (kind === FLOOR) return Array.from({ length: length + 1 - a }, (_, i) => a + i);
    return [...kept.subarray(a, a + count)];
  };
  let ended = 0;
  let sets = 0;
  for (let round = 0; round < 5000; round++) {
    const name = random.text('aab', 0, 12);
    startAt(name, 'point 0');
    let expected: readonly number[] = [0];
    const steps: string[] = [];
    for (let i = 0; i < 6; i++) {
      const step = random.of(['*', '?', 'a', 'b', 'ab', 'aa']);
      steps.push(step);
      expected = model(name, expected, step);
      const stays = step === '*' ? star() : step === '?' ? one() : take(step)();
      if (stays !== expected.length > 0 || (stays && expand().join() !== expected.join())) {
        t.fail(`${name}: ${steps.join(' ')}: ${stays ? expand().join() : 'none'}, not ${expected.join()}`);
        t.end();
        return;
      }
      if (!stays) {
        ended++;
        break;
      }
      if (positions.kind === SET) sets++;
      if (positions.atEnd() !== (expected.at(-1) === name.length)) t.fail(`${name}: ${steps.join(' ')}: the end`);
    }
  }
  t.ok(ended > 500 && sets > 500, `${ended} ended, ${sets} were sets`);
  t.end();
});
