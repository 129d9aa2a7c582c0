import t from 'tap';
import type { LedgerEntry } from '../../../agent/records/ledger.ts';
import { ledgerRun } from '../../../agent/report/timeline/ledger-run.ts';
import { trace } from '../../../agent/report/timeline/trace.ts';
import type { ColdplugRun } from '../../../agent/records/coldplug-run.ts';
import { name } from '../run-records.ts';
import { traceFaults } from './trace-format.ts';

const WHERE = { kernel: '6.1', moduleDir: '/lib/modules/6.1' };
const entry = (
  module: string,
  second: number,
  ms: number | undefined,
  rest: Partial<LedgerEntry> = {},
): LedgerEntry => ({
  time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
  module: name(module),
  by: 'device',
  ms,
  ...rest,
});

t.test('a ledger as a run', (t) => {
  const entries = [
    entry('e1000e', 3, 1000, { device: '/devices/x', subsystem: 'pci', name: 'pci:v1', why: 'target' }),
    entry('mii', 1, 500, { dependencyOf: name('e1000e'), why: 'depends' }),
    entry('outside', 2, undefined, { by: 'outside' }),
    entry('late', 60, 100, { by: 'kernel' }),
  ];
  const run = ledgerRun(entries, WHERE);
  t.same(
    run?.modules.map(({ module, startedMs, endedMs }) => [module, startedMs, endedMs]),
    [
      ['mii', 0, 500],
      ['e1000e', 1500, 2500],
      ['late', 59_400, 59_500],
    ],
  );
  t.same(run?.modules[1]?.waitedFor, ['mii'], 'what a module needs, it waited for');
  t.match(run?.modules[1]?.requester, { devpath: '/devices/x', subsystem: 'pci', name: 'pci:v1', by: undefined });
  t.equal(run?.modules[2]?.requester.by, 'kernel');
  t.equal(run?.wallMs, 59_500);
  const boot = ledgerRun(entries, { ...WHERE, boot: true });
  t.same(
    boot?.modules.map(({ module }) => module),
    ['mii', 'e1000e'],
    'the boot ends with the first long pause',
  );
  t.same(traceFaults(JSON.stringify(trace(run as ColdplugRun, 'agent'))), [], 'and as a trace');
  t.match(trace(run as ColdplugRun, 'agent').traceEvents[0], { args: { name: 'plugd agent, Linux 6.1' } });
  t.equal(ledgerRun([entry('a', 1, undefined)], WHERE), undefined);
  t.equal(ledgerRun([{ ...entry('a', 1, 5), time: 'yesterday' }], WHERE), undefined);
  t.end();
});
