import t from 'tap';
import { share } from './share.ts';

t.test('a share of rows', async (t) => {
  const rows: ReadonlyArray<
    readonly [every: number, whole: boolean, list: readonly number[], expected: readonly number[]]
  > = [
    [2, false, [0, 1, 2, 3, 4, 5], [0, 2, 4, 5]],
    [3, false, [0, 1, 2, 3, 4, 5, 6], [0, 3, 6]],
    [9, false, [0, 1], [0, 1]],
    [5, false, [], []],
    [1, false, [0, 1, 2], [0, 1, 2]],
    [4, true, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]],
  ];
  for (const [every, whole, list, expected] of rows)
    t.same(share(list, every, whole), expected, `${list.length} by ${every}${whole ? ', whole' : ''}`);
});
