import t from 'tap';
import { PlugdError } from '../../agent/base/error.ts';
import {
  help,
  HOST_OPTIONS,
  hostOf,
  noArguments,
  OPTION,
  parse,
  wholeNumber,
  type Command,
} from '../../agent/commands/command.ts';

const DEPTH = { long: 'depth', short: 'd', value: 'N', multiple: true, help: 'how deep' };
const command: Command = {
  name: 'dig',
  usage: '[OPTION…] [PLACE…]',
  options: [DEPTH, OPTION.quiet, ...HOST_OPTIONS],
  notes: '\nExit status: 0 done.',
  run: async () => 0,
};

t.test('a command line is read by the table', (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, args: readonly string[], depth: string | undefined, words: readonly string[]]
  > = [
    ['nothing', [], undefined, []],
    ['short and long', ['-d', '1', 'x', '--depth=2'], '2', ['x']],
    ['bundled', ['-qd3', 'x'], '3', ['x']],
    ['behind -- all are arguments', ['--', '-d', '--quiet'], undefined, ['-d', '--quiet']],
    ['a lone - is an argument', ['-'], undefined, ['-']],
  ];
  for (const [rule, args, depth, words] of rows) {
    const parsed = parse(command, args);
    t.equal(parsed.value(DEPTH), depth, rule);
    t.same(parsed.words, words, rule);
  }
  t.same(parse(command, ['-d1', '-d2']).values(DEPTH), ['1', '2']);
  t.equal(parse(command, ['-q']).has(OPTION.quiet), true);
  t.end();
});

const refusals: ReadonlyArray<readonly [rule: string, run: () => unknown, message: RegExp]> = [
  ['an option that is none', () => parse(command, ['--deep']), /--deep/],
  ['a value that is missing', () => parse(command, ['--depth']), /--depth/],
  ['a switch with a value', () => parse(command, ['--quiet=1']), /--quiet/],
  ...['--root', '--kernel', '--sysfs', '--proc', '--depth'].flatMap((option) =>
    [[option, ''], [`${option}=`]].map(
      (args) =>
        [
          `${args.length} words: ${option} is empty`,
          () => parse(command, args),
          /^--\w+: its value is empty$/,
        ] as const,
    ),
  ),
  [
    'an argument where none is taken',
    () => noArguments(command, parse(command, ['x', 'y'])),
    /^dig takes no arguments: x y$/,
  ],
  [
    'a release that is a path',
    () => hostOf(parse(command, ['--kernel', '../6.1'])),
    /^--kernel \.\.\/6\.1: not a kernel release$/,
  ],
  ['a number that is none', () => wholeNumber(DEPTH, '1x', 0, 5), /^--depth 1x: not a whole number from 0 to 5$/],
  ['a number beyond its bounds', () => wholeNumber(DEPTH, '6', 0, 5), /not a whole number/],
];
for (const [rule, run, message] of refusals) {
  t.test(`usage: ${rule}`, (t) => {
    try {
      run();
      t.fail('taken');
    } catch (error) {
      t.ok(error instanceof PlugdError && error.code === 'usage');
      t.match((error as Error).message, message);
    }
    t.end();
  });
}

t.test('the help is made of the table and the summary', (t) => {
  t.equal(
    help({ ...command, options: [DEPTH, OPTION.json] }, 'dig a hole'),
    `usage: plugd dig [OPTION…] [PLACE…]

Dig a hole.

  -d, --depth N  how deep
      --json     print JSON (schema in docs/)
  -h, --help     show this help

Exit status: 0 done.
`,
  );
  const long = { long: 'a-very-long-name-of-an-option', value: 'VALUE', help: 'word '.repeat(30).trim() };
  const lines = help({ ...command, options: [long] }, 'x').split('\n');
  t.same(
    lines.filter((line) => line.length > 80),
    [],
  );
  t.ok(lines.includes('      --a-very-long-name-of-an-option VALUE'), 'a long name stands on a line of its own');
  t.end();
});
