import t from 'tap';
import { evaluate } from '../../../agent/rules/udev/load-requests.ts';
import { parseLoadRules } from '../../../agent/rules/udev/load-rules.ts';
import { ask, device } from './given-device.ts';

/** So many that work which grows with the square of the lines would never end. */
const MANY = 6000;
const each = (line: (i: number) => string) => Array.from({ length: MANY }, (_, i) => line(i)).join('\n');

t.test('an attribute is read once for a device, however many lines compare it', (t) => {
  const rules = parseLoadRules([
    { file: 'a.rules', text: each((i) => `ATTR{id}=="${i}", RUN{builtin}+="kmod load m${i}"`) },
  ]);
  const read: string[] = [];
  const one = { ...device({}), attribute: (name: string) => (read.push(name), '7') };
  t.same(
    evaluate(rules, one).map(({ names }) => names),
    [['m7']],
  );
  t.same(read, ['id']);
  t.same(evaluate(rules, one).length, 1);
  t.same(read, ['id', 'id'], 'the next device is read for itself');
  t.end();
});

const LONG: ReadonlyArray<readonly [rule: string, rules: string, expected: number]> = [
  ['a chain of jumps', each((i) => `KERNEL=="x", GOTO="l${i}"\nRUN{builtin}+="kmod load x${i}"\nLABEL="l${i}"`), 0],
  ['jumps to one label', `${each(() => 'KERNEL=="x", GOTO="end"\nRUN{builtin}+="kmod load x"')}\nLABEL="end"`, 0],
  [
    'jumps to the nearest of many labels',
    each(() => 'KERNEL=="x", GOTO="l"\nRUN{builtin}+="kmod load x"\nLABEL="l"'),
    0,
  ],
  ['lines of another subsystem', each((i) => `SUBSYSTEM=="usb", RUN{builtin}+="kmod load x${i}"`), 0],
  ['as many requests', each((i) => `RUN{builtin}+="kmod load x${i}"`), MANY],
];
for (const [rule, rules, expected] of LONG) {
  t.test(`long files: ${rule}`, (t) => {
    t.equal(ask(rules, { kernelName: 'x', subsystem: 'pci' }).length, expected);
    t.end();
  });
}

t.test('a file of noise: the first thousand problems and how many there are besides', (t) => {
  const { problems } = parseLoadRules([{ file: 'a.rules', text: each((i) => `GOTO="kmod${i}"`) }]);
  t.equal(problems.length, 1001);
  t.match(problems.at(-1), { line: 0, message: '5000 more lines of this file are wrong' });
  t.end();
});
