import t from 'tap';
import { matchesRelease, parseDepmodConfig } from '../../agent/depmod/depmod-conf.ts';

const KERNEL = '6.1.0-56-amd64';

function parse(text: string) {
  const said: string[] = [];
  const config = parseDepmodConfig([{ file: 'a.conf', text }], KERNEL, (level, message) =>
    said.push(`${level}: ${message}`),
  );
  return { ...config, excludes: [...config.excludes], said };
}

const updates = { kind: 'directory', path: 'updates' };
const extra = { kind: 'directory', path: 'extra' };
const LINES: Readonly<Record<string, readonly [text: string, expected: Record<string, unknown>]>> = {
  'without a search line: updates': ['', { searches: [updates], said: [] }],
  'later words stand in front': ['search updates extra built-in', { searches: [{ kind: 'built-in' }, extra, updates] }],
  'so do later lines': ['search updates\nsearch external', { searches: [{ kind: 'external' }, updates] }],
  'an override of this release': ['override x * extra\noverride y-z 6.1 a/b', { overrides: ['a/b/y-z', 'extra/x'] }],
  'an override of another one': [
    'override x 5\\\\.10 extra',
    { overrides: [], said: ['info: a.conf:1: override kernel did not match 5\\.10'] },
  ],
  'external directories': [
    'external * /a\nexternal 9 /b',
    { externals: ['/a'], said: ['info: a.conf:2: external directory did not match 9'] },
  ],
  excludes: ['exclude a b\nexclude c', { excludes: ['a', 'b', 'c'] }],
  'blanks and TABs part words': [' \tsearch\t\textra  ', { searches: [extra] }],
  comments: ['#search extra', { searches: [updates], said: [] }],
  'a comment must begin the line': [' # x', { said: ["error: a.conf:1: ignoring bad line starting with '#'"] }],
  'joined lines count as their last': [
    'search \\\nextra\\\n\nbad',
    { searches: [extra], said: ["error: a.conf:4: ignoring bad line starting with 'bad'"] },
  ],
  'a backslash is dropped': ['search ex\\tra', { searches: [extra] }],
  'a backslash at the end': ['search extra\\', { searches: [extra] }],
  'a line too short': [
    'override x *\nexternal *',
    {
      said: [
        "error: a.conf:1: ignoring bad line starting with 'override'",
        "error: a.conf:2: ignoring bad line starting with 'external'",
      ],
    },
  ],
  'words of old': ['make_map_files no', { said: ['info: a.conf:1: command make_map_files not implemented yet'] }],
};

for (const [name, [text, expected]] of Object.entries(LINES)) {
  t.test(name, (t) => {
    t.match(parse(text), expected);
    t.end();
  });
}

t.test('releases are POSIX extended regular expressions', (t) => {
  const rows: ReadonlyArray<readonly [pattern: string, matches: boolean]> = [
    ['*', true],
    ['6', true],
    ['^6\\.1', true],
    ['^1', false],
    ['amd64$', true],
    ['6.1.0-[0-9]+-amd64', true],
    ['6x1', false],
    ['[[:digit:]]{2}-', true],
    ['[[:alpha:][:digit:]]+64', true],
    ['[^[:digit:]]5', true],
    ['[[:nonsense:]]', false],
    ['[]x]', false],
    ['[x-]56', true],
    ['[\\]5', false],
    ['-[56]{2}-', true],
    ['-5{2}', false],
    ['-5{,2}', true],
    ['5{', false],
    ['5{x', false],
    ['(6|5)\\.1', true],
    ['(6', false],
    ['[6', false],
    ['*6', false],
    ['\\d', true],
    ['\\d7', false],
    ['}', false],
    ['6.1\\', false],
    ['', true],
  ];
  for (const [pattern, expected] of rows) t.equal(matchesRelease(pattern, KERNEL), expected, pattern);
  t.end();
});
