import t from 'tap';
import {
  addressBus,
  bareWord,
  deviceId,
  idInModaliases,
  missingOfModalias,
} from '../../../agent/facts/devices/device-word.ts';

t.test('what stands around a word', (t) => {
  const rows: Readonly<Record<string, string>> = {
    'MODALIAS=pci:v1': 'pci:v1',
    'MODALIAS="pci:v1"': 'pci:v1',
    "'pci:v1'": 'pci:v1',
    '[8086:10d3]': '8086:10d3',
    'pci:v1': 'pci:v1',
    'acpi:A[bc]:': 'acpi:A[bc]:',
    'MODALIAS=': '',
    '': '',
  };
  for (const [word, bare] of Object.entries(rows)) t.equal(bareWord(word), bare, word);
  t.end();
});

t.test('IDs of lspci and lsusb', (t) => {
  t.same(deviceId('8086:10D3'), { vendor: '8086', product: '10d3' });
  for (const word of ['8086:10d', '8086:10d3 ', '0000:00:02.0', 'pci:v1', '8086', '80g6:10d3'])
    t.equal(deviceId(word), undefined, word);
  t.same(idInModaliases({ vendor: '0bda', product: '8153' }), ['pci:v00000BDAd00008153', 'usb:v0BDAp8153d']);
  t.end();
});

t.test('names that only devices have', (t) => {
  const rows: Readonly<Record<string, string | undefined>> = {
    '0000:99:00.0': 'pci',
    '02:00.0': 'pci',
    '10000:e1:00.0': 'pci',
    '02:00.8': undefined,
    '1-1.2': 'usb',
    '1-1.2:1.0': 'usb',
    '3-0:1.0': 'usb',
    '0:0:0:0': 'scsi',
    '0003:046D:C31C.0001': 'hid',
    'PNP0C0C:00': 'acpi',
    'INTC1056:00': 'acpi',
    'LNXSYSTM:00': 'acpi',
    '0-0050': 'i2c',
    '00:04': 'pnp',
    'pci:v00008086d': undefined,
    'acpi:PNP0C0C:': undefined,
    'of:NserialT(null)Cns16550a': undefined,
    'nvme-core': undefined,
    snd: undefined,
    'net-pf-16-proto-9': undefined,
    'char-major-10-200': undefined,
    'dmi*:svnDell*': undefined,
  };
  for (const [word, bus] of Object.entries(rows)) t.equal(addressBus(word), bus, word);
  t.end();
});

t.test('complete MODALIASes', (t) => {
  for (const modalias of [
    'pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00',
    'usb:v1D6Bp0002d0602dc09dsc00dp01ic09isc00ip00in00',
    'virtio:d00000001v00001AF4',
    'hid:b0003g0001v0000046Dp0000C31C',
    'hdaudio:v10EC0256r00100002a01',
    'sdio:c00v02D0dA9A6',
    'serio:ty01pr00id00ex00',
    'acpi:PNP0C0C:',
    'platform:anything',
    'of:NserialT(null)Cns16550a',
    'toString:x',
  ])
    t.equal(missingOfModalias(modalias), undefined, modalias);
  t.end();
});

t.test('what is no complete MODALIAS', (t) => {
  const rows: Readonly<Record<string, RegExp>> = {
    'pci:zzz': /^after pci: come v and 8 hex/,
    'pci:': /^after pci: come v/,
    'pci:v0000AAAA': /^after pci:v0000AAAA come d and 8/,
    'pci:v00008086d000010d3': /^after pci:v00008086 come d .*0-9, A-F/,
    'pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i0': /^after .*sc00 come i and 2/,
    'pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00x': /^nothing may follow/,
    'usb:v1D6Bp0002': /^after usb:v1D6Bp0002 come d and 4/,
    'virtio:d1': /^after virtio: come d and 8/,
  };
  for (const [modalias, why] of Object.entries(rows)) t.match(missingOfModalias(modalias), why, modalias);
  t.end();
});
