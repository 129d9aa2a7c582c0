import t from 'tap';
import { LineQueue } from '../../../agent/report/logging/line-queue.ts';

const EAGAIN = -11;
const EPIPE = -32;
/** What waits at most, and what must be left before lines are taken again. */
const MOST = 1 << 20;
const ROOM = MOST / 2;

/** A queue whose reader takes so many bytes, or answers an error; timers run when the test says so. */
function bench() {
  const reader = { takes: Infinity, text: '', tries: 0 };
  const timers: Array<{ readonly work: () => void; readonly ms: number }> = [];
  const queue: LineQueue = new LineQueue({
    write: (bytes) => {
      reader.tries++;
      if (reader.takes < 0) return reader.takes;
      if (reader.takes === 0) return EAGAIN;
      const taken = bytes.subarray(0, reader.takes);
      reader.takes -= taken.length;
      reader.text += Buffer.from(taken).toString();
      return taken.length;
    },
    dropped: (count) => queue.write(`${count} dropped\n`),
    later: (work, ms) => timers.push({ work, ms }),
  });
  const elapse = () => {
    for (const { work } of timers.splice(0)) work();
  };
  return { reader, queue, timers, elapse };
}

const LINE = `${'x'.repeat(1023)}\n`;
const FULL = MOST / LINE.length;

t.test('a reader that reads gets each line at once', (t) => {
  const { reader, queue, timers } = bench();
  queue.write('a\n');
  queue.write('ö\n');
  t.equal(reader.text, 'a\nö\n');
  t.equal(queue.waiting, 0);
  t.equal(timers.length, 0);
  t.end();
});

t.test('lines wait in order, also in the middle of one', (t) => {
  const { reader, queue, timers, elapse } = bench();
  reader.takes = 3;
  queue.write('first\n');
  queue.write('second\n');
  t.equal(reader.text, 'fir');
  t.equal(queue.waiting, 10);
  t.equal(timers.length, 1, 'one timer, however many lines');
  t.equal(queue.flush(), false);
  t.equal(timers.length, 1, 'nor a second one for a try in between');
  reader.takes = Infinity;
  elapse();
  t.equal(reader.text, 'first\nsecond\n');
  t.equal(queue.flush(), true);
  t.equal(timers.length, 0);
  t.end();
});

t.test('a reader that takes something is tried again sooner', (t) => {
  const { reader, queue, timers, elapse } = bench();
  reader.takes = 0;
  queue.write('line\n');
  const nothing = timers[0]?.ms ?? 0;
  reader.takes = 2;
  elapse();
  t.ok((timers[0]?.ms ?? Infinity) < nothing);
  t.equal(reader.text, 'li');
  t.end();
});

t.test('the reader is not tried again at each line that waits', (t) => {
  const { reader, queue } = bench();
  reader.takes = 0;
  for (let i = 0; i < 100; i++) queue.write(LINE);
  t.equal(reader.tries, 1);
  t.end();
});

t.test('what does not fit is dropped, and told in its place', (t) => {
  const { reader, queue, elapse } = bench();
  reader.takes = 0;
  for (let i = 0; i < FULL + 6; i++) queue.write(LINE);
  t.equal(queue.waiting, MOST);
  // Room for one line is not enough: every line would then cause a message of its own.
  reader.takes = LINE.length;
  queue.write('seventh\n');
  t.equal(queue.waiting, MOST - LINE.length);
  reader.takes = MOST - ROOM - LINE.length;
  queue.write('eighth\n');
  reader.takes = Infinity;
  elapse();
  t.equal(reader.text, `${LINE.repeat(FULL)}7 dropped\neighth\n`);
  queue.write('next\n');
  t.match(reader.text, /7 dropped\neighth\nnext\n$/);
  t.end();
});

t.test('the loss is reported even when no line comes after', (t) => {
  const { reader, queue, elapse } = bench();
  reader.takes = 0;
  for (let i = 0; i < FULL + 1; i++) queue.write(LINE);
  reader.takes = Infinity;
  elapse();
  t.match(reader.text, /\n1 dropped\n$/);
  t.end();
});

t.test('a line longer than all that may wait is taken when nothing waits', (t) => {
  const { reader, queue, elapse } = bench();
  reader.takes = 0;
  queue.write(LINE.repeat(FULL + 1));
  queue.write('next\n');
  reader.takes = Infinity;
  elapse();
  t.equal(reader.text, `${LINE.repeat(FULL + 1)}1 dropped\n`);
  t.end();
});

t.test('a reader that has gone away: nothing is kept, and the next one learns how much is missing', (t) => {
  const { reader, queue, timers } = bench();
  reader.takes = EPIPE;
  for (let i = 0; i < 5; i++) queue.write('lost\n');
  t.equal(queue.waiting, 0);
  t.equal(timers.length, 0);
  t.equal(queue.flush(), true, 'there is nothing to wait for');
  reader.takes = Infinity;
  queue.write('next\n');
  t.equal(reader.text, '5 dropped\nnext\n', 'the words about the five are not counted themselves');
  t.end();
});

t.test('words about missing lines that are lost, too, are said again', (t) => {
  const { reader, queue, elapse } = bench();
  reader.takes = 0;
  for (let i = 0; i < FULL + 3; i++) queue.write(LINE);
  // The words about the three wait when the reader goes away.
  reader.takes = ROOM;
  elapse();
  reader.takes = EPIPE;
  elapse();
  reader.takes = Infinity;
  queue.write('next\n');
  t.equal(reader.text, `${LINE.repeat(ROOM / LINE.length)}${FULL / 2 + 3} dropped\nnext\n`);
  t.end();
});

t.test('what follows a torn line begins a line of its own', (t) => {
  const { reader, queue, elapse } = bench();
  reader.takes = 3;
  queue.write('torn\n');
  reader.takes = EPIPE;
  elapse();
  queue.write('lost\n');
  reader.takes = Infinity;
  queue.write('next\n');
  t.equal(reader.text, 'tor\n2 dropped\nnext\n');
  t.end();
});
