import t from 'tap';
import { hasGaps, type ClosureGap } from '../../agent/records/closure.ts';

const ROWS: ReadonlyArray<readonly [kinds: ReadonlyArray<ClosureGap['kind']>, expected: boolean]> = [
  [[], false],
  [['firmware'], false],
  [['firmware', 'driver'], true],
  [['kept-out'], false],
  [['module'], true],
  [['name'], true],
  [['machine'], true],
];

for (const [kinds, expected] of ROWS) {
  t.test(kinds.join(' and ') || 'nothing is missing', (t) => {
    t.equal(hasGaps({ missing: kinds.map((kind) => ({ kind, name: 'x', because: '' })) }), expected);
    t.end();
  });
}
