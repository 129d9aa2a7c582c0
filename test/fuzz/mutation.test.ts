import t from 'tap';
import { Random } from '../fixtures/random.ts';
import type { FuzzKind } from './kind.ts';
import { LONGEST_INPUT, minimised, nextInput } from './mutation.ts';

const kind: FuzzKind = {
  samples: [Buffer.from('sample one'), Buffer.alloc(0), Buffer.alloc(LONGEST_INPUT, 7)],
  words: ['WORD'],
  compose: (random) => Buffer.from(`composed ${random.below(10)}`),
  read: () => {},
};

t.test('equal seeds give equal inputs, and others give others', (t) => {
  const inputs = Array.from({ length: 300 }, (_, seed) => nextInput(kind, new Random(seed)));
  const again = Array.from({ length: 300 }, (_, seed) => nextInput(kind, new Random(seed)));
  t.ok(inputs.every((input, i) => input.equals(again[i] ?? Buffer.alloc(0))));
  t.ok(new Set(inputs.map((input) => input.toString('base64', 0, 500) + input.length)).size > 150);
  t.ok(inputs.every((input) => input.length <= LONGEST_INPUT));
  t.ok(
    inputs.some((input) => input.includes('WORD')),
    'words of the grammar come in',
  );
  t.ok(
    inputs.some((input) => /^composed \d$/.test(input.toString())),
    'some inputs stay as composed',
  );
  t.end();
});

t.test('samples and words are never changed themselves', (t) => {
  const before = kind.samples.map((sample) => Buffer.from(sample));
  for (let seed = 0; seed < 300; seed++) nextInput(kind, new Random(seed));
  t.ok(kind.samples.every((sample, i) => sample.equals(before[i] ?? Buffer.alloc(1))));
  t.end();
});

const CASES: ReadonlyArray<readonly [rule: string, input: string, fails: RegExp, expected: string]> = [
  ['one byte is enough', 'aaaa!aaaa', /!/, '!'],
  ['two bytes apart', 'xxxx(yyyy)zzzz', /\(.*\)/, '()'],
  ['everything is needed', 'abc', /^abc$/, 'abc'],
  ['the empty input fails too', 'abc', /^/, ''],
];
for (const [rule, input, fails, expected] of CASES) {
  t.test(`the shortest input that fails: ${rule}`, (t) => {
    t.equal(minimised(Buffer.from(input), (candidate) => fails.test(candidate.toString())).toString(), expected);
    t.end();
  });
}

t.test('minimising ends, whatever it costs', (t) => {
  let calls = 0;
  const input = Buffer.alloc(10_000, 1);
  const least = minimised(input, () => (calls++, false), 100);
  t.equal(calls, 100);
  t.ok(least.equals(input));
  t.end();
});
