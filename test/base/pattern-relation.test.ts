import t from 'tap';
import { fnmatch } from '../../agent/base/fnmatch.ts';
import { relatePatterns, type PatternRelation } from '../../agent/base/pattern-relation.ts';

const ROWS: ReadonlyArray<readonly [pattern: string, other: string, relation: PatternRelation]> = [
  ['aa', 'aa', 'covers'],
  ['aa', 'ab', 'apart'],
  ['a*', 'aa', 'covers'],
  ['a*', 'ba', 'apart'],
  ['*', 'a*b?[cd]', 'covers'],
  ['a*', 'a', 'covers'],
  ['pci:v0000AAAAd*', 'pci:v0000AAAAd00000001sv*sd*bc*sc*i*', 'covers'],
  ['pci:v0000AAAAd00000001sv*', 'pci:v0000AAAAd*', 'overlaps'],
  ['pci:v0000AAAAd*', 'pci:v0000BBBBd*', 'apart'],
  ['pci:v*d00000002*', 'pci:v0000AAAAd00000001sv*sd*bc*sc*i*', 'overlaps'],
  ['pci:v*i00', 'pci:v0000AAAAd*', 'overlaps'],
  ['usb:v1*p2*', 'usb:v1p3*', 'overlaps'],
  ['a?', 'a*', 'overlaps'],
  ['a?', 'a[bc]', 'covers'],
  ['a[bc]', 'a?', 'overlaps'],
  ['a[bcd]', 'a[bc]', 'covers'],
  ['a[bc]', 'a[bcd]', 'overlaps'],
  ['a[bc]', 'a[de]', 'apart'],
  ['a[!b]', 'a[b]', 'apart'],
  ['a??', 'a?', 'apart'],
  ['a*c', 'a*b', 'apart'],
  ['a*b*c', 'aXbYc*c', 'covers'],
  ['\\*', '*', 'overlaps'],
  ['\\*', '\\*', 'covers'],
  ['a\\', '*', 'apart'],
  ['x[', 'x[', 'covers'],
  ['*[[:foo:]]', '*', 'apart'],
  ['', '', 'covers'],
  ['', '*', 'overlaps'],
  ['*', '', 'covers'],
];

t.test('how two patterns stand to each other', (t) => {
  for (const [pattern, other, relation] of ROWS)
    t.equal(relatePatterns(pattern, other), relation, `${pattern} ${other}`);
  t.end();
});

t.test('no text contradicts it', (t) => {
  const patterns = [
    '*',
    'a',
    'a*',
    '*b',
    'a?',
    '?',
    '??',
    'a*b',
    '[ab]',
    '[!a]b',
    'ab',
    '[ab][ab]',
    '*a*',
    'a[ab]*',
    '',
  ];
  const texts = ['', 'a', 'b', 'aa', 'ab', 'ba', 'bb', 'aab', 'abb', 'bab', 'aba', 'abab'];
  const wrong: string[] = [];
  for (const pattern of patterns) {
    for (const other of patterns) {
      const relation = relatePatterns(pattern, other);
      for (const text of texts) {
        const both = fnmatch(pattern, text) && fnmatch(other, text);
        if (both && relation === 'apart') wrong.push(`${pattern} ${other} apart: ${text}`);
        if (fnmatch(other, text) && !both && relation === 'covers') wrong.push(`${pattern} ${other} covers: ${text}`);
      }
      const meets = texts.some((text) => fnmatch(pattern, text) && fnmatch(other, text));
      if (meets === (relation === 'apart')) wrong.push(`${pattern} ${other}: ${relation}`);
    }
  }
  t.same(wrong, []);
  t.equal(relatePatterns(`${'*a'.repeat(200)}*`, `${'*b'.repeat(200)}*`), 'overlaps', 'a long pair ends');
  t.end();
});
