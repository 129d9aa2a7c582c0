/** kmod's index files, from a module tree that need not be depmod's. */
import { IndexTrie, type TrieEntry } from '../../../agent/indexes/trie.ts';
import { indexBytes, key, type Row } from '../../fixtures/index.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, type FuzzKind } from '../kind.ts';

const ROWS: readonly Row[] = [
  ['pci:v00008086d00001E31sv*sd*bc*sc*i*', 'xhci_pci', 812],
  ['pci:v*d*sv*sd*bc0Csc03i30*', 'xhci_pci', 812],
  ['usb:v1D6Bp000[1-3]d*dc*dsc*dp*ic*', 'hub', 3],
  ['of:N*T*Carm,pl011C*', 'amba_pl011', 90],
  ['snd_hda_intel', 'kernel/sound/pci/hda/snd-hda-intel.ko: kernel/sound/core/snd.ko', 2],
  ['*\\*?', 'escape', 6],
  ['[[:alpha:]]*x[!a-c]', 'class', 6],
  ['char_major_10_130', 'a', 9],
  ['char_major_10_130', 'b', 8],
];
const QUESTIONS = [
  'pci:v00008086d00001E31sv000017AAsd000021F3bc0Csc03i30',
  'usb:v1D6Bp0002d0601dc09dsc00dp01ic09',
  'of:NserialT(null)Carm,pl011Carm,primecell',
  'snd_hda_intel',
  'a*b?[c]\\',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  '',
];
/** References with all flags; mutation puts offsets behind them. */
const WORDS = [
  '*',
  '?',
  '[',
  ']',
  '\\',
  '[[:',
  ':]]',
  '\0',
  '\x80\0\0\x0c',
  '\x20\0\0\x0c',
  '\x40\0\0\x0c',
  '\xe0\0\0\x0c',
  '\0\x7f',
];

function compose(random: Random): Buffer {
  const alphabet = random.of(['ab*', 'ab*?[]', '*?', 'ab[]!-\\*', 'a']);
  const rows = Array.from({ length: random.below(60) }, (_, i): Row => [
    random.text(alphabet, 0, 30),
    `m${i}`,
    random.below(5),
  ]);
  return indexBytes(rows, random.of(['children-first', 'parent-first']));
}

function read(input: Buffer): void {
  const index = new IndexTrie(input, 'fuzz.bin');
  const entries: TrieEntry[] = [];
  let failure: unknown;
  // Damage in one part must not change what the others give.
  const ask = (question: () => void): void => {
    try {
      question();
    } catch (error) {
      failure ??= error;
    }
  };
  ask(() => {
    for (const entry of index.entries()) entries.push(entry);
  });
  for (const question of QUESTIONS) {
    ask(() => {
      const found = index.search(key(question));
      check(
        found.every((match, i) => i === 0 || match.priority >= (found[i - 1]?.priority ?? 0)),
        'matches ascend by priority',
      );
    });
    ask(() => {
      const value = index.exact(question);
      check(value === undefined || value.length < input.length, 'a value is part of the file');
    });
  }
  check(entries.length <= input.length, 'no more values than bytes');
  if (failure !== undefined) throw failure;
}

/** An index file, its magic and version left right in most mutations: they are twelve bytes of many. */
export const kind: FuzzKind = {
  samples: [indexBytes(ROWS), indexBytes(ROWS, 'parent-first'), indexBytes([]), bytes('')],
  words: WORDS,
  compose,
  read,
};
