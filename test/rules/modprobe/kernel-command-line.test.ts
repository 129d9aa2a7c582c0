import t from 'tap';
import { emptyConfig, type Config } from '../../../agent/rules/modprobe/config.ts';
import { commandLineOptions, parseKernelCommandLine } from '../../../agent/rules/modprobe/kernel-command-line.ts';

const F = 'a.conf';
const at = (line: number) => ({ file: F, line });

function commandLine(text: string): Config {
  const config = emptyConfig();
  parseKernelCommandLine({ file: F, text }, config);
  return config;
}

/** The options that kmod 30 itself reported for each command line. */
const COMMAND_LINES: ReadonlyArray<readonly [rule: string, text: string, options: readonly string[]]> = [
  ['words', 'a.b=1  c.d=2   e.f', ['a b=1', 'c d=2', 'e f']],
  ['quotes in the value stay', 'm.p="a b" x.y', ['m p="a b"', 'x y']],
  ['quotes may begin anywhere in the value', 'm.p=a"b c"d x.y', ['m p=a"b c"d', 'x y']],
  ['quotes around the word move to the value', '"c.d=e f" "x.y=1 2" g.h=i', ['c d="e f"', 'x y="1 2"', 'g h=i']],
  ['quotes around a word without blanks too', '"a.b=1" c.d=1', ['a b="1"', 'c d=1']],
  ['TABs in a value become blanks', 'a.b="c\td"', ['a b="c d"']],
  ['open quotes swallow the rest', 'a.b=1 m.p="a b', ['a b=1']],
  ['blanks in quotes before the =', '"a b.c=1" d.e=2', ['d e=2']],
  ['quotes around a word without =', '"a.b" c.d=1', ['c d=1']],
  ['quotes inside module or parameter', 'x" a.b=1" c.d=1 e."f"=2', ['c d=1']],
  ['quotes that never fit', 'm"x.y=1 "mod".x=1 mod."x"=1 "mod.x"=1 "mod.x" "mod.x "mod.x=1', []],
  [
    'dots and = in odd places',
    'a.b.c=1 a=b.c a.b=c.d=e a. a.=1 .b . a.b= =a.b',
    ['a b=c.d=e', 'a ', 'a =1', ' b', ' ', 'a b='],
  ],
  [
    'all white space parts words',
    'a.b=1\tc.d=2\ve.f=3\fg.h=4\ri.j=5\nk.l=6\n\n',
    ['a b=1', 'c d=2', 'e f=3', 'g h=4', 'i j=5', 'k l=6'],
  ],
  ['only the module is normalised', 'i-j.k-l=1 m[a-b]-c.x=1', ['i_j k-l=1', 'm[a-b]_c x=1']],
  ['brackets without a partner', 'm[1.2]=3 m].x=1 a.b', ['a b']],
  ['kmod goes on after --', 'a.b=1 -- c.d=2', ['a b=1', 'c d=2']],
  ['a NUL ends it', 'a.b=1\0c.d=2', ['a b=1']],
  ['4095 bytes count', `${'x'.repeat(4090)} a.b=12`, ['a b=']],
];

t.test('module parameters as kmod takes them', (t) => {
  for (const [rule, text, expected] of COMMAND_LINES) {
    const { options, problems } = commandLine(text);
    t.same(
      options.map((rule) => `${rule.module} ${rule.text}`),
      expected,
      rule,
    );
    t.same(problems, [], `${rule}: no problem`);
  }
  t.end();
});

t.test('modprobe.blacklist= is normalised and remembers its spelling', (t) => {
  const { blacklists, options } = commandLine(
    'modprobe.blacklist=a-b,,c modprobe.blacklist modprobe.blacklist="j,k-l" "modprobe.blacklist=x,y" mod-probe.blacklist=z',
  );
  const place = at(1);
  t.same(blacklists, [
    { module: 'a_b', verbatim: 'a-b', place },
    { module: '', place },
    { module: 'c', place },
    { module: 'j', verbatim: '"j', place },
    { module: 'k_l', verbatim: 'k-l"', place },
    { module: 'x', verbatim: '"x', place },
    { module: 'y', verbatim: 'y"', place },
  ]);
  t.same(
    options.map((rule) => `${rule.module} ${rule.text}`),
    ['modprobe blacklist', 'mod_probe blacklist=z'],
  );
  t.end();
});

const names = (text: string) => commandLine(text).kernelBlacklists.map((rule) => rule.module as string);

t.test("the kernel's own module_blacklist=", (t) => {
  t.same(names('quiet module_blacklist=a,b-c,,d'), ['a', 'b-c', 'd'], 'as written');
  t.same(names('module_blacklist=a module-blacklist=b'), ['b'], 'the last one counts, - is _');
  t.same(names('module_blacklist="a,b"'), ['a', 'b'], 'quotes around the value');
  t.same(names('"module_blacklist=a,b" x'), ['a', 'b'], 'quotes around the word');
  t.same(names('x="module_blacklist=a b" y'), [], 'inside a value');
  t.same(names('quiet -- module_blacklist=a'), [], "what follows -- is init's");
  t.same(names('module_blacklist'), [], 'without a value');
  t.same(names(`${'x'.repeat(5000)} module_blacklist=a`), ['a'], 'all of it counts');
  t.end();
});

t.test('every truncation of a command line', (t) => {
  const text = COMMAND_LINES.map(([, line]) => line).join(' ');
  let most = 0;
  for (let length = 0; length <= text.length; length++) {
    most = Math.max(most, commandLine(text.slice(0, length)).options.length);
  }
  t.ok(most > 10);
  t.end();
});

const OPTIONS: ReadonlyArray<readonly [rule: string, text: string, expected: readonly string[]]> = [
  ['names and values', 'quiet root=/dev/sda1 a=b=c', ['quiet', 'root=/dev/sda1', 'a=b=c']],
  ["'-' is '_' in names, not in values", 'modules-load=a-b', ['modules_load=a-b']],
  ['an empty value is one', 'a= b', ['a=', 'b']],
  ['quotes around the value or the word', 'a="b c" "d=e f"', ['a=b c', 'd=e f']],
  ['an open quote holds the rest', 'a="b c', ['a=b c']],
  ['-- is itself', 'a -- b', ['a', '--', 'b']],
  ['nothing', '  ', []],
];

t.test('all options, as the kernel and systemd separate them', (t) => {
  for (const [rule, text, expected] of OPTIONS) {
    const found = commandLineOptions(text).map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));
    t.same(found, expected, rule);
  }
  t.end();
});
