import t from 'tap';
import { hasFailures, isWithoutDevice, withoutDevice, type ModuleRecord } from '../../agent/records/coldplug-run.ts';
import { record } from '../report/run-records.ts';

const made = (module: string, rest: Partial<ModuleRecord>): ModuleRecord => record(module, 1, 2, rest);
const noDevice = (module: string) => made(module, { result: 'failed', cause: 'no-device' });
const unsigned = (module: string) => made(module, { result: 'failed', cause: 'signature' });
const skipped = (module: string, behind?: string) => made(module, { result: 'skipped', detail: behind });

const ONE: ReadonlyArray<readonly [rule: string, record: ModuleRecord, known: readonly string[], expected: boolean]> = [
  ['its own init found no device', noDevice('a'), [], true],
  ['it waits for one that found none', skipped('a', 'b'), ['b'], true],
  ['it waits for one of which nothing is known', skipped('a', 'b'), [], false],
  ['it waits for another', skipped('a', 'b'), ['c', 'a'], false],
  ['it was skipped, and nothing says why', skipped('a'), [''], false],
  ['words that go with another result name no module', made('a', { result: 'failed', detail: 'b' }), ['b'], false],
  ['it failed for another reason', unsigned('a'), ['a'], false],
  ['it was inserted', made('a', {}), ['a'], false],
  ['a name that is not ASCII', skipped('a', 'm\xe9'), ['m\xe9'], true],
];
for (const [rule, given, known, expected] of ONE) {
  t.test(`without a device: ${rule}`, (t) => {
    t.equal(isWithoutDevice(given, new Set(known)), expected);
    t.end();
  });
}

const RUNS: ReadonlyArray<readonly [rule: string, records: readonly ModuleRecord[], expected: readonly string[]]> = [
  ['none of none', [], []],
  ['none of those that failed otherwise', [unsigned('a'), skipped('b', 'a')], []],
  ['what needs it goes with it', [noDevice('a'), skipped('b', 'a')], ['a', 'b']],
  [
    'in any order, through several',
    [skipped('d', 'c'), skipped('c', 'b'), skipped('b', 'a'), noDevice('a')],
    ['a', 'b', 'c', 'd'],
  ],
  ['modules that wait for each other found nothing', [skipped('a', 'b'), skipped('b', 'a')], []],
  ['one module in two records', [skipped('a', 'z'), noDevice('a'), skipped('b', 'a')], ['a', 'b']],
];
for (const [rule, records, expected] of RUNS) {
  t.test(`of a run: ${rule}`, (t) => {
    t.same([...withoutDevice(records)].toSorted(), expected);
    t.end();
  });
}

const FAILURES: ReadonlyArray<readonly [rule: string, records: readonly ModuleRecord[], expected: boolean]> = [
  ['nothing was to be done', [], false],
  ['all inserted', [made('a', {}), made('b', { result: 'already-loaded' })], false],
  ['one of many failed', [made('a', {}), unsigned('b'), made('c', {})], true],
  ['a failure without a cause', [made('a', { result: 'failed' })], true],
  ['no hardware is no failure', [noDevice('a'), skipped('b', 'a')], false],
  ['skipped behind a failure is not another one', [skipped('b', 'a')], false],
  ['the run was ended before', [made('a', { result: 'unfinished' })], false],
];
for (const [rule, records, expected] of FAILURES) {
  t.test(`failures: ${rule}`, (t) => {
    t.equal(hasFailures(records), expected);
    t.end();
  });
}
