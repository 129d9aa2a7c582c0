import t from 'tap';
import { NameNumbers } from '../../agent/depmod/name-numbers.ts';
import { Random } from '../fixtures/random.ts';

t.test('numbers are those of a Map, also when the table grows', (t) => {
  const random = new Random(7);
  const numbers = new NameNumbers();
  const known = new Map<string, number>();
  for (let i = 0; i < 120_000; i++) {
    const name = random.text('abc_\xff', 0, 12);
    const before = random.text('xyz', 0, 5);
    const bytes = Buffer.from(`${before}${name}\0rest`, 'latin1');
    const expected = known.get(name) ?? known.size;
    known.set(name, expected);
    const number = numbers.number(bytes, before.length);
    if (number !== expected) t.fail(`${JSON.stringify(name)} is ${number}, not ${expected}`);
  }
  t.ok(known.size > 40_000, `${known.size} names`);
  t.equal(numbers.count, known.size);
  for (const [name, number] of known) if (numbers.name(number) !== name) t.fail(`${number} is ${numbers.name(number)}`);
  t.equal(numbers.number(Buffer.from('without a NUL'), 0), known.size);
  t.equal(numbers.name(known.size), 'without a NUL');
  t.end();
});
