import t from 'tap';
import { LongWork } from '../../agent/report/long-work.ts';
import { MovedClock } from '../base/moved-clock.ts';

/** Work on a terminal of `width` columns, and what was written there. */
function rig(width = 80): { clock: MovedClock; work: LongWork; written: string[] } {
  const clock = new MovedClock();
  const written: string[] = [];
  const work = new LongWork({ clock, terminal: { colour: false, width }, write: (text) => written.push(text) });
  return { clock, work, written };
}

t.test('nothing within the first second, then five lines a second at most', (t) => {
  const { clock, work, written } = rig();
  for (let done = 0; done < 300; done++) {
    work.at('modules', done, 300);
    clock.move(10);
  }
  t.equal(written.length, 10);
  t.equal(written[0], '\rmodules 100/300 (33 %)\u001B[K');
  t.equal(written[1], '\rmodules 120/300 (40 %)\u001B[K');
  t.end();
});

t.test('short work writes nothing, not even its end', (t) => {
  const { clock, work, written } = rig();
  work.at('modules', 1, 2);
  clock.move(999);
  work.at('modules', 2, 2);
  work.over();
  t.same(written, []);
  t.end();
});

const texts: ReadonlyArray<readonly [rule: string, width: number, at: Parameters<LongWork['at']>, text: string]> = [
  ['without counts', 80, ['firmware'], 'firmware …'],
  ['without a total', 80, ['names', 12_000], 'names 12000'],
  ['no part of nothing', 80, ['names', 0, 0], 'names 0'],
  ['never wider than the terminal', 12, ['modules', 10, 4000], 'modules 10…'],
  ['no sequence of a name reaches the terminal', 80, ['a\u001B[2J'], String.raw`a\x1b[2J …`],
];
for (const [rule, width, at, text] of texts) {
  t.test(rule, (t) => {
    const { clock, work, written } = rig(width);
    clock.move(1000);
    work.at(...at);
    work.over();
    work.over();
    t.same(written, [`\r${text}\u001B[K`, '\r\u001B[K']);
    t.end();
  });
}
