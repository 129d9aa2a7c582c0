import t from 'tap';
import { replayEnd } from '../../agent/records/replay.ts';

const ALL_KEPT = { kept: 3, lost: 0, replaced: 0, withoutFirmware: 0, unknown: 0, none: 2 };
const ROWS = [
  ['all kept', {}, 'kept'],
  ['one lost', { lost: 1 }, 'lost'],
  ['another driver', { replaced: 1 }, 'lost'],
  ['no firmware', { withoutFirmware: 1 }, 'lost'],
  ['some untold', { unknown: 2 }, 'untold'],
  ['a loss comes before what is untold', { lost: 1, unknown: 2 }, 'lost'],
] as const;
for (const [rule, counts, end] of ROWS) {
  t.test(rule, (t) => {
    t.equal(replayEnd({ ...ALL_KEPT, ...counts }), end);
    t.end();
  });
}
