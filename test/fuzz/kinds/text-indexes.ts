/** A module tree's text files, from which plugd makes indexes where the binary ones are missing. */
import {
  aliasIndex,
  builtinAliasIndex,
  builtinIndex,
  depIndex,
  modulePositions,
  type TextIndex,
} from '../../../agent/indexes/text-index.ts';
import { IndexTrie } from '../../../agent/indexes/trie.ts';
import { parseDepLine } from '../../../agent/match/matcher.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, latin1, type FuzzKind } from '../kind.ts';

const SAMPLES = [
  'kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\nkernel/snd-hda.ko:\n/opt/my-mod.ko: kernel/a.ko\n',
  '# Aliases extracted from modules themselves.\nalias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci\nalias x[a-b]-c ext4\nalias platform:Fixed MDIO-bus fixed\n',
  'alias symbol:crc32c_impl libcrc32c\n',
  'kernel/arch/x86/aesni-intel.ko\nkernel/lib/x.y.ko\n',
  '8250.alias=acpi:PNP0501\x008250.license=GPL\0usb-core.alias=a-b\0',
];
const WORDS = [
  'alias ',
  'symbol:',
  '.ko: ',
  '.ko',
  '\n',
  ' ',
  '-',
  '_',
  '[',
  ']',
  '*',
  '\0',
  '.alias=',
  '#',
  '\xff',
  '/',
];

function compose(random: Random): Buffer {
  const line = () =>
    random.of([
      () => `alias ${random.text('ab-_*?[]\\ :\xff', 0, 20)} ${random.text('ab-_', 0, 5)}`,
      () => `kernel/${random.text('ab-_./', 0, 10)}.ko: ${random.text('ab/.ko \t', 0, 20)}`,
      () => `${random.text('ab-', 1, 5)}.alias=${random.text('ab-*[]', 0, 10)}\0`,
      () => random.text('ab:# \t', 0, 10),
    ])();
  return bytes(Array.from({ length: random.below(30) }, line).join(random.of(['\n', '\n', '\0', '\n\n'])));
}

function entriesOf({ builder }: TextIndex, layout: 'children-first' | 'parent-first'): string {
  const index = new IndexTrie(builder.build(layout), 'fuzz.bin');
  return [...index.entries()].map(({ key, value, priority }) => `${key}\0${value}\0${priority}`).join('\n');
}

function read(input: Buffer): void {
  const text = latin1(input);
  const positions = modulePositions(text);
  const indexes = [depIndex(text), aliasIndex(text, positions), builtinIndex(text), builtinAliasIndex(text)];
  const count = text.split('\n').length + text.split('\0').length;
  for (const index of indexes) {
    check(
      index.leftOut.every(({ line }) => line >= 1 && line <= count),
      'a line left out is a line of the text',
    );
    check(entriesOf(index, 'children-first') === entriesOf(index, 'parent-first'), 'both layouts hold the same');
  }
  for (const line of text.split('\n')) {
    const files = parseDepLine(line);
    check(files === undefined || files.path !== '', 'a module of modules.dep has a path');
  }
}

export const kind: FuzzKind = { samples: SAMPLES.map(bytes), words: WORDS, compose, read };
