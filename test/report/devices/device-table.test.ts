import t from 'tap';
import type { Verdict } from '../../../agent/diagnosis/verdict.ts';
import type { DeviceRow } from '../../../agent/records/device-row.ts';
import { attentionFirst, isFurniture } from '../../../agent/report/devices/device-order.ts';
import { deviceTable, deviceTree } from '../../../agent/report/devices/device-table.ts';

function row(
  name: string,
  subsystem: string,
  verdict: Verdict,
  driver?: string,
  modalias = `${subsystem}:x`,
): DeviceRow {
  return {
    devpath: `/devices/${name}`,
    name,
    subsystem,
    verdict,
    driver,
    modaliases: [modalias],
    modules: [],
    reason: `why ${name}`,
  } as unknown as DeviceRow;
}

const BRIDGE = 'pci:v00008086d00000000sv00000000sd00000000bc06sc00i00';
const NIC = 'pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00';

t.test('furniture: what nothing matches, and what needs no driver', (t) => {
  const rows: ReadonlyArray<readonly [rule: string, row: DeviceRow, furniture: boolean]> = [
    ['of the firmware', row('a', 'acpi', 'no-match'), true],
    ['a bridge', row('a', 'pci', 'no-match', undefined, BRIDGE), true],
    ['a card', row('a', 'pci', 'no-match', undefined, NIC), false],
    ['it has a driver', row('a', 'acpi', 'no-match', 'x'), false],
    ['a module would drive it', row('a', 'acpi', 'would-insert'), false],
    ['a rule keeps its module out', row('a', 'acpi', 'blacklisted'), false],
  ];
  for (const [rule, device, furniture] of rows) t.equal(isFurniture(device), furniture, rule);
  t.end();
});

t.test('what needs attention comes first', (t) => {
  const rows = [
    row('bound', 'pci', 'loaded', 'x'),
    row('new', 'pci', 'would-insert'),
    row('broken', 'pci', 'failed'),
    row('barred', 'pci', 'blacklisted'),
    row('also bound', 'pci', 'blacklisted', 'y'),
  ];
  t.same(
    attentionFirst(rows).map(({ name }) => name),
    ['broken', 'barred', 'new', 'bound', 'also bound'],
  );
  t.end();
});

t.test('columns: the usual ones in 80 columns, and those that are named', (t) => {
  const card = row('0000:00:1f.6', 'pci', 'would-insert', undefined, NIC);
  const rows = [card, { ...card, modules: ['e1000e'] } as unknown as DeviceRow];
  const view = {
    terminal: { colour: false, width: 80 },
    hardware: () => 'Intel Corporation 82574L Gigabit Network Connection',
  };
  const usual = deviceTable(rows, view);
  t.match(
    usual,
    /^BUS +DEVICE +DRIVER +VERDICT +MODULES +NAME\npci +0000:00:1f\.6 +- +would-insert +- +Intel Corp.*…$/m,
  );
  t.ok(usual.split('\n').every((line) => line.length <= 80));
  const none = { ...view, hardware: () => undefined };
  t.match(deviceTable([card], none), /^BUS +DEVICE +DRIVER +VERDICT\n/, 'what is empty everywhere is left out');
  t.match(
    deviceTable([card], { ...none, terminal: { colour: false, width: Infinity } }),
    /MODULES +NAME\n/,
    'in a pipe not',
  );
  t.match(
    deviceTable([card], { ...none, columns: ['device', 'name'] }),
    /^DEVICE +NAME\n/,
    'and not what was asked for',
  );
  t.equal(
    deviceTable([card], { ...view, columns: ['device', 'reason'] }),
    'DEVICE        REASON\n0000:00:1f.6  why 0000:00:1f.6\n',
  );
  t.end();
});

t.test('no line is wider than 80 columns, however long the words are; a verdict that is cut keeps its colour', (t) => {
  const failed = { ...row('ACPI0013:00', 'serial-base-x', 'failed'), cause: 'no-modules-directory' } as DeviceRow;
  const bound = row('0000:00:01.0', 'pci', 'loaded', 'a-driver-with-a-long-name', NIC);
  const rows = [failed, { ...bound, modules: ['a_module_with_a_long_name', 'another_one'] } as unknown as DeviceRow];
  for (const show of [deviceTable, deviceTree])
    for (const width of [80, 120]) {
      const view = { terminal: { colour: false, width }, hardware: () => 'Intel Corporation 82574L Gigabit Network' };
      const lines = show(rows, view).split('\n');
      t.same(
        lines.filter((line) => line.length > width),
        [],
        `${show.name} ${width}`,
      );
      t.match(show(rows, { ...view, terminal: { colour: true, width } }), /\u001B\[31mfailed \(no-/);
    }
  t.end();
});
