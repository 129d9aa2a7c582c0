import t from 'tap';
import { BOOT_DIALECTS, parseBootLists, type BootDialectName } from '../../../agent/rules/boot/boot-list.ts';

/** `LINE:NAME`, with `(PARAMETERS)` and `initramfs` where they are. */
const read = (dialect: BootDialectName, text: string) =>
  BOOT_DIALECTS[dialect]
    .read({ file: 'F', text })
    .map(
      ({ place, name, parameters, initramfsOnly }) =>
        `${place.line}:${name}${parameters === '' ? '' : `(${parameters})`}${initramfsOnly ? ' initramfs' : ''}`,
    );

const ROWS: ReadonlyArray<
  readonly [rule: string, dialect: BootDialectName, text: string, expected: readonly string[]]
> = [
  ['a name a line', 'modules-load.d', 'loop\nsnd-hda-intel\n', ['1:loop', '2:snd-hda-intel']],
  ['the last line needs no newline', 'modules-load.d', 'loop', ['1:loop']],
  ['empty lines and blanks around a name do not count', 'modules-load.d', '\n  \t\n \tloop \t\n', ['3:loop']],
  ['# and ; begin comments, indented ones too', 'modules-load.d', '# a\n;b\n  # c\n\t;d\nloop', ['5:loop']],
  ['a comment behind a name is part of it', 'modules-load.d', 'loop # why', ['1:loop # why']],
  ['parameters are part of the name', 'modules-load.d', 'loop max_loop=8', ['1:loop max_loop=8']],
  [
    'an alias and a MODALIAS are names',
    'modules-load.d',
    'fs-ext4\npci:v00008086d*',
    ['1:fs-ext4', '2:pci:v00008086d*'],
  ],
  ['carriage returns do not count', 'modules-load.d', '# a\r\n\r\nloop\r\n', ['3:loop']],
  ['bytes stay bytes', 'modules-load.d', '\xe9\xa0', ['1:\xe9\xa0']],
  ['nothing', 'modules-load.d', '', []],

  ['a name and its parameters', 'etc-modules', 'loop max_loop=8 x="a b"', ['1:loop(max_loop=8 x="a b")']],
  [
    'blanks and TABs part them, and do not count around them',
    'etc-modules',
    ' \tloop\t a=1  b=2 ',
    ['1:loop(a=1  b=2)'],
  ],
  ['# in the first column begins a comment', 'etc-modules', '#loop\n\nbrd', ['3:brd']],
  ['; and an indented # begin none', 'etc-modules', ';loop\n #brd', ['1:;loop', '2:#brd']],
  ['a carriage return is part of the last word', 'etc-modules', 'loop\r\nbrd a=1\r\n', ['1:loop\r', '2:brd(a=1\r)']],
  ['nothing', 'etc-modules', '\n \n', []],

  ['modules_load= holds names between commas', 'kernel-command-line', 'modules_load=brd,nbd', ['1:brd', '1:nbd']],
  ['empty names are none', 'kernel-command-line', 'modules_load=,brd,, quiet modules_load=', ['1:brd']],
  ['lists add up', 'kernel-command-line', 'modules_load=a x modules_load=b', ['1:a', '1:b']],
  ["'-' is '_' in the option, not in names", 'kernel-command-line', 'modules-load=snd-pcm', ['1:snd-pcm']],
  [
    'quotes hold the value or the word',
    'kernel-command-line',
    'modules_load="a,b" "modules_load=c"',
    ['1:a', '1:b', '1:c'],
  ],
  [
    'rd. counts in the initramfs',
    'kernel-command-line',
    'rd.modules_load=a rd.modules-load=b',
    ['1:a initramfs', '1:b initramfs'],
  ],
  ['without a value it is nothing', 'kernel-command-line', 'modules_load xmodules_load=a modules_loads=b', []],
  ['inside another value it is nothing', 'kernel-command-line', 'x="modules_load=a b"', []],
];

for (const [rule, dialect, text, expected] of ROWS) {
  t.test(`${dialect}: ${rule}`, (t) => {
    t.same(read(dialect, text), expected);
    t.end();
  });
}

t.test(
  'a machine: the command line, then files in their order, then /etc/modules; each with dialect and place',
  (t) => {
    const { entries, hidden } = parseBootLists({
      lists: [
        { file: '/etc/modules-load.d/a.conf', text: 'a' },
        { file: '/usr/lib/modules-load.d/b.conf', text: '#\nb' },
      ],
      hidden: [{ file: '/usr/lib/modules-load.d/a.conf', text: 'c\nd', by: '/etc/modules-load.d/a.conf' }],
      etcModules: { file: '/etc/modules', text: 'e x=1' },
      commandLine: { file: '/proc/cmdline', text: 'modules_load=f' },
    });
    t.same(
      entries.map(({ dialect, place, name }) => `${dialect} ${place.file}:${place.line} ${name}`),
      [
        'kernel-command-line /proc/cmdline:1 f',
        'modules-load.d /etc/modules-load.d/a.conf:1 a',
        'modules-load.d /usr/lib/modules-load.d/b.conf:2 b',
        'etc-modules /etc/modules:1 e',
      ],
    );
    t.same(
      hidden.map(({ name, by }) => `${name} ${by}`),
      ['c /etc/modules-load.d/a.conf', 'd /etc/modules-load.d/a.conf'],
    );
    t.same(parseBootLists({ lists: [], hidden: [], etcModules: undefined, commandLine: { file: '', text: '' } }), {
      entries: [],
      hidden: [],
    });
    t.end();
  },
);

t.test('every truncation keeps whole lines', (t) => {
  const text = 'loop\n# x\nbrd a=1\r\n;y\n  nbd';
  for (const dialect of ['modules-load.d', 'etc-modules'] as const) {
    const whole = read(dialect, text);
    for (let length = 0; length < text.length; length++) {
      const before = read(dialect, text.slice(0, length)).slice(0, -1);
      if (JSON.stringify(before) !== JSON.stringify(whole.slice(0, before.length)))
        t.same(before, whole.slice(0, before.length), `${dialect} at ${length}`);
    }
  }
  t.equal(read('modules-load.d', 'x\n'.repeat(100_000)).length, 100_000, 'a long list');
  t.end();
});
