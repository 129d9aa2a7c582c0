import t from 'tap';
import type { Devpath, Modalias, ModuleName } from '../../agent/base/names.ts';
import { deviceCounts, deviceTable, deviceTree } from '../../agent/report/devices/device-table.ts';
import type { DeviceRow } from '../../agent/records/device-row.ts';
import { cell, folded, labelled, table, wrapped } from '../../agent/report/layout.ts';
import type { Terminal } from '../../agent/report/terminal.ts';
import { counted, listed, placeText } from '../../agent/base/words.ts';

const PLAIN = { colour: false, width: 80 };

t.test('text is broken at blanks, and a long word stays whole', (t) => {
  t.same(wrapped('aa bb cc', 5), ['aa bb', 'cc']);
  t.same(wrapped('', 5), ['']);
  t.same(wrapped('a /very/long/path b', 6), ['a', '/very/long/path', 'b']);
  t.same(labelled('  key', 'one two three four', { colour: false, width: 16 }, 7), [
    '  key  one two',
    '       three',
    '       four',
  ]);
  t.end();
});

t.test('a message is broken behind its first word', (t) => {
  t.equal(folded('plugd: one two three\nplugd: four\n', 14), 'plugd: one two\n       three\nplugd: four\n');
  t.equal(folded('  a b c d e f', 8), '  a b c\n  d e f', 'indented lines stay so');
  t.equal(folded('error: /a/long/path/that/fits/nowhere x', 12), 'error: /a/long/path/that/fits/nowhere\n       x');
  t.equal(folded('one two three', Infinity), 'one two three');
  t.end();
});

t.test('what stands in a column runs into nothing', (t) => {
  t.equal(`${cell('abc', 6)}|`, 'abc   |');
  t.equal(`${cell('abcd', 6)}|`, 'abcd  |');
  t.equal(`${cell('abcdefgh', 6)}|`, 'abcdefgh  |');
  t.same(labelled('label', 'text', PLAIN, 4), ['label text']);
  t.same(labelled('labe', 'text', PLAIN, 4), ['labe text']);
  t.same(labelled('    ', 'text', PLAIN, 4), ['    text'], 'blanks only indent');
  t.same(labelled('', 'text', PLAIN, 0), ['text']);
  t.same(
    labelled('', 'a b '.repeat(99).trim(), { colour: false, width: Infinity }).length,
    1,
    'endless where there is no width',
  );
  t.end();
});

t.test('tables', (t) => {
  const columns = [{ title: 'A' }, { title: 'LONG', least: 4 }, { title: 'N', right: true }];
  const rows = [
    ['x', 'abcdefghij', '7'],
    ['yy', 'k', '10'],
  ];
  t.same(table(columns, rows, 80), ['A   LONG         N', 'x   abcdefghij   7', 'yy  k           10']);
  t.same(table(columns, rows, 13), ['A   LONG    N', 'x   abcd…   7', 'yy  k      10']);
  t.same(table(columns, rows, 5), ['A   LONG   N', 'x   abc…   7', 'yy  k     10'], 'nothing is cut below its least');
  const long = 'z'.repeat(50);
  t.same(
    table(
      columns,
      [
        ['x', long, '1'],
        ['y', 'k', '2'],
      ],
      Infinity,
    ),
    [`A  ${'LONG'.padEnd(32)}  N`, `x  ${long}  1`, `y  ${'k'.padEnd(32)}  2`],
    'for a pipe nothing is cut',
  );
  t.same(table(columns, [], 80), ['A  LONG  N']);
  const spare = [{ title: 'A' }, { title: 'LONG', least: 4 }, { title: 'S', spare: true }];
  const row = ['xx', 'abcdefgh', 'sss'];
  t.same(table(spare, [row], 13), ['A   LONG  S', 'xx  abc…  sss']);
  t.same(table(spare, [row], 12), ['A   LONG', 'xx  abcdefgh'], 'a spare column makes room');
  t.end();
});

t.test('words', (t) => {
  t.same(
    [counted(1, 'device'), counted(0, 'device'), counted(2, 'entry', 'entries')],
    ['1 device', '0 devices', '2 entries'],
  );
  t.same([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])], ['', 'a', 'a and b', 'a, b and c']);
  t.equal(placeText({ file: '/etc/a.conf', line: 3 }), '/etc/a.conf:3');
  t.equal(placeText({ file: '/proc/cmdline', line: 1 }), '/proc/cmdline');
  t.end();
});

t.test('devices as table and tree', (t) => {
  const row = (devpath: string, verdict: DeviceRow['verdict'], more: Partial<DeviceRow> = {}): DeviceRow => ({
    devpath: devpath as Devpath,
    subsystem: 'pci',
    name: devpath.slice(devpath.lastIndexOf('/') + 1),
    modaliases: ['pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00' as Modalias],
    modules: ['e1000e' as ModuleName],
    verdict,
    reason: '',
    ...more,
  });
  const rows = [
    row('/devices/b/0000:00:02.0', 'loaded', { driver: 'e1000e' }),
    row('/devices/a', 'failed', { cause: 'signature', modaliases: [] }),
    row('/devices/b', 'no-match', { modules: [], modaliases: ['x\xe9\x01' as Modalias, 'y' as Modalias] }),
  ];
  const columns = ['bus', 'device', 'driver', 'verdict', 'modules', 'modalias'] as const;
  const on = (terminal: Terminal) => ({ terminal, columns, hardware: () => undefined });
  const lines = deviceTable(rows, on(PLAIN)).trimEnd().split('\n');
  t.same(
    lines.filter((line) => line.length > 80),
    [],
  );
  t.match(lines[1], /^pci {2}0000:00:02.0 {2}e1000e {2}loaded +e1000e +pci:v0+8086d.*…$/);
  t.match(lines[3], /x\\xe9\\x01 \+1$/, 'bytes that are no text are shown as such');
  const tree = deviceTree(rows, on({ colour: false, width: Infinity }))
    .split('\n')
    .map((line) => line.slice(5, 20).trimEnd());
  t.same(tree.slice(1, 4), ['a', 'b', '  0000:00:02.0']);
  const coloured = deviceTable(rows, on({ colour: true, width: 80 }));
  t.match(coloured, /\u001B\[31mfailed \(signature\)\u001B\[39m/);
  t.equal(coloured.replaceAll(/\u001B\[\d+m/g, ''), deviceTable(rows, on(PLAIN)));
  t.equal(deviceCounts(rows), '3 devices: 1 loaded, 1 failed, 1 no-match');
  t.end();
});
