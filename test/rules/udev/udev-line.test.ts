import t from 'tap';
import { logicalLines, parsePairs } from '../../../agent/rules/udev/udev-line.ts';

const LINES: ReadonlyArray<readonly [rule: string, text: string, expected: readonly string[]]> = [
  ['lines with their places', 'a\n  b\n', ['1:1 a', '2:3 b']],
  ['comments and empty lines are none', '# a\n\n  # b\nc', ['4:1 c']],
  ['a backslash joins lines', 'a \\\n  b', ['1:1 a b']],
  ['a comment between the parts is left out', 'a \\\n# x\nb', ['1:1 a b']],
  ['the end of the file ends a line', 'a\\', ['1:1 a']],
  ['nothing', '', []],
];

t.test('logical lines', (t) => {
  for (const [rule, text, expected] of LINES)
    t.same(
      logicalLines(text).map(({ line, column, text: joined }) => `${line}:${column} ${joined}`),
      expected,
      rule,
    );
  t.end();
});

const PAIRS: ReadonlyArray<readonly [rule: string, text: string, expected: ReadonlyArray<readonly string[]>]> = [
  ['a key', 'ACTION=="add"', [['ACTION', '==', 'add']]],
  ['an attribute', 'ENV{A B}!="x"', [['ENV{A B}', '!=', 'x']]],
  [
    'every operator',
    'A="1" B+="2" C-="3" D:="4"',
    [
      ['A', '=', '1'],
      ['B', '+=', '2'],
      ['C', '-=', '3'],
      ['D', ':=', '4'],
    ],
  ],
  [
    'commas and blanks between pairs',
    ' A=="1" ,, B=="2",',
    [
      ['A', '==', '1'],
      ['B', '==', '2'],
    ],
  ],
  ['only the quote is escaped', String.raw`A=="\"\n"`, [['A', '==', '"\\n']]],
  ['escapes of e', String.raw`A==e"\n\x41\101"`, [['A', '==', '\nAA']]],
  ['nothing', ' ', []],
];

t.test('pairs', (t) => {
  for (const [rule, text, expected] of PAIRS) {
    const pairs = parsePairs(text);
    if ('kind' in pairs) t.fail(`${rule}: ${pairs.message}`);
    else
      t.same(
        pairs.map(({ key, attribute, operator, value }) => [
          attribute === undefined ? key : `${key}{${attribute}}`,
          operator,
          value,
        ]),
        expected,
        rule,
      );
  }
  t.match(parsePairs('A==i"b"'), [{ ignoreCase: true }], 'i ignores case');
  t.end();
});

const FAULTS: ReadonlyArray<readonly [text: string, offset: number]> = [
  ['A', 1],
  ['A=="b', 3],
  ['A==b', 3],
  ['A{b=="c"', 1],
  ['=="x"', 0],
  [String.raw`A==e"\q"`, 5],
];

t.test('the first thing that cannot be read, and where it is', (t) => {
  for (const [text, offset] of FAULTS) t.match(parsePairs(text), { kind: 'fault', offset }, text);
  t.end();
});
