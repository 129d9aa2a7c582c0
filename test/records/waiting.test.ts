import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { sameWaiting, type Waiting } from '../../agent/records/waiting.ts';

const insertion = (module: string, ms: number): Waiting => ({ kind: 'insertion', module: module as ModuleName, ms });
const queued = (module: string): Waiting => ({ kind: 'queued', module: module as ModuleName });
const wanted = (why?: string): Waiting => ({ kind: 'module', module: 'a' as ModuleName, why });

type Pair = readonly [rule: string, a: readonly Waiting[], b: readonly Waiting[], same: boolean];
const PAIRS: readonly Pair[] = [
  ['nothing and nothing', [], [], true],
  ['nothing and something', [], [{ kind: 'bus' }], false],
  ['the same, later', [insertion('a', 1)], [insertion('a', 9.5)], true],
  ['another module', [insertion('a', 1)], [insertion('b', 1)], false],
  ['a name that differs in one byte', [insertion('m\xe9', 1)], [insertion('m\xe8', 1)], false],
  ['its turn came', [queued('a')], [insertion('a', 0)], false],
  ['another number of uevents', [{ kind: 'uevents', count: 1 }], [{ kind: 'uevents', count: 2 }], false],
  ['other workers', [{ kind: 'workers', workers: ['x'] }], [{ kind: 'workers', workers: ['x', 'y'] }], false],
  ['another kind', [{ kind: 'rescan' }], [{ kind: 'reading' }], false],
  ['one ended', [queued('a'), queued('b')], [queued('a')], false],
  ['another order', [queued('a'), queued('b')], [queued('b'), queued('a')], false],
  ['a reason that became known', [wanted()], [wanted('blacklisted')], false],
  [
    'a reason that is not there, and one that is undefined',
    [wanted()],
    [{ kind: 'module', module: 'a' as ModuleName }],
    true,
  ],
  [
    'a device that came and has not been heard of',
    [{ kind: 'device', device: 'sda', there: false }],
    [{ kind: 'device', device: 'sda', there: true }],
    false,
  ],
];
for (const [rule, a, b, same] of PAIRS) {
  t.test(rule, (t) => {
    t.equal(sameWaiting(a, b), same);
    t.equal(sameWaiting(b, a), same, 'both ways');
    t.equal(sameWaiting(a, a), true, 'and each is the same as itself');
    t.end();
  });
}
