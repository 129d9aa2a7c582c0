import t from 'tap';
import { firmwareFate } from '../../../agent/explain/replay/firmware-fate.ts';

const ROWS: ReadonlyArray<
  readonly [
    rule: string,
    named: readonly string[],
    there: readonly string[],
    recorded: readonly string[] | undefined,
    fate: string | undefined,
  ]
> = [
  ['what it had is here', ['a', 'b'], ['a', 'b'], ['a', 'b'], undefined],
  ['nothing of what it had is here', ['a', 'b'], [], ['a'], 'no-firmware'],
  ['a part of what it had is here', ['a', 'b'], ['b'], ['a', 'b'], 'unknown'],
  ['another file than it had is here', ['a', 'b'], ['b'], ['a'], 'unknown'],
  ['the module here asks for other files', ['new'], ['new'], ['old'], undefined],
  ['the module here asks for other files, and the machine had none of those', ['new'], [], ['old'], undefined],
  ['the recording does not say', ['a'], [], undefined, undefined],
  ['the machine had none', ['a'], [], [], undefined],
];
for (const [rule, named, there, recorded, fate] of ROWS) {
  t.test(rule, (t) => {
    const fated = firmwareFate({ module: 'wifi', named, there: new Set(there), recorded });
    t.equal(fated?.fate, fate);
    if (fated !== undefined) t.match(fated, { because: /\ba\b/, remedy: /package/ });
    t.end();
  });
}

t.test('the first three files are named', (t) => {
  const named = ['a', 'b', 'c', 'd', 'e'];
  t.match(firmwareFate({ module: 'm', named, there: new Set(), recorded: named })?.because, /: a, b, c and 2 more$/);
  t.end();
});
