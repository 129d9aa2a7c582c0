import t from 'tap';
import { buildsProgress, type BuildNodeTimes } from '../../../../agent/dkms/run/autoinstall/build-forecast.ts';

/** A build of `expected` seconds that began and ended at these seconds. */
function node(name: string, expected: number | undefined, begun?: number, ended?: number): BuildNodeTimes {
  return {
    name,
    expected,
    ...(begun === undefined ? {} : { begun: begun * 1000 }),
    ...(ended === undefined ? {} : { ended: ended * 1000 }),
  };
}

const ROWS: ReadonlyArray<
  readonly [rule: string, nodes: readonly BuildNodeTimes[], slots: number, left: number | undefined]
> = [
  ['nobody timed any', [node('a', undefined, 0), node('b', undefined)], 2, undefined],
  ['all of it, one at a time', [node('a', 20, 0), node('b', 40)], 1, 50],
  ['shared among the slots', [node('a', 30, 10), node('b', 30, 10), node('c', 30)], 2, 45],
  ['no more slots than builds', [node('a', 30)], 8, 30],
  ['the longest decides', [node('a', 100, 5), node('b', 10), node('c', 10)], 4, 95],
  ['one that takes longer than the last time', [node('a', 5, 0), node('b', 5)], 1, 5],
  ['an untimed one is average', [node('a', 20), node('b', 40), node('c', undefined)], 1, 90],
  ['what has ended counts as it was', [node('a', undefined, 0, 8), node('b', undefined)], 1, 8],
  [
    'one that failed says nothing of the others',
    [{ ...node('a', undefined, 0, 1), failed: true }, node('b', 30)],
    1,
    30,
  ],
  ['nor alone', [{ ...node('a', 20, 0, 1), failed: true }, node('b', undefined)], 1, undefined],
  ['nothing is left', [node('a', 20, 0, 9)], 2, 0],
];
for (const [rule, nodes, slots, left] of ROWS) {
  t.test(rule, async (t) => {
    t.equal(buildsProgress(nodes, slots, 10_000).secondsLeft, left);
  });
}

t.test('how many are built, and which run', async (t) => {
  const nodes = [node('a', 1, 0, 5), node('b', 1, 5), node('c', 1)];
  t.match(buildsProgress(nodes, 2, 6000), { built: 1, total: 3, running: ['b'] });
});
