import t from 'tap';
import { journalDatagram } from '../../../agent/report/logging/journal-entry.ts';

const ROWS: ReadonlyArray<
  readonly [rule: string, fields: Readonly<Record<string, unknown>>, lines: readonly string[]]
> = [
  ['no fields', {}, []],
  ['a word', { module: 'e1000e' }, ['PLUGD_MODULE=e1000e']],
  ['a name of two words', { waitMs: 3.5, askedBy: '/etc/a:1' }, ['PLUGD_WAIT_MS=3.5', 'PLUGD_ASKED_BY=/etc/a:1']],
  ['what is not known is left out', { cause: undefined, module: 'x' }, ['PLUGD_MODULE=x']],
  ['lists are JSON', { evidence: ['a', 'b'] }, ['PLUGD_EVIDENCE=["a","b"]']],
  [
    'a value begins no other field',
    { modalias: 'x\nPRIORITY=0\nPLUGD_MODULE=y' },
    ['PLUGD_MODALIAS=x PRIORITY=0 PLUGD_MODULE=y'],
  ],
  ['nor does a name', { 'a\nb=c': 1 }, ['PLUGD_A_B_C=1']],
  ['a long value is cut', { modalias: 'x'.repeat(10_000) }, [`PLUGD_MODALIAS=${'x'.repeat(4096)}`]],
];
for (const [rule, fields, lines] of ROWS) {
  t.test(rule, (t) => {
    const datagram = journalDatagram({ priority: 4, message: 'a\nb', fields });
    t.same(datagram.split('\n'), ['MESSAGE=a b', 'PRIORITY=4', 'SYSLOG_IDENTIFIER=plugd', ...lines, '']);
    t.end();
  });
}
