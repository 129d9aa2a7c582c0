import t from 'tap';
import { deviceKind } from '../../../agent/explain/replay/device-kind.ts';

const ROWS: ReadonlyArray<readonly [modalias: string, what: string]> = [
  ['pci:v00008086d000024FDsv00008086sd00000010bc02sc80i00', 'Wi-Fi'],
  ['pci:v000010ECd00008168sv00001028sd0000054Dbc02sc00i00', 'Ethernet'],
  ['pci:v00008086d00001E03sv00001028sd00000534bc01sc06i01', 'storage'],
  ['usb:v0CF3p0036d0002dcE0dsc01dp01icE0isc01ip01in00', 'Bluetooth'],
  ['usb:v0C45p648Bd3217dcEFdsc02dp01ic0Eisc01ip00in00', 'cameras'],
  ['virtio:d00000001v00001AF4', 'Ethernet'],
  ['virtio:d00000002v00001AF4', 'storage'],
  ['hdaudio:v10EC0275r00100003a01', 'sound'],
  ['serio:ty01pr00id00ex00', 'keyboards and mice'],
  ['acpi:PNP0C0A:', 'acpi devices'],
];
for (const [modalias, what] of ROWS) {
  t.test(`${modalias} is one of ${what}`, (t) => {
    const subsystem = modalias.slice(0, modalias.indexOf(':'));
    t.equal(deviceKind({ modaliases: [modalias as never], subsystem }), what);
    t.end();
  });
}

t.test('without a bus it is some device', (t) => {
  t.equal(deviceKind({ modaliases: [], subsystem: '' }), 'other devices');
  t.end();
});
