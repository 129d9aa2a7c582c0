/** Reading standard input in blocks of whole lines. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { lineBlocks, LONGEST_LINE } from '../../agent/commands/input.ts';

function linesOf(t: Test, content: string): string[] {
  const file = join(t.testdir(), 'lines');
  writeFileSync(file, content, 'latin1');
  const fd = openSync(file, 'r');
  let text = '';
  for (const block of lineBlocks(fd)) {
    t.equal(block.at(-1), 0x0a, 'a block ends with a line');
    text += block.toString('latin1');
  }
  closeSync(fd);
  return text.split('\n').slice(0, -1);
}

const MANY = Array.from({ length: 50_000 }, (_, i) => `name ${i} \xff`);

const ROWS: ReadonlyArray<readonly [rule: string, text: string, lines: readonly string[]]> = [
  ['nothing', '', []],
  ['a line', 'a\n', ['a']],
  ['a last line without a line feed counts', 'a\nb', ['a', 'b']],
  ['empty lines count', '\n\na\n\n', ['', '', 'a', '']],
  ['lines that reads cut through are whole', `${MANY.join('\n')}\n`, MANY],
  ['a carriage return is part of the line', 'a\r\n', ['a\r']],
];
for (const [rule, text, lines] of ROWS) {
  t.test(rule, (t) => {
    // One comparison: telling how 50,000 lines differ takes minutes.
    t.equal(linesOf(t, text).join('\n'), lines.join('\n'));
    t.end();
  });
}

t.test('of a line that no buffer holds its first 64 KiB stay, and the next line is whole', (t) => {
  const [long = '', ...others] = linesOf(t, `${'x'.repeat(3_000_000)}\nb\n${'y'.repeat(3_000_000)}`);
  t.match(long, /^x+$/);
  t.ok(long.length >= LONGEST_LINE);
  t.equal(others[0], 'b');
  t.ok((others[1] ?? '').length >= LONGEST_LINE);
  t.equal(others.length, 2);
  t.end();
});
