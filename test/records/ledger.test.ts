import t from 'tap';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import type { ModuleRecord } from '../../agent/records/coldplug-run.ts';
import { ledgerEntry } from '../../agent/records/ledger.ts';

const RECORD: ModuleRecord = {
  module: 'mii' as ModuleName,
  path: '/m/mii.ko',
  params: '',
  why: 'target',
  requester: { devpath: '' as Devpath, subsystem: '', name: 'mii', by: 'person' },
  result: 'inserted',
  waitedFor: [],
  addedMs: 0,
};
const TIME = '2026-01-02T03:04:05.678Z';

const ROWS: ReadonlyArray<readonly [rule: string, record: Partial<ModuleRecord>, entry: object]> = [
  [
    'what is empty or not known is left out of JSON',
    {},
    { time: TIME, module: 'mii', by: 'person', name: 'mii', why: 'target', path: '/m/mii.ko' },
  ],
  [
    'a device that asks is not named as one who does',
    { requester: { devpath: '/devices/a' as Devpath, subsystem: 'pci', name: 'pci:v1' } },
    {
      time: TIME,
      module: 'mii',
      by: 'device',
      name: 'pci:v1',
      device: '/devices/a',
      subsystem: 'pci',
      why: 'target',
      path: '/m/mii.ko',
    },
  ],
  [
    'a dependency, and how long it took, to the hundredth of a millisecond',
    { for: 'e100' as ModuleName, why: 'depends', params: 'a=1', startedMs: 1.2345, endedMs: 3.456 },
    {
      time: TIME,
      module: 'mii',
      by: 'person',
      name: 'mii',
      dependencyOf: 'e100',
      why: 'depends',
      path: '/m/mii.ko',
      params: 'a=1',
      ms: 2.22,
    },
  ],
];
for (const [rule, record, entry] of ROWS) {
  t.test(rule, (t) => {
    t.same(JSON.parse(JSON.stringify(ledgerEntry({ ...RECORD, ...record }, TIME))), entry);
    t.end();
  });
}
