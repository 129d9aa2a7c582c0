import t from 'tap';
import { chosenMake, chosenPatches } from '../../../agent/dkms/conf/conf-choice.ts';

/** `['a', , 'c']`: elements by their indexes. */
function elements<T>(list: readonly T[]): ReadonlyMap<number, T> {
  return new Map(list.flatMap((value, index) => (value === undefined ? [] : [[index, value] as const])));
}

function made(make: readonly string[], patterns: readonly string[], fits: readonly boolean[]): string | undefined {
  const values = new Map([
    ['MAKE', elements(make)],
    ['MAKE_MATCH', elements(patterns)],
  ]);
  return chosenMake(values, new Map([['MAKE_MATCH', elements(fits)]]));
}

t.test('the command for the kernel', async (t) => {
  t.equal(made([], [], []), undefined, 'none is written: the default');
  t.equal(made(['a'], [], []), 'a', 'the first needs no pattern');
  t.equal(made(['a', 'b'], [], []), 'a', 'a later one needs one');
  t.equal(made(['a', 'b', 'c'], ['', '6', '6'], [false, true, true]), 'c', 'the last that fits');
  t.equal(made(['a', 'b'], ['', '7'], [false, false]), 'a', 'the first where none fits');
  t.equal(made(['a', 'b'], ['7', '7'], [false, false]), undefined, 'the first has a pattern, too');
  t.equal(made(['', 'b'], ['', '7'], [false, false]), undefined, 'an empty one is none');
});

t.test('the patches for the kernel', async (t) => {
  const patches = (names: readonly string[], patterns: readonly string[], fits: readonly boolean[]) =>
    chosenPatches(
      new Map([
        ['PATCH', new Map([...elements(names)].toReversed())],
        ['PATCH_MATCH', elements(patterns)],
      ]),
      new Map([['PATCH_MATCH', elements(fits)]]),
    );
  t.same(patches([], [], []), []);
  t.same(patches(['a', 'b', 'c'], [], []), ['a', 'b', 'c'], 'without a pattern each, in the order of the indexes');
  t.same(patches(['a', 'b', 'c'], ['', '7', '6'], [false, false, true]), ['a', 'c'], 'those that fit');
  t.same(patches(['a', '', 'c'], [], []), ['a', 'c'], 'an empty one is none');
});
