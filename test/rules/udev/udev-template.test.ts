import t from 'tap';
import { compileTemplate } from '../../../agent/rules/udev/udev-template.ts';
import { device } from './given-device.ts';

const GIVEN = device({ kernelName: 'sda12', properties: { X: 'x', MODALIAS: 'a b' }, attributes: { type: '7 \n' } });

const ROWS: ReadonlyArray<readonly [template: string, expected: string]> = [
  ['plain', 'plain'],
  ['', ''],
  ['$kernel-%k', 'sda12-sda12'],
  ['$number %n', '12 12'],
  ['$env{X}%E{X}', 'xx'],
  ['$attr{type}%s{type}$sysfs{type}', '777'],
  ['$env{NONE}|$attr{none}', '|'],
  ['$env{MODALIAS}', 'a b'],
  ['$$ %%', '$ %'],
  ['$unknown %z', '$unknown %z'],
  ['$env{X', '{X'],
];

t.test('values in a text', (t) => {
  for (const [template, expected] of ROWS) {
    const compiled = compileTemplate(template);
    t.equal(typeof compiled === 'function' ? compiled(GIVEN) : compiled.unknown, expected, template);
  }
  t.end();
});

t.test('what plugd cannot tell', (t) => {
  for (const [template, unknown] of [
    ['$devnode', '$devnode'],
    ['a %c b', '$result'],
    ['$driver', '$driver'],
    ['%p', '$devpath'],
  ] as const)
    t.same(compileTemplate(template), { unknown }, template);
  t.end();
});
