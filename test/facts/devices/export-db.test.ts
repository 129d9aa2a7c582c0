import t from 'tap';
import { isExportDb, parseExportDb } from '../../../agent/facts/devices/export-db.ts';
import { parseRecording } from '../../../agent/facts/devices/recording.ts';

const TEXT = `P: /devices/pci0000:00/0000:00:1f.2
M: 0000:00:1f.2
U: pci
V: ahci
E: DEVPATH=/devices/pci0000:00/0000:00:1f.2
E: SUBSYSTEM=pci
E: DRIVER=ahci
E: PCI_CLASS=10601
E: ID_SERIAL=secret
E: MODALIAS=pci:v00008086d00002922

P: /devices/virtual/net/lo
L: 0
E: SUBSYSTEM=net
E: NOEQUALS

P: /module/ahci
E: SUBSYSTEM=module

P: /devices/old/1-1:1.0
E: DRIVER=usbhid
E: MODALIAS=usb:v0461p4D80
E: MODALIAS=second
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
`;

t.test('udevadm info --export-db', (t) => {
  t.ok(isExportDb(TEXT));
  t.notOk(isExportDb('{"devpath":"/P: /"}'));
  const devices = parseRecording(TEXT, 'x');
  t.same(
    devices.map(({ name, subsystem, driver, modaliases }) => [name, subsystem, driver, modaliases]),
    [
      ['0000:00:1f.2', 'pci', 'ahci', ['pci:v00008086d00002922']],
      ['lo', 'net', undefined, []],
      ['1-1:1.0', 'usb', 'usbhid', ['usb:v0461p4D80']],
    ],
    'modules are no devices; the first of two equal keys counts',
  );
  t.same(
    [...(devices[0]?.properties ?? [])],
    [['PCI_CLASS', '10601']],
    'what identifies a thing or its owner stays out',
  );
  t.same(parseExportDb(TEXT.replaceAll('\n', '\r\n'), 'x')[0]?.driver, 'ahci', 'line ends of other systems');
  t.same(parseExportDb('P: x\nE: DRIVER=a\n\nE: DRIVER=b\n', 'x'), [], 'what has no path is no device');
  t.same(parseExportDb('P: /__proto__\nE: __proto__=1\nU: __proto__\n', 'x')[0]?.subsystem, '__proto__');
  t.end();
});
