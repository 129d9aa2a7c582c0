import t from 'tap';
import type { Devpath, Modalias, ModuleName } from '../../../agent/base/names.ts';
import type { DeviceRow } from '../../../agent/records/device-row.ts';
import { deviceMetricsText } from '../../../agent/report/devices/device-metrics.ts';
import { VERDICTS, type Verdict } from '../../../agent/diagnosis/verdict.ts';

function row(name: string, verdict: Verdict, more: Partial<DeviceRow> = {}): DeviceRow {
  const modaliases = [`pci:v0000${name}bc02sc00i00` as Modalias];
  const devpath = `/devices/${name}` as Devpath;
  return { devpath, subsystem: 'pci', name, modaliases, modules: [], verdict, reason: '', ...more };
}

t.test('every verdict has a count; what needs attention has a line', (t) => {
  const text = deviceMetricsText([
    row('a', 'loaded', { driver: 'e1000e' }),
    row('b', 'failed', { modules: ['r8125' as ModuleName, 'r8169' as ModuleName] }),
    row('c', 'no-match'),
    row('d', 'no-match', { subsystem: 'platform', modaliases: [] }),
    row('e', 'blacklisted', { driver: 'other' }),
  ]);
  for (const verdict of VERDICTS) t.match(text, `plugd_devices_by_verdict{verdict="${verdict}"} `);
  t.match(text, 'plugd_devices_by_verdict{verdict="no-match"} 2\n');
  t.same(text.match(/^plugd_device_attention.*/gm), [
    'plugd_device_attention{subsystem="pci",device="b",verdict="failed",modules="r8125,r8169"} 1',
    'plugd_device_attention{subsystem="pci",device="c",verdict="no-match",modules=""} 1',
  ]);
  t.match(text, /\n$/);
  t.end();
});

t.test('no name breaks a line or a label', (t) => {
  const text = deviceMetricsText([row('a"b\\c\nd', 'failed')]);
  t.match(text, String.raw`device="a\"b\\c\\x0ad"`);
  for (const line of text.trimEnd().split('\n'))
    t.match(line, /^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="([^"\\]|\\.)*",?)*\} \d+)$/);
  t.end();
});
