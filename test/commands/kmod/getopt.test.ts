import t from 'tap';
import { parseLine, type LongOption, type ParsedLine } from '../../../agent/commands/kmod/getopt.ts';

const TABLE: readonly LongOption[] = [
  { short: 'a', long: 'all' },
  { short: 'b', long: 'basedir', value: 'X' },
  { short: 'n', long: 'show' },
  { short: 'n', long: 'show-all' },
  { short: 'y', long: 'symvers', value: 'X' },
  { long: 'only-long' },
  { short: 's' },
];

function parsed(options: ReadonlyArray<readonly [string, string]>, operands: readonly string[] = []): ParsedLine {
  return { kind: 'parsed', options: options.map(([name, argument]) => ({ name, argument })), operands };
}

function wrong(message: string): ParsedLine {
  return { kind: 'wrong', message: `prog: ${message}\n` };
}

const ROWS: Readonly<Record<string, readonly [words: string, expected: ParsedLine]>> = {
  nothing: ['', parsed([])],
  'operands only': ['x y', parsed([], ['x', 'y'])],
  'options behind operands': [
    'x -a y --show',
    parsed(
      [
        ['all', ''],
        ['show', ''],
      ],
      ['x', 'y'],
    ),
  ],
  'bundled letters': [
    '-as',
    parsed([
      ['all', ''],
      ['s', ''],
    ]),
  ],
  'an argument in the next word': ['-b dir x', parsed([['basedir', 'dir']], ['x'])],
  'an argument in the same word': [
    '-abdir',
    parsed([
      ['all', ''],
      ['basedir', 'dir'],
    ]),
  ],
  'an argument that looks like an option': ['-b -a', parsed([['basedir', '-a']])],
  'an argument that is --': ['--basedir -- x', parsed([['basedir', '--']], ['x'])],
  'a long option with =': ['--basedir=a=b', parsed([['basedir', 'a=b']])],
  'an empty argument': ['--basedir= x', parsed([['basedir', '']], ['x'])],
  'a short option and =': ['-b=x', parsed([['basedir', '=x']])],
  abbreviated: [
    '--ba=x --only',
    parsed([
      ['basedir', 'x'],
      ['only-long', ''],
    ]),
  ],
  'exact although it begins another': ['--show', parsed([['show', '']])],
  'two names of one thing': ['--sho', parsed([['show', '']])],
  'the end of options': ['-a -- -b', parsed([['all', '']], ['-b'])],
  'a dash alone is an operand': ['- -a', parsed([['all', '']], ['-'])],
  'an unknown letter': ['-ax', wrong("invalid option -- 'x'")],
  'an unknown name': ['--nope=1', wrong("unrecognized option '--nope=1'")],
  ambiguous: ['--s', wrong("option '--s' is ambiguous; possibilities: '--show' '--show-all' '--symvers'")],
  'no argument where one is needed': ['x --basedir', wrong("option '--basedir' requires an argument")],
  'no argument behind a letter': ['-ab', wrong("option requires an argument -- 'b'")],
  'an argument where none belongs': ['--al=x', wrong("option '--all' doesn't allow an argument")],
};

for (const [name, [words, expected]] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    t.same(parseLine('prog', TABLE, words === '' ? [] : words.split(' '), false), expected);
    t.end();
  });
}

t.test('with POSIXLY_CORRECT the first operand ends the options', (t) => {
  t.same(parseLine('prog', TABLE, ['-a', 'x', '-a'], true), parsed([['all', '']], ['x', '-a']));
  t.end();
});
