import t from 'tap';
import { CLOCK, every } from '../../agent/base/clock.ts';
import { MovedClock } from './moved-clock.ts';

t.test('the machine’s clock never goes back, and a timer comes no earlier than it was told to', async (t) => {
  const before = CLOCK.now();
  await new Promise<void>((resolve) => {
    CLOCK.after(20, resolve);
  });
  // Node counts whole milliseconds.
  t.ok(CLOCK.now() - before >= 19);
});

t.test('a timer that was called off does nothing', async (t) => {
  const done: string[] = [];
  const callOff = CLOCK.after(0, () => done.push('called off'));
  callOff();
  callOff();
  // Timers of one length end in the order in which they began.
  await new Promise<void>((resolve) => {
    CLOCK.after(0, resolve);
  });
  t.same(done, []);
});

t.test('the clock of the tests', (t) => {
  const clock = new MovedClock();
  const done: string[] = [];
  const note = (name: string) => () => done.push(`${name} at ${clock.now()}`);
  clock.after(20, note('second'));
  clock.after(10, () => {
    note('first')();
    clock.after(5, note('its own'));
  });
  const callOff = clock.after(12, note('called off'));
  t.same(clock.pending, [10, 12, 20]);
  clock.move(9);
  t.same(done, []);
  callOff();
  clock.move(30);
  t.same(done, ['first at 10', 'its own at 15', 'second at 20']);
  t.equal(clock.now(), 39);
  t.same(clock.pending, []);
  t.end();
});

t.test('work that is done again and again, until it is ended, also by itself', (t) => {
  const clock = new MovedClock();
  const done: number[] = [];
  const stop = every(clock, 10, () => done.push(clock.now()));
  clock.move(35);
  t.same(done, [10, 20, 30]);
  stop();
  clock.move(30);
  t.same([done.length, clock.pending], [3, []]);
  const stopItself = every(clock, 10, () => stopItself());
  clock.move(10);
  t.same(clock.pending, []);
  t.end();
});
