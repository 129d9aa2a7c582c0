import t from 'tap';
import { badParameters, declaredParameters, parameterWords, sameValue } from '../../agent/diagnosis/parameters.ts';

t.test('parameters', (t) => {
  const fields = [
    { key: 'parm', value: 'power_save:Automatic power-saving timeout (seconds).' },
    { key: 'parmtype', value: 'power_save:xint' },
    { key: 'parmtype', value: 'index:array of int' },
    { key: 'parmtype', value: 'enable:bool' },
    { key: 'parmtype', value: 'level:uint' },
    { key: 'parmtype', value: 'small:short' },
    { key: 'parmtype', value: 'name:charp' },
    { key: 'license', value: 'GPL' },
  ];
  const judge = (text: string) =>
    badParameters(fields, [{ text }]).map(
      ({ name, kind, suggestion }) => `${kind} ${name}${suggestion === undefined ? '' : ` → ${suggestion}`}`,
    );
  const good = [
    'power_save=anything',
    'power-save=1',
    'index=1,-1,0x2',
    'enable',
    'enable=Y',
    'enable=off',
    'level=010',
    'small=-32768',
    'name="a b"',
    'dyndbg="+p"',
    '',
  ];
  for (const text of good) t.same(judge(text), [], text);
  const bad: Record<string, string[]> = {
    'powersave=1': ['unknown powersave → power_save'],
    xyz: ['unknown xyz'],
    'index=1,x': ['value index'],
    index: ['value index'],
    'enable=maybe': ['value enable'],
    'level=-1': ['value level'],
    'level=4294967296': ['value level'],
    'level=08': ['value level'],
    'small=32768': ['value small'],
    name: ['value name'],
    'level=1 lvel=2 small=x': ['unknown lvel → level', 'value small'],
  };
  for (const [text, expected] of Object.entries(bad)) t.same(judge(text), expected, text);
  t.same(parameterWords('a=1 b="x y" "c=d e" f  g='), [
    { name: 'a', value: '1' },
    { name: 'b', value: 'x y' },
    { name: 'c', value: 'd e' },
    { name: 'f', value: undefined },
    { name: 'g', value: '' },
  ]);
  t.end();
});

t.test('what a module declares', (t) => {
  const declared = declaredParameters([
    { key: 'parm', value: 'a:described' },
    { key: 'parmtype', value: 'a:int' },
    { key: 'parm', value: 'own:with code of its own' },
    { key: 'parmtype', value: 'bare:bool' },
    { key: 'license', value: 'GPL' },
  ]);
  t.same(
    [...declared],
    [
      ['a', 'int'],
      ['own', undefined],
      ['bare', 'bool'],
    ],
  );
  t.end();
});

/** A value as it was given, as sysfs shows the parameter, and whether that is the same. */
const SHOWN: ReadonlyArray<readonly [rule: string, given: string | undefined, now: string, same: boolean]> = [
  ['itself', 'abc', 'abc', true],
  ['a bool is shown as Y or N', 'on', 'Y', true],
  ['a bool is shown as Y or N', '0', 'N', true],
  ['another bool', 'off', 'Y', false],
  ['a bool without a value is on', undefined, 'Y', true],
  ['a bool without a value is on, as a number too', undefined, '1', true],
  ['a bool without a value is not off', undefined, 'N', false],
  ['a bool that is kept as a number', 'y', '1', true],
  ['a number is shown decimal', '0x10', '16', true],
  ['another number', '0x10', '10', false],
  ['an array shows elements that were not given', '1,2', '1,2,0,0', true],
  ['an array with another element', '1,3', '1,2,0,0', false],
  ['more elements than there are', '1,2,3', '1,2', false],
];
for (const [rule, given, now, same] of SHOWN) {
  t.test(`${rule}: ${given ?? 'no value'}, ${now}`, (t) => {
    t.equal(sameValue(given, now), same);
    t.end();
  });
}
