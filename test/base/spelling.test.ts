import t from 'tap';
import { editDistance, meantWord, nearestWord } from '../../agent/base/spelling.ts';
import { Random } from '../fixtures/random.ts';

const DIRECTIVES = ['alias', 'blacklist', 'install', 'options', 'remove', 'softdep', 'weakdep'];

const NEAREST: ReadonlyArray<readonly [rule: string, word: string, expected: string | undefined]> = [
  ['a missing letter', 'blaklist', 'blacklist'],
  ['an extra letter', 'optionss', 'options'],
  ['a wrong letter', 'instull', 'install'],
  ['two neighbours exchanged', 'sofdtep', 'softdep'],
  ['two mistakes in a word of six letters or more', 'optins2', 'options'],
  ['two mistakes in a word of five letters are too many', 'alxxs', undefined],
  ['another word altogether', 'frobnicate', undefined],
  ['the empty word', '', undefined],
  ['the word itself is not a correction', 'alias', undefined],
  ['the first of two equally near ones', 'xeakdep', 'weakdep'],
];
for (const [rule, word, expected] of NEAREST) {
  t.test(rule, (t) => {
    t.equal(nearestWord(word, DIRECTIVES), expected);
    t.end();
  });
}

t.test('of two that are near the nearer, and of equals the first', (t) => {
  t.equal(nearestWord('abcdefg', ['abcdexx', 'abcdefx']), 'abcdefx');
  t.equal(nearestWord('abc', ['abx', 'aby']), 'abx');
  t.equal(nearestWord('abc', []), undefined);
  t.equal(nearestWord('nouveu', ['nvidia', 'nouveau', 'nova']), 'nouveau');
  t.equal(nearestWord('xyz', ['nouveau', 'abc']), undefined);
  t.equal(nearestWord('same', ['same']), undefined, 'a word is not a misspelling of itself');
  t.end();
});

const DISTANCES: ReadonlyArray<readonly [a: string, b: string, distance: number]> = [
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
  ['ca', 'abc', 3],
  ['blaklist', 'blacklist', 1],
  ['ab', 'ba', 1],
];
t.test('edit distances', (t) => {
  for (const [a, b, distance] of DISTANCES) t.equal(editDistance(a, b), distance, `${a} and ${b}`);
  t.end();
});

t.test('a distance is the same both ways, and at most one for each edit (seeded)', (t) => {
  const random = new Random(3);
  for (let round = 0; round < 2000; round++) {
    const a = random.text('abc', 0, 8);
    let b = a;
    const edits = random.below(4);
    for (let i = 0; i < edits; i++) {
      const at = random.below(b.length + 1);
      const change = random.below(3);
      const inserted = change === 0 ? '' : random.of(['a', 'b', 'c']);
      b = b.slice(0, at) + inserted + b.slice(at + (change === 1 ? 0 : 1));
    }
    const distance = editDistance(a, b);
    if (distance > edits || distance !== editDistance(b, a) || (distance === 0) !== (a === b)) {
      t.fail(`${a} and ${b}: ${distance} after ${edits} edits`);
    }
  }
  t.pass('2,000 pairs');
  t.end();
});

t.test('what a person meant: the only word that begins so, or the nearest', (t) => {
  const words = ['devices', 'doctor', 'dry-run', 'json'];
  const rows: ReadonlyArray<readonly [word: string, meant: string | undefined]> = [
    ['dev', 'devices'],
    ['d', undefined],
    ['do', 'doctor'],
    ['jsn', 'json'],
    ['xyzzy', undefined],
  ];
  for (const [word, meant] of rows) t.equal(meantWord(word, words), meant, word);
  t.end();
});
