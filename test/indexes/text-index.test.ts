import t from 'tap';
import {
  aliasIndex,
  builtinAliasIndex,
  builtinIndex,
  depIndex,
  modulePositions,
  type TextIndex,
} from '../../agent/indexes/text-index.ts';
import { IndexTrie } from '../../agent/indexes/trie.ts';

const entries = ({ builder }: TextIndex) =>
  [...new IndexTrie(builder.build(), 'x').entries()].map(
    ({ key, value, priority }) => `${key} | ${value} | ${priority}`,
  );

const DEP = 'kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\nkernel/snd-hda.ko:\n/opt/my-mod.ko: kernel/a.ko\n';

t.test('modules.dep', (t) => {
  const index = depIndex(`${DEP}no colon\n: x\n\n`);
  t.same(entries(index), [
    'ext4 | kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz | 0',
    'my_mod | /opt/my-mod.ko: kernel/a.ko | 2',
    'snd_hda | kernel/snd-hda.ko: | 1',
  ]);
  t.match(index.leftOut, [
    { line: 4, text: 'no colon' },
    { line: 5, text: ': x' },
  ]);
  t.same(
    modulePositions(DEP),
    new Map([
      ['ext4', 0],
      ['snd_hda', 1],
      ['my_mod', 2],
    ]),
  );
  t.end();
});

t.test('modules.alias and modules.symbols', (t) => {
  const text = [
    '# Aliases extracted from modules themselves.',
    'alias pci:v00001AF4d*sv*sd*bc*sc*i* snd_hda',
    'alias platform:Fixed MDIO-bus my_mod',
    'alias x[a-b]-c ext4',
    'alias open[bracket ext4',
    'alias caf\xe9 ext4',
    'alias lonely',
    'something else',
    'alias unknown:module nowhere',
    '',
  ].join('\n');
  const index = aliasIndex(text, modulePositions(DEP));
  t.same(entries(index), [
    'pci:v00001AF4d*sv*sd*bc*sc*i* | snd_hda | 1',
    'platform:Fixed MDIO_bus | my_mod | 2',
    'unknown:module | nowhere | 0',
    'x[a-b]_c | ext4 | 0',
  ]);
  t.match(index.leftOut, [
    { line: 5, text: 'open[bracket', why: /bracket/ },
    { line: 6, text: 'caf\xe9', why: /7-bit/ },
    { line: 7, why: /not "alias PATTERN MODULE"/ },
    { line: 8, why: /not "alias PATTERN MODULE"/ },
  ]);
  t.same(entries(aliasIndex('# x\nalias symbol:a_b ext4\n', new Map())), ['symbol:a_b | ext4 | 0']);
  t.end();
});

t.test('modules.builtin', (t) => {
  t.same(entries(builtinIndex('kernel/arch/x86/aesni-intel.ko\nkernel/lib/x.y.ko\n\n')), [
    'aesni_intel |  | 0',
    'x |  | 0',
  ]);
  t.end();
});

t.test('modules.builtin.modinfo', (t) => {
  const text = [
    '8250.alias=acpi:PNP0501',
    '8250.license=GPL',
    'usb-core.alias=a-b',
    'usb-core.parm=x:y.alias=z',
    'bad',
    'x.alias=[',
    '',
  ].join('\0');
  const index = builtinAliasIndex(text);
  t.same(entries(index), ['a_b | usb-core | 0', 'acpi:PNP0501 | 8250 | 0']);
  t.match(index.leftOut, [{ line: 6, text: '[' }]);
  t.end();
});

t.test('text without a last newline, empty text, cut-off text', (t) => {
  t.same(entries(depIndex('')), []);
  t.same(entries(depIndex('a.ko: b.ko')), ['a | a.ko: b.ko | 0']);
  for (let length = 0; length <= DEP.length; length++) t.ok(entries(depIndex(DEP.slice(0, length))).length <= 3);
  t.end();
});
