import t from 'tap';
import { duration, fit, paint, printable, readable, terminalOf } from '../../agent/report/terminal.ts';

const terminals: ReadonlyArray<
  readonly [
    rule: string,
    stream: Parameters<typeof terminalOf>[0],
    env: Record<string, string>,
    colour: boolean,
    width: number,
  ]
> = [
  ['a terminal', { isTTY: true, columns: 100 }, {}, true, 100],
  ['NO_COLOR', { isTTY: true, columns: 100 }, { NO_COLOR: '1' }, false, 100],
  ['NO_COLOR that is empty', { isTTY: true, columns: 100 }, { NO_COLOR: '' }, true, 100],
  ['a dumb terminal', { isTTY: true, columns: 100 }, { TERM: 'dumb' }, false, 100],
  ['a terminal that does not tell its width', { isTTY: true }, {}, true, 80],
  ['a terminal of 0 columns', { isTTY: true, columns: 0 }, {}, true, 80],
  ['0 columns, and COLUMNS', { isTTY: true, columns: 0 }, { COLUMNS: '132' }, true, 132],
  ["a terminal's own width counts before COLUMNS", { isTTY: true, columns: 60 }, { COLUMNS: '132' }, true, 60],
  ['a pipe', {}, {}, false, Infinity],
  ['a pipe and COLUMNS', {}, { COLUMNS: '72' }, false, 72],
  ['COLUMNS that is 0', {}, { COLUMNS: '0' }, false, Infinity],
  ['COLUMNS that is no number', {}, { COLUMNS: '80x' }, false, Infinity],
];
for (const [rule, stream, env, colour, width] of terminals) {
  t.test(`terminal: ${rule}`, (t) => {
    t.same(terminalOf(stream, env), { colour, width });
    t.end();
  });
}

const texts: ReadonlyArray<readonly [rule: string, machine: string, shown: string]> = [
  ['ASCII', 'plain text', 'plain text'],
  ['bytes that are UTF-8', 'caf\xc3\xa9 \xe2\x9c\x93', 'café ✓'],
  ['bytes that are not', '\xff\xc3', '\\xff\\xc3'],
  ['C0, line ends too', 'a\0b\tc\nd\re\x1b[2J\x07', 'a\\x00b\\x09c\\x0ad\\x0de\\x1b[2J\\x07'],
  ['DEL', 'a\x7f', 'a\\x7f'],
  ['C1 as bytes', 'a\x9b2J', 'a\\x9b2J'],
  ['C1 as UTF-8', 'a\xc2\x9b2J', 'a\\x9b2J'],
  ['an override of direction', 'a\xe2\x80\xaeb', 'a\\xe2\\x80\\xaeb'],
  ['an isolate of direction', '\xe2\x81\xa6x', '\\xe2\\x81\\xa6x'],
  ['the Arabic letter mark', '\xd8\x9c', '\\xd8\\x9c'],
  ['a line separator', '\xe2\x80\xa8', '\\xe2\\x80\\xa8'],
  ["a person's text", 'a → b…', 'a → b…'],
];
for (const [rule, machine, shown] of texts) {
  t.test(`machine text: ${rule}`, (t) => {
    t.equal(readable(machine), shown);
    t.end();
  });
}

t.test('a whole text keeps its lines and colours, and nothing else that a terminal obeys', (t) => {
  const coloured = paint({ colour: true, width: 80 }, 'red', 'a\tb\nc');
  t.equal(printable(coloured), '\u001b[31ma\tb\nc\u001b[39m');
  for (const style of ['bold', 'dim', 'red', 'green', 'yellow'] as const) {
    const painted = paint({ colour: true, width: 80 }, style, 'x');
    t.equal(printable(painted), painted, style);
  }
  t.equal(
    printable('\u001b[2J\u001b]0;x\u0007\u001b[5m\r\u009b\u202e'),
    '\\x1b[2J\\x1b]0;x\\x07\\x1b[5m\\x0d\\x9b\\xe2\\x80\\xae',
  );
  t.equal(paint({ colour: false, width: 80 }, 'red', 'x'), 'x');
  t.end();
});

t.test('durations and widths', (t) => {
  t.same([0.44, 9.96, 10, 999.4, 1000, 1940].map(duration), [
    '0.4 ms',
    '10.0 ms',
    '10 ms',
    '999 ms',
    '1.00 s',
    '1.94 s',
  ]);
  t.same(
    [fit('abcdef', 6), fit('abcdef', 4), fit('abcdef', 0), fit('abcdef', Infinity)],
    ['abcdef', 'abc…', '…', 'abcdef'],
  );
  t.end();
});
