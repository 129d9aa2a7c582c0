import t from 'tap';
import { API_CHANGES, apiChange } from '../../../../agent/dkms/build/why/api-changes.ts';

t.test('the table of changes', async (t) => {
  t.ok(API_CHANGES.length >= 60, 'is of use');
  t.equal(new Set(API_CHANGES.map(({ symbol }) => symbol)).size, API_CHANGES.length, 'has each name once');
  t.same(
    API_CHANGES.filter(({ since }) => !/^\d\.\d+$/.test(since)),
    [],
    'has releases as kernel.org numbers them',
  );
  t.same(
    API_CHANGES.filter(({ symbol, now }) => now === '' || now === symbol),
    [],
    'says what to use instead',
  );
});

t.test('what became of a name', async (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, symbol: string, kind: string | undefined, since: string | undefined]
  > = [
    ['a function that is gone', 'from_timer', 'gone', '6.16'],
    ['a member of a struct', 'timer_list.data', 'gone', '4.15'],
    ['a header', 'linux/ide.h', 'gone', '5.14'],
    ['one with other arguments', 'class_create', 'changed', '6.4'],
    ['one that older kernels lack', 'timer_setup', 'added', '4.15'],
    ['one that modules may not use any more', 'kallsyms_lookup_name', 'gone', '5.7'],
    ['one that stays', 'printk', undefined, undefined],
    ["a word of JavaScript's objects", 'constructor', undefined, undefined],
    ['no name', '', undefined, undefined],
  ];
  for (const [rule, symbol, kind, since] of rows) {
    const change = apiChange(symbol);
    t.equal(change?.kind, kind, rule);
    t.equal(change?.since, since, rule);
  }
});
