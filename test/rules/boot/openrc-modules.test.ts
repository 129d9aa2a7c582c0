import t from 'tap';
import type { BootListEntry } from '../../../agent/rules/boot/boot-entry.ts';
import { readOpenrcModules } from '../../../agent/rules/boot/openrc-modules.ts';

/** `LINE:NAME(PARAMETERS)`. */
const shown = ({ place, name, parameters }: BootListEntry) =>
  `${place.line}:${name}${parameters === '' ? '' : `(${parameters})`}`;

const ROWS: ReadonlyArray<readonly [rule: string, text: string, expected: readonly string[]]> = [
  ['names between blanks', 'modules="loop  br_netfilter"', ['1:loop', '1:br_netfilter']],
  ['no quotes, single quotes', "modules=loop\nmodules='a b'", ['2:a', '2:b']],
  ['a value over several lines', '# x="\nmodules="\n  loop\n  brd\n"', ['3:loop', '4:brd']],
  ['a line that goes on', 'modules="loop \\\nbrd"', ['1:loop', '1:brd']],
  ['arguments', 'modules="loop"\nmodule_loop_args="max_loop=8 x=\\"a b\\""', ['1:loop(max_loop=8 x="a b")']],
  ["'-' in a name is '_' in its variable", 'modules="snd-pcm"\nmodule_snd_pcm_args="a=1"', ['1:snd-pcm(a=1)']],
  ['the full release first', 'modules_6="a"\nmodules_6_1_0_gentoo="b"\nmodules="c"', ['2:b']],
  ['the release without its suffix', 'modules_6_1="a"\nmodules_6_1_0="b"', ['2:b']],
  ['the series, then the first number', 'modules_6="a"\nmodules_6_1="b"', ['2:b']],
  ['another kernel', 'modules_5="a"\nmodules_6_2="b"\nmodules="c"', ['3:c']],
  ['an empty list of a kernel is none', 'modules_6_1=""\nmodules="c"', ['2:c']],
  ['arguments of a kernel', 'modules=a\nmodule_a_args=x=1\nmodule_a_args_6_1="x=2"', ['1:a(x=2)']],
  ['the last assignment counts, += adds', 'modules="a"\nmodules="b"\nmodules+=" c"', ['2:b', '2:c']],
  ['variables', 'base="a b"\nmodules="${base} $base c $none"', ['2:a', '2:b', '2:a', '2:b', '2:c']],
  ['single quotes keep a dollar sign', "modules='$x'", ['1:$x']],
  ['comments, also behind a value', '#modules="a"\n  # modules="b"\nmodules="c" # "d', ['3:c']],
  ['several on a line', 'x=1; modules=a;modules_6="b"', ['1:b']],
  ['Windows line ends', 'modules="a b"\r\nmodule_b_args="c=1"\r\n', ['1:a', '1:b(c=1)']],
  ['a quote that never ends holds no assignment', 'modules="a b', []],
  ['commands are not run', 'modules="$(cat /etc/x) `id`"', ['1:$(cat', '1:/etc/x)', '1:`id`']],
  ['nothing', '', []],
];

for (const [rule, text, expected] of ROWS) {
  t.test(rule, (t) => {
    t.same(readOpenrcModules({ file: '/etc/conf.d/modules', text }, '6.1.0-gentoo').map(shown), expected);
    t.end();
  });
}

t.test('a long script takes time by its length alone', (t) => {
  const read = (text: string) => readOpenrcModules({ file: '/etc/conf.d/modules', text }, '6.1.0-gentoo').map(shown);
  const many = 60_000;
  t.equal(read(`modules="${'a\n'.repeat(many)}"`).at(-1), `${many}:a`, 'a list of many lines');
  t.same(read(`${'x=1\n'.repeat(many)}modules=a`), [`${many + 1}:a`], 'many assignments');
  t.same(read(`${'x="$x$x"\n'.repeat(40)}modules="a $x b"`), ['41:a', '41:b'], 'of nothing twice');
  const doubled = read(`x=" a"\n${'x="$x$x"\n'.repeat(40)}modules="b $x"`);
  t.ok(doubled.length < 1 << 16, 'a value that doubles in each line ends somewhere');
  const added = read(`x=" a"\n${'x+="$x"\n'.repeat(40)}modules="$x b"`);
  t.ok(added.length < 1 << 17 && added.at(-1) === '42:b', 'so does one that is added to itself');
  t.end();
});
