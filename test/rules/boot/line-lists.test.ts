import t from 'tap';
import type { BootListEntry } from '../../../agent/rules/boot/boot-entry.ts';
import { readModulesLoadList, readNamesWithParameters } from '../../../agent/rules/boot/line-lists.ts';

/** `LINE:NAME`, with `(PARAMETERS)` and `initramfs` where they are. */
const shown = (entries: readonly BootListEntry[]) =>
  entries.map(
    ({ place, name, parameters, initramfsOnly }) =>
      `${place.line}:${name}${parameters === '' ? '' : `(${parameters})`}${initramfsOnly ? ' initramfs' : ''}`,
  );

type Dialect = 'modules-load.d' | 'etc-modules' | 'initramfs-tools';
const read = (dialect: Dialect, text: string) =>
  shown(
    dialect === 'modules-load.d'
      ? readModulesLoadList({ file: 'F', text })
      : readNamesWithParameters({ file: 'F', text }, dialect),
  );

const ROWS: ReadonlyArray<readonly [rule: string, dialect: Dialect, text: string, expected: readonly string[]]> = [
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

  [
    'a name and its parameters, for the initramfs',
    'initramfs-tools',
    '# a comment\nloop max_loop=8\n\nbrd',
    ['2:loop(max_loop=8) initramfs', '4:brd initramfs'],
  ],
];

for (const [rule, dialect, text, expected] of ROWS) {
  t.test(`${dialect}: ${rule}`, (t) => {
    t.same(read(dialect, text), expected);
    t.end();
  });
}

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
