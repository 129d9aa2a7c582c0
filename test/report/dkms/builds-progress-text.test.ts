import t from 'tap';
import { buildsProgressText } from '../../../agent/report/dkms/builds-progress-text.ts';

const ROWS: ReadonlyArray<readonly [secondsLeft: number | undefined, running: readonly string[], text: string]> = [
  [undefined, ['a/1 for 6.1'], '1 of 3 built: a/1 for 6.1'],
  [39.2, ['a/1 for 6.1', 'b/2 for 6.1'], '1 of 3 built, about 40 s left: a/1 for 6.1, b/2 for 6.1'],
  [0, ['a/1 for 6.1'], '1 of 3 built: a/1 for 6.1'],
  [89, [], '1 of 3 built, about 89 s left'],
  [90, [], '1 of 3 built, about 2 min left'],
  [5399, [], '1 of 3 built, about 2 h left'],
];
for (const [secondsLeft, running, text] of ROWS) {
  t.test(text, async (t) => {
    t.equal(buildsProgressText({ built: 1, total: 3, running, secondsLeft }), text);
  });
}
