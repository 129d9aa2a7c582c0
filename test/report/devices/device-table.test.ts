import t from 'tap';
import type { Verdict } from '../../../agent/diagnosis/verdict.ts';
import type { DeviceRow } from '../../../agent/records/device-row.ts';
import { attentionFirst, isFurniture } from '../../../agent/report/devices/device-order.ts';
import { deviceTable } from '../../../agent/report/devices/device-table.ts';

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
  const rows = [row('0000:00:1f.6', 'pci', 'would-insert', undefined, NIC)];
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
  t.equal(
    deviceTable(rows, { ...view, columns: ['device', 'reason'] }),
    'DEVICE        REASON\n0000:00:1f.6  why 0000:00:1f.6\n',
  );
  t.end();
});
