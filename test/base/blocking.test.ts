import t from 'tap';
import { whenReady } from '../../agent/base/blocking.ts';

const failing = (errno: number): Error => Object.assign(new Error('no'), { errno: -errno });

t.test('a call that would wait is repeated until it has a value', (t) => {
  let calls = 0;
  const value = whenReady(() => {
    calls++;
    if (calls < 4) throw failing(11);
    return 'read';
  });
  t.equal(value, 'read');
  t.equal(calls, 4);
  t.end();
});

t.test("any other failure is the caller's", (t) => {
  let calls = 0;
  const epipe = failing(32);
  t.throws(() => {
    whenReady(() => {
      calls++;
      throw epipe;
    });
  }, epipe);
  t.equal(calls, 1);
  t.end();
});
