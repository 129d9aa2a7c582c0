import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { fnmatch } from '../../../agent/base/fnmatch.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { Random } from '../../fixtures/random.ts';

const ready = await needCommands(['gcc', '/usr/include/stdio.h']);
const skip = ready.kind === 'missing' && ready.sentence;

// Pattern alphabets and the texts to go with them. Classes are pieces, or none would ever come about.
const KINDS: ReadonlyArray<readonly [pieces: readonly string[], texts: string]> = [
  ['ab*?'.split(''), 'ab'],
  ['ab*?[]!^-'.split(''), 'ab]-!['],
  ['ab*?[]\\-'.split(''), 'ab\\]-['],
  [['[', ']', '[:alpha:]', '[:digit:]', '[:nope:]', '[=a=]', '[.a.]', '!', 'a', '0', '-', '*'], 'ab0:[]'],
  ['a[]\xe4\xff-z*'.split(''), 'a\xe4\xffz['],
  [['[a', 'b]', '*', '?', '[!', ']', '\\', '-', 'x'], 'abx]\\'],
];

/**
 * Brackets on which glibc disagrees with itself: it reads the rest of a bracket by other rules once a member has matched. A
 * range whose end is `[:` or `[=`; a range without an end, or an unknown class, in a bracket that is never closed.
 */
const TWO_MINDS = /-\[[:=]|\[.*-$|\[:nope:\][^\]]*$/;

t.test("agrees with glibc's fnmatch on random patterns and texts (seeded)", { skip }, (t) => {
  const program = join(t.testdir({}), 'fnmatch');
  execFileSync('gcc', ['-O1', '-o', program, join(import.meta.dirname, '../../../../test/oracle/indexes/fnmatch.c')]);
  const random = new Random(3);
  const rows = Array.from({ length: 300_000 }, (_, i): readonly [string, string] => {
    const [pieces, texts] = KINDS[i % KINDS.length] as (typeof KINDS)[number];
    const pattern = Array.from({ length: random.below(9) }, () => random.of(pieces)).join('');
    return [TWO_MINDS.test(pattern) ? 'x*y' : pattern, random.text(texts, 0, 6)];
  });
  const input = Buffer.from(rows.map(([pattern, text]) => `${pattern}\t${text}\n`).join(''), 'latin1');
  const answers = execFileSync(program, { input, env: { LC_ALL: 'C' }, maxBuffer: 1 << 24 })
    .toString()
    .split('\n');
  const wrong = rows.filter(([pattern, text], i) => (answers[i] === '1') !== fnmatch(pattern, text));
  t.same(wrong.slice(0, 20), []);
  const matched = answers.filter((answer) => answer === '1').length;
  t.ok(matched > 15_000, `${matched} of ${rows.length} match`);
  t.end();
});
