/** Answers of lines: in their order, each line asked about once while it is remembered. */
import t from 'tap';
import { AnsweredLines } from '../../agent/commands/answered-lines.ts';
import { LONGEST_LINE } from '../../agent/commands/input.ts';
import { Random } from '../fixtures/random.ts';

function rig() {
  const asked: string[] = [];
  let out = '';
  const lines = new AnsweredLines({
    answer: (line) => {
      asked.push(line);
      return Buffer.from(`${line}=${line.length}\n`, 'latin1');
    },
    write: (answers) => {
      out += answers.toString('latin1');
    },
  });
  const take = (...all: readonly string[]) =>
    lines.take(Buffer.from(all.map((line) => `${line}\n`).join(''), 'latin1'));
  return { asked, take, lines, out: () => out };
}

const expected = (lines: readonly string[]): string => lines.map((line) => `${line}=${line.length}\n`).join('');

t.test('a line that was there before is not asked about', (t) => {
  const { asked, take, out } = rig();
  take('a', 'bb', 'a', '', '', '\xff\x01', 'bb');
  take('a', '\xff\x01', 'c');
  t.same(asked, ['a', 'bb', '', '\xff\x01', 'c']);
  t.equal(out(), expected(['a', 'bb', 'a', '', '', '\xff\x01', 'bb', 'a', '\xff\x01', 'c']));
  t.end();
});

t.test('lines that differ in one byte anywhere are not taken for one another', (t) => {
  const { take, out } = rig();
  const lines = [''];
  for (let length = 1; length <= 24; length++) {
    for (let at = 0; at < length; at++) {
      const bytes = Buffer.alloc(length, 'a');
      bytes[at] = 0x62;
      lines.push(bytes.toString('latin1'), 'a'.repeat(length));
    }
  }
  take(...lines, ...lines);
  t.equal(out(), expected([...lines, ...lines]));
  t.end();
});

t.test('more lines than are remembered, again and again', (t) => {
  const { asked, take, out } = rig();
  const random = new Random(1);
  const lines = Array.from({ length: 150_000 }, () => `pci:v${random.below(120_000)}${'d'.repeat(random.below(60))}`);
  for (let from = 0; from < lines.length; from += 5000) take(...lines.slice(from, from + 5000));
  t.ok(out() === expected(lines));
  t.ok(asked.length <= lines.length);
  t.end();
});

t.test('a line over 64 KiB is cut, a long one is answered and not remembered', (t) => {
  const { asked, take, out } = rig();
  const long = 'x'.repeat(LONGEST_LINE);
  take(`${long}yy`, 'a', 'z'.repeat(5000), 'z'.repeat(5000));
  t.same(
    asked.map(({ length }) => length),
    [LONGEST_LINE, 1, 5000, 5000],
  );
  t.ok(out() === expected([long, 'a', 'z'.repeat(5000), 'z'.repeat(5000)]));
  t.end();
});

t.test('a block in the middle of its memory', (t) => {
  const { lines, out } = rig();
  lines.take(Buffer.from('skipped\none\ntwo\n').subarray(8));
  t.equal(out(), expected(['one', 'two']));
  t.end();
});
