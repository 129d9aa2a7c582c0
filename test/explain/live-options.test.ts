import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { idleOptions, reloadRemedy } from '../../agent/explain/live-options.ts';

const MODULE = 'snd_hda' as ModuleName;
const place = { file: '/a.conf', line: 1 };

/** What rules give, what sysfs shows, the sentences. */
const ROWS: ReadonlyArray<
  readonly [rule: string, given: readonly string[], shown: Record<string, string>, sentences: readonly string[]]
> = [
  ['the value is in effect', ['power_save=1'], { power_save: '1' }, []],
  [
    'another value',
    ['power_save=1'],
    { power_save: '0' },
    ['power_save=1 (/a.conf:1) is not in effect: power_save is 0 now'],
  ],
  [
    'a dash in the name',
    ['power-save=1'],
    { power_save: '0' },
    ['power_save=1 (/a.conf:1) is not in effect: power_save is 0 now'],
  ],
  ['the last value counts', ['power_save=0', 'power_save=1'], { power_save: '1' }, []],
  ['what sysfs does not show cannot be told', ['hidden=1'], {}, []],
  ['a flag without a value', ['enable'], { enable: 'N' }, ['enable (/a.conf:1) is not in effect: enable is N now']],
  ['two of one line', ['a=1 b=2'], { a: '0', b: '2' }, ['a=1 (/a.conf:1) is not in effect: a is 0 now']],
];
for (const [rule, given, shown, sentences] of ROWS) {
  t.test(rule, (t) => {
    const sysfs = t.testdir({});
    const folder = `${sysfs}/module/${MODULE}/parameters`;
    mkdirSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(shown)) writeFileSync(`${folder}/${name}`, `${value}\n`);
    const host = { root: '', kernel: '1', moduleDir: '/m', sysfs, proc: '/none' };
    const found = idleOptions(
      host,
      MODULE,
      given.map((text) => ({ text, place })),
    );
    t.same(found, sentences);
    t.end();
  });
}

t.test('an option without a place has none in its sentence; the remedy names the module', (t) => {
  const sysfs = t.testdir({ module: { [MODULE]: { parameters: { a: '0' } } } });
  const host = { root: '', kernel: '1', moduleDir: '/m', sysfs, proc: '/none' };
  t.same(idleOptions(host, MODULE, [{ text: 'a=1' }]), ['a=1 is not in effect: a is 0 now']);
  t.match(reloadRemedy(MODULE), /modprobe -r snd_hda && modprobe snd_hda/);
  t.end();
});
