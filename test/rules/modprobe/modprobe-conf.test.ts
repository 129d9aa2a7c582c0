import t from 'tap';
import type { Problem } from '../../../agent/base/problem.ts';
import { emptyConfig, type Config } from '../../../agent/rules/modprobe/config.ts';
import { mergeConfig } from '../../../agent/rules/modprobe/merged-config.ts';
import { parseModprobeConf } from '../../../agent/rules/modprobe/modprobe-conf.ts';

const F = 'a.conf';
const at = (line: number) => ({ file: F, line });

function parse(text: string): Config {
  const config = emptyConfig();
  parseModprobeConf({ file: F, text }, config);
  return config;
}

/** What a configuration holds, without its empty lists. */
function filled(config: Config): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([, list]: [string, unknown[]]) => list.length > 0));
}

const LINES: ReadonlyArray<readonly [rule: string, text: string, expected: Record<string, unknown>]> = [
  ['an alias', 'alias foo bar', { aliases: [{ pattern: 'foo', module: 'bar', place: at(1) }] }],
  [
    'both words of an alias are normalised',
    'alias a-b[c-d]-e m-n',
    { aliases: [{ pattern: 'a_b[c-d]_e', module: 'm_n', place: at(1) }] },
  ],
  ['a blacklist', 'blacklist snd-hda-intel', { blacklists: [{ module: 'snd_hda_intel', place: at(1) }] }],
  [
    'blanks and TABs part words, also before the first',
    ' \t blacklist \t x \t',
    { blacklists: [{ module: 'x', place: at(1) }] },
  ],
  [
    'a command keeps blanks and TABs',
    'install a-b \t /bin/x  y ',
    { installs: [{ pattern: 'a_b', command: '\t /bin/x  y ', place: at(1) }] },
  ],
  ['remove', 'remove a* y', { removes: [{ pattern: 'a*', command: 'y', place: at(1) }] }],
  [
    'options keep blanks, TABs become blanks',
    'options a-b  x=1\ty=-2 ',
    { options: [{ module: 'a_b', text: ' x=1 y=-2 ', place: at(1) }] },
  ],
  ['options of nothing but a blank', 'options a  ', { options: [{ module: 'a', text: ' ', place: at(1) }] }],
  [
    'softdep lists',
    'softdep a-b pre: c-d e post: f',
    { softdeps: [{ pattern: 'a_b', pre: ['c-d', 'e'], post: ['f'], place: at(1) }] },
  ],
  [
    'softdep lists add up',
    'softdep a pre: b post: c pre:\td',
    { softdeps: [{ pattern: 'a', pre: ['b', 'd'], post: ['c'], place: at(1) }] },
  ],
  [
    'softdep words before a list are nothing',
    'softdep a x y',
    { softdeps: [{ pattern: 'a', pre: [], post: [], place: at(1) }] },
  ],
  ['softdep of nothing but a blank', 'softdep a  ', { softdeps: [{ pattern: 'a', pre: [], post: [], place: at(1) }] }],
  [
    'softdep lists after two blanks too many',
    'softdep a   pre: b',
    { softdeps: [{ pattern: 'a', pre: ['b'], post: [], place: at(1) }] },
  ],
  ['weakdep', 'weakdep a b-c  d', { weakdeps: [{ pattern: 'a', members: ['b-c', 'd'], place: at(1) }] }],
  ['a comment in the first column', '# blacklist x\n#', {}],
  ['empty lines', '\n \n\t\n', {}],
  [
    'a joined line has the number of its first part',
    '\nblack\\\nlist \\\nx\nblacklist y',
    {
      blacklists: [
        { module: 'x', place: at(2) },
        { module: 'y', place: at(5) },
      ],
    },
  ],
  [
    'a backslash before another character vanishes',
    'install a x\\ty \\"z\\\\',
    { installs: [{ pattern: 'a', command: 'xty "z\\', place: at(1) }] },
  ],
  ['a backslash at the end of the file vanishes', 'blacklist x\\', { blacklists: [{ module: 'x', place: at(1) }] }],
  ['joining goes on to the end of the file', 'blacklist x\\\n', { blacklists: [{ module: 'x', place: at(1) }] }],
  ['a comment goes on over a joined line', '# a \\\nblacklist x', {}],
  ['# later in a line is data', 'options a b=#c', { options: [{ module: 'a', text: 'b=#c', place: at(1) }] }],
  ['a comment after a blacklist is ignored', 'blacklist a # why', { blacklists: [{ module: 'a', place: at(1) }] }],
  [
    'a line ends at a NUL',
    'blacklist ab\0c\nblacklist d',
    {
      blacklists: [
        { module: 'ab', place: at(1) },
        { module: 'd', place: at(2) },
      ],
    },
  ],
  ['bytes stay bytes', 'alias \xff\xa0 m', { aliases: [{ pattern: '\xff\xa0', module: 'm', place: at(1) }] }],
];

t.test('lines that are rules', (t) => {
  for (const [rule, text, expected] of LINES) t.same(filled(parse(text)), expected, rule);
  t.end();
});

t.test("SUSE's own directive is no error", (t) => {
  const { problems } = parse('allow_unsupported_modules 1');
  t.match(problems, [{ line: 1, column: 1, severity: 'warning', code: 'ignored', word: 'allow_unsupported_modules' }]);
  t.match(problems[0]?.message, /^only SUSE's own modprobe knows 'allow_unsupported_modules'/);
  t.equal(problems.length, 1);
  t.end();
});

const PROBLEMS: ReadonlyArray<readonly [rule: string, text: string, line: number, column: number, message: RegExp]> = [
  ['an unknown directive', 'blacklist a\n  foo x', 2, 3, /^'foo' is not a directive; expected alias, .* or weakdep$/],
  ['a property of every object is no directive', 'constructor x', 1, 1, /is not a directive/],
  ['upper case', 'Blacklist a', 1, 1, /^'Blacklist' must be written 'blacklist'$/],
  ['a comment that does not begin the line', ' # x', 1, 2, /^a comment must begin in the first column$/],
  ['include', 'include x', 1, 1, /^'include' is no longer read/],
  ["SUSE's own directive in capitals", 'ALLOW_UNSUPPORTED_MODULES 1', 1, 1, /is not a directive; expected/],
  ['a no-break space', 'blacklist\xC2\xA0a', 1, 1, /^a no-break space \(U\+00A0\) separates no words/],
  ['a zero-width space', 'black\xE2\x80\x8Blist a', 1, 1, /^a special blank \(U\+200B\)/],
  ['a missing word', 'alias a', 1, 8, /^a word is missing; expected alias PATTERN MODULE$/],
  ['no word at all', 'blacklist', 1, 10, /expected blacklist MODULE/],
  [
    'options without options',
    'options a',
    1,
    10,
    /^nothing stands after 'a'; expected options MODULE PARAMETER=VALUE…$/,
  ],
  ['options and one blank', 'options a ', 1, 11, /^nothing stands after 'a'/],
  ['a command without a command', 'install a', 1, 10, /expected install MODULE COMMAND…$/],
  ['a softdep without a list', 'softdep a', 1, 10, /expected softdep MODULE pre:/],
  ['an open bracket', 'blacklist  a[b', 1, 12, /^a bracket of 'a\[b' has no partner; expected blacklist MODULE$/],
  ['a closing bracket', 'alias x ]', 1, 9, /^a bracket of '\]' has no partner/],
  ['the place is that of the physical line', 'alias a \\\n  \\b]', 2, 4, /^a bracket of 'b\]'/],
  ['… also in its middle', '\nalias \\\n\\\n  [ m', 4, 3, /bracket/],
];

t.test('lines that are not: file, line, column, what is expected; the rest counts', (t) => {
  for (const [rule, text, line, column, message] of PROBLEMS) {
    const { problems, blacklists } = parse(`${text}\nblacklist last`);
    t.match(problems, [{ file: F, line, column, severity: 'error', message }], rule);
    t.equal(problems.length, 1, `${rule}: one problem`);
    t.equal(blacklists.at(-1)?.module, 'last', `${rule}: the next line counts`);
  }
  t.end();
});

t.test('kinds of problems, for programs', (t) => {
  const rows: ReadonlyArray<readonly [text: string, code: Problem['code'], word?: string, message?: RegExp]> = [
    ['blaklist a', 'unknown-directive', 'blaklist', /; did you mean blacklist\?$/],
    ['Blacklist a', 'unknown-directive', 'Blacklist'],
    ['include x', 'unknown-directive', 'include'],
    [
      '\xEF\xBB\xBFblacklist a',
      'byte-order-mark',
      '\xEF\xBB\xBFblacklist',
      /^a byte order mark .* save the file without/,
    ],
    ['blacklist', 'malformed'],
    ['blacklist a b', 'ignored'],
    ['blacklist a\r\n', 'ignored'],
  ];
  for (const [text, code, word, message = /./] of rows) {
    const [problem] = parse(text).problems;
    t.match(problem, { code, message }, text);
    t.equal(problem?.word, word, text);
  }
  t.equal(mergeConfig({ texts: [], unread: [{ file: 'c', why: 'EACCES' }] }).problems[0]?.code, 'unreadable');
  t.end();
});

const WARNINGS: ReadonlyArray<readonly [rule: string, text: string, line: number, column: number, message: RegExp]> = [
  ['words that nobody reads', 'blacklist a b', 1, 13, /^'b' and what follows is ignored; expected blacklist MODULE$/],
  ['one blank too many before a softdep list', 'softdep a  pre: b', 1, 11, /hides it from modprobe/],
  ['a no-break space in a name', 'blacklist\ta\xC2\xA0b', 1, 12, /^a no-break space \(U\+00A0\)/],
  ['an ideographic space in parameters', 'options a b=1\xE3\x80\x80c=2', 1, 14, /^a special blank \(U\+3000\)/],
  ['a file with carriage returns, once', 'blacklist a\r\nblacklist b\r\n', 1, 12, /carriage return/],
];

t.test('lines that count otherwise than meant', (t) => {
  for (const [rule, text, line, column, message] of WARNINGS) {
    const { problems } = parse(text);
    t.match(problems, [{ file: F, line, column, severity: 'warning', message }], rule);
    t.equal(problems.length, 1, `${rule}: one problem`);
  }
  t.same(parse('softdep a  pre: b').softdeps[0]?.pre, [], 'as modprobe reads it');
  t.equal(parse('blacklist a\r\n').blacklists[0]?.module, 'a\r');
  t.end();
});

t.test('every truncation of a file', (t) => {
  const text = LINES.map(([, line]) => line).join('\n') + PROBLEMS.map(([, line]) => line).join('\n');
  const whole = parse(text);
  for (let length = 0; length <= text.length; length++) {
    const cut = parse(text.slice(0, length));
    for (const key of ['aliases', 'blacklists', 'installs', 'softdeps'] as const) {
      // All rules but the last are those of the whole file; the last may be shorter.
      const before = cut[key].slice(0, -1);
      if (JSON.stringify(before) !== JSON.stringify(whole[key].slice(0, before.length))) {
        t.same(before, whole[key].slice(0, before.length), `${key} at ${length}`);
      }
    }
  }
  t.ok(whole.problems.length >= PROBLEMS.length);
  t.end();
});

t.test('hostile input ends quickly', (t) => {
  t.equal(parse('\\\n'.repeat(200_000)).problems.length, 0);
  t.equal(parse('x\n'.repeat(50_000)).problems.length, 1001, 'the rest is one more, counted');
  t.equal(parse(`${'blacklist a\\\n'.repeat(20_000)} ]`).blacklists.length, 1);
  t.equal(parse(`softdep a pre: ${'b '.repeat(100_000)}`).softdeps[0]?.pre.length, 100_000);
  t.equal(parse('blacklist '.repeat(100_000)).blacklists.length, 1);
  t.equal(parse(`options a ${'\0'.repeat(100)}`).options.length, 0);
  t.end();
});
