/** Patterns: fnmatch as in kmod, the same patterns in an index, and udev's and the policy's globs. */
import { bracketEnd, fnmatch } from '../../../agent/base/fnmatch.ts';
import { compileGlob, isGlob } from '../../../agent/rules/glob.ts';
import { indexOf, key, type Row } from '../../fixtures/index.ts';
import type { Random } from '../../fixtures/random.ts';
import { kmodSearch } from '../../indexes/kmod-search.ts';
import { bytes, check, latin1, type FuzzKind } from '../kind.ts';

const SAMPLES = [
  'pci:v00008086d*sv*sd*bc*sc*i*\npci:v00008086d00001E31sv000017AAsd000021F3bc0Csc03i30',
  'of:N*T*Carm,pl011C*\nof:N*T*C*\nof:NserialT(null)Carm,pl011Carm,primecell',
  '*[[:alpha:]]*[!a-c][]x]\\*?\n[[.a.][=b=]]*\nabcx*x',
  `${'*a'.repeat(30)}b\n${'a'.repeat(300)}`,
];
const WORDS = [
  '*',
  '?',
  '[',
  ']',
  '[!',
  '[^',
  '[[:',
  ':]]',
  '[[.',
  '.]]',
  '[[=',
  '=]]',
  '-',
  '\\',
  '\n',
  '{',
  '}',
  '{a,b}',
  '{1..9999}',
  '!(',
  '@(',
  '+(',
  '|',
  ')',
  '**',
  '/',
];
/** Lengths of names and patterns that real ones stay below; kmod cuts at 4,095 bytes. */
const LONGEST = 400;
const MOST = 20;

function compose(random: Random): Buffer {
  const alphabet = random.of(['ab*', 'ab*?[]', 'ab*?[]!-\\', 'a*', 'ab[]:.=^-\\', 'a*?{},()|!@+/', 'ab']);
  const patterns = Array.from({ length: 1 + random.below(12) }, () => random.text(alphabet, 0, 24));
  return bytes([...patterns, random.text('aab[]*', 0, 40)].join('\n'));
}

/** The last line is the name, the others are patterns. */
function read(input: Buffer): void {
  const lines = latin1(input)
    .split('\n')
    .slice(0, MOST)
    .map((line) => line.slice(0, LONGEST));
  const name = lines.pop() ?? '';
  for (const pattern of lines) {
    fnmatch(pattern, name);
    check(fnmatch(pattern.replaceAll(/[*?[\\]/g, '\\$&'), pattern), 'an escaped pattern is itself');
    const end = bracketEnd(pattern, 0);
    check(end === -1 || (end > 0 && end <= pattern.length), 'a bracket ends inside the pattern');
    const takes = compileGlob(pattern);
    takes(name);
    check(isGlob(pattern) || takes(pattern), 'what is no glob is itself');
  }
  const rows = lines.filter((line) => /^[\x01-\x7f]*$/.test(line)).map((line, i): Row => [line, `m${i}`, i % 3]);
  const told = ([pattern, value]: readonly string[]) => `${pattern}\0${value}`;
  const expected = [...new Set(kmodSearch(rows, name).map(([pattern, value]) => told([pattern, value])))];
  const found = indexOf(rows)
    .search(key(name))
    .map(({ pattern, value }) => told([pattern, value]));
  check(found.join('\n') === expected.join('\n'), 'the index finds what the plain model finds, in its order');
}

export const kind: FuzzKind = { samples: SAMPLES.map(bytes), words: WORDS, compose, read };
