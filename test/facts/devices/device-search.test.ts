import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { Host } from '../../../agent/base/host.ts';
import { findDevice } from '../../../agent/facts/devices/device-search.ts';
import { plantSysfs } from '../../fixtures/sysfs.ts';

const sysfs = t.testdir({});
const host: Host = { root: '', kernel: 'x', moduleDir: '/lib/modules/x', sysfs, proc: '/proc' };

plantSysfs(sysfs, [
  { devpath: '/devices/pci0000:00/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v1' },
  { devpath: '/devices/pci0000:00/0000:00:02.0/virtio0', subsystem: 'virtio', modalias: 'virtio:d1' },
  { devpath: '/devices/pci0000:00/0000:00:14.0/usb1/1-1', subsystem: 'usb' },
  { devpath: '/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0', subsystem: 'usb', modalias: 'usb:v1' },
  { devpath: '/devices/pci0000:00/0000:00:05.0', subsystem: 'pci' },
  { devpath: '/devices/pci0000:00/0000:00:06.0', subsystem: 'pci' },
  { devpath: '/devices/platform/serial', subsystem: 'platform', modalias: 'platform:serial' },
  { devpath: '/devices/other/serial', subsystem: 'serial', modalias: 'serial:x' },
]);

for (const [path, text] of Object.entries({
  '/devices/pci0000:00/0000:00:02.0/vendor': '0x8086\n',
  '/devices/pci0000:00/0000:00:02.0/device': '0x10d3\n',
  '/devices/pci0000:00/0000:00:14.0/usb1/1-1/idVendor': '0bda\n',
  '/devices/pci0000:00/0000:00:14.0/usb1/1-1/idProduct': '8153\n',
  '/devices/pci0000:00/0000:00:05.0/vendor': '0x1af4\n',
  '/devices/pci0000:00/0000:00:05.0/device': '0x1000\n',
  '/devices/pci0000:00/0000:00:06.0/vendor': '0x1af4\n',
  '/devices/pci0000:00/0000:00:06.0/device': '0x1000\n',
}))
  writeFileSync(join(sysfs, path), text);

/** A device of a class: with a link in class/KIND, and one in dev/ if it has numbers. */
function plantClass(devpath: string, kind: string, numbers?: string): void {
  const put = (target: string, path: string) => {
    mkdirSync(dirname(join(sysfs, path)), { recursive: true });
    symlinkSync('../'.repeat(path.split('/').length - 1) + target, join(sysfs, path));
  };
  mkdirSync(join(sysfs, devpath), { recursive: true });
  writeFileSync(join(sysfs, devpath, 'uevent'), '');
  const name = devpath.slice(devpath.lastIndexOf('/') + 1);
  put(devpath.slice(1), `class/${kind}/${name}`);
  symlinkSync(join(sysfs, 'class', kind), join(sysfs, devpath, 'subsystem'));
  if (numbers !== undefined) put(devpath.slice(1), `dev/${numbers}`);
}
plantClass('/devices/pci0000:00/0000:00:02.0/virtio0/net/eth0', 'net');
plantClass('/devices/virtual/mem/null', 'mem', 'char/1:3');
plantClass('/devices/pci0000:00/0000:00:02.0/virtio0/block/vda', 'block');
plantClass('/devices/pci0000:00/0000:00:02.0/virtio0/block/vda/vda1', 'block');

const found: Readonly<Record<string, readonly [word: string, devpath: string, meant: RegExp]>> = {
  'a devpath': ['/devices/pci0000:00/0000:00:02.0', '/devices/pci0000:00/0000:00:02.0', /^pci 0000:00:02.0$/],
  'a syspath of the usual place': ['/sys/devices/platform/serial', '/devices/platform/serial', /^platform serial$/],
  'a syspath of this place': [`${sysfs}/devices/platform/serial`, '/devices/platform/serial', /^platform serial$/],
  'a link on a bus': ['/sys/bus/pci/devices/0000:00:02.0', '/devices/pci0000:00/0000:00:02.0', /^pci/],
  'an address': ['0000:00:02.0', '/devices/pci0000:00/0000:00:02.0', /^pci/],
  'an address without its domain': ['00:02.0', '/devices/pci0000:00/0000:00:02.0', /^pci/],
  'a PCI ID': ['8086:10D3', '/devices/pci0000:00/0000:00:02.0', /^ID 8086:10D3, pci 0000:00:02.0$/],
  'a PCI ID in brackets': ['[8086:10d3]', '/devices/pci0000:00/0000:00:02.0', /^ID/],
  'a USB ID': ['0bda:8153', '/devices/pci0000:00/0000:00:14.0/usb1/1-1', /^ID 0bda:8153, usb 1-1$/],
  'a USB interface': ['1-1:1.0', '/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0', /^usb 1-1:1.0$/],
  'a USB device': ['1-1', '/devices/pci0000:00/0000:00:14.0/usb1/1-1', /^usb 1-1$/],
  'a network interface is the device behind it': [
    'eth0',
    '/devices/pci0000:00/0000:00:02.0/virtio0',
    /^network interface eth0 of virtio virtio0$/,
  ],
  'a class device by its path, too': [
    '/sys/class/block/vda',
    '/devices/pci0000:00/0000:00:02.0/virtio0',
    /^block vda of virtio virtio0$/,
  ],
  'a partition': [
    '/sys/class/block/vda1',
    '/devices/pci0000:00/0000:00:02.0/virtio0',
    /^block vda1 of virtio virtio0$/,
  ],
  'a node without a device behind it': [
    '/dev/null',
    '/devices/virtual/mem/null',
    /^device node \/dev\/null, mem null$/,
  ],
};
for (const [name, [word, devpath, meant]] of Object.entries(found)) {
  t.test(name, (t) => {
    const search = findDevice(host, word);
    t.equal(search.kind === 'device' ? search.device.devpath : search.kind, devpath);
    if (search.kind === 'device') t.match(search.meant, meant);
    t.end();
  });
}

t.test('what is no device', (t) => {
  const kinds: Readonly<Record<string, string>> = {
    'pci:v00008086d*': 'modalias',
    'no:such': 'modalias',
    serial: 'ambiguous',
    'MODALIAS=pci:v00008086d*': 'modalias',
    'pci:zzz': 'modalias',
    '0000:99:00.0': 'absent',
    '99:00.0': 'absent',
    '9-9:1.0': 'absent',
    'PNP0C0C:77': 'absent',
    '0bda:9999': 'absent',
    '1af4:1000': 'ambiguous',
    nonsense: 'none',
    '/dev/nosuch': 'none',
    '/dev/..': 'none',
    '/sys/nosuch': 'none',
    '/sys/../etc': 'none',
    '/sys/bus': 'none',
    'a/b': 'none',
    '': 'none',
    '..': 'none',
  };
  for (const [word, kind] of Object.entries(kinds)) t.equal(findDevice(host, word).kind, kind, `'${word}'`);
  const both = findDevice(host, 'serial');
  const stripped = findDevice(host, 'MODALIAS=pci:v1');
  t.equal(stripped.kind === 'modalias' && stripped.modalias, 'pci:v1');
  t.same(both.kind === 'ambiguous' && both.devpaths.toSorted(), ['/devices/other/serial', '/devices/platform/serial']);
  t.end();
});
