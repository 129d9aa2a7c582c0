import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import {
  boundDriver,
  deviceOfUevent,
  readDevice,
  readDevices,
  readDevicesAsync,
  type Device,
} from '../../../agent/facts/devices/device.ts';
import { parseUevent } from '../../../agent/facts/uevents/uevent.ts';
import { devpath } from '../../../agent/base/names.ts';

/** A plain tree that looks like sysfs. */
function plant(
  root: string,
  path: string,
  list: string,
  subsystem: string,
  files: Record<string, string | Buffer>,
): void {
  const directory = join(root, path);
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const link = join(root, list, path.slice(path.lastIndexOf('/') + 1));
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(relative(dirname(link), directory), link);
  symlinkSync(relative(directory, join(root, list, '..', subsystem)), join(directory, 'subsystem'));
}

/** What tells two devices apart. */
function facts(device: Device | undefined): unknown {
  return device === undefined ? undefined : { ...device, properties: [...device.properties] };
}

t.test('devices of buses, classes and loaded modules', async (t) => {
  const sysfs = t.testdir({ module: { e1000e: {}, loop: {} }, class: { power: 'not a directory' } });
  plant(sysfs, '/devices/pci0000:00/0000:00:02.0', 'bus/pci/devices', 'pci', {
    uevent: 'DRIVER=e1000e\nPCI_CLASS=20000\nMODALIAS=pci:v00008086d000010D3sv0sd0bc02sc00i00\n',
    modalias: 'pci:v00008086d000010D3sv0sd0bc02sc00i00\n',
  });
  plant(sysfs, '/devices/pci0000:00/0000:00:02.0/net/eth0', 'class/net', 'net', { uevent: 'INTERFACE=eth0\n' });
  plant(sysfs, '/devices/platform/Fixed MDIO bus.0', 'bus/platform/devices', 'platform', {
    uevent: 'MODALIAS=platform:Fixed MDIO bus\n',
  });
  plant(sysfs, '/devices/platform/attribute only', 'bus/platform/devices', 'platform', {
    uevent: '',
    modalias: 'platform:x-y',
  });
  plant(sysfs, '/devices/platform/two', 'bus/platform/devices', 'platform', {
    uevent: 'MODALIAS=a\nMODALIAS=b\nMODALIAS=a\n',
  });
  plant(sysfs, '/devices/platform/bytes', 'bus/platform/devices', 'platform', {
    uevent: Buffer.from('MODALIAS=acpi:\xff\xfe:\n', 'latin1'),
  });
  writeFileSync(join(sysfs, 'class/net/bonding_masters'), '');
  symlinkSync('../../../nowhere', join(sysfs, 'bus/platform/devices/gone'));
  symlinkSync('/etc', join(sysfs, 'bus/platform/devices/outside'));
  const devices = [...readDevices(sysfs)];
  t.same(
    devices.map((device) => [device.subsystem, device.name, ...device.modaliases]),
    [
      ['pci', '0000:00:02.0', 'pci:v00008086d000010D3sv0sd0bc02sc00i00'],
      ['platform', 'Fixed MDIO bus.0', 'platform:Fixed MDIO bus'],
      ['platform', 'attribute only', 'platform:x-y'],
      ['platform', 'bytes', 'acpi:\xff\xfe:'],
      ['platform', 'two', 'a', 'b'],
      ['net', 'eth0'],
      ['module', 'e1000e'],
      ['module', 'loop'],
    ],
    'pci first; what is no device, gone or outside of sysfs is passed over',
  );
  const later: Device[] = [];
  for (const batch of readDevicesAsync(sysfs)) later.push(...(await batch));
  t.same(later.map(facts), devices.map(facts), 'the same when other threads read them');
  const alone = devices.filter(({ subsystem }) => subsystem !== 'module');
  t.same(
    alone.map(({ devpath: path }) => facts(readDevice(sysfs, path))),
    alone.map(facts),
    'the same when each is read alone',
  );
  t.equal(devices[0]?.devpath, '/devices/pci0000:00/0000:00:02.0');
  t.equal(devices[0]?.properties.get('PCI_CLASS'), '20000');
  t.equal(
    readDevice(sysfs, devpath('/devices/platform/two'))?.subsystem,
    'platform',
    'by its link when nobody said it',
  );
  t.equal(readDevice(sysfs, devpath('/devices/none')), undefined);
  t.equal(boundDriver(sysfs, devpath('/devices/platform/two')), undefined);
  symlinkSync('../../bus/platform/drivers/x', join(sysfs, 'devices/platform/two/driver'));
  t.equal(boundDriver(sysfs, devpath('/devices/platform/two')), 'x');
});

t.test('a tree that is not sysfs has no devices', async (t) => {
  t.same([...readDevices(t.testdir({}))], []);
  t.same([...readDevices('/nonexistent')], []);
  for (const batch of readDevicesAsync('/nonexistent')) t.same([...(await batch)], []);
});

t.test('a device that was announced keeps nothing of its datagram but what is its own', (t) => {
  const kept: Device[] = [];
  const collect = collector();
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  for (let i = 0; i < 2000; i++) {
    const path = `/devices/pci0000:00/0000:00:1e.7/0000:10:00.0/virtio${i}`;
    const strings = [
      `add@${path}`,
      'ACTION=add',
      `DEVPATH=${path}`,
      `FILL=${'x'.repeat(1500)}`,
      `MODALIAS=virtio:d0000${i}v1AF4`,
    ];
    const read = parseUevent(Buffer.from(strings.map((one) => `${one}\0`).join(''), 'latin1'));
    if (read.kind === 'uevent') kept.push({ ...deviceOfUevent(read.uevent), name: '', properties: new Map() });
  }
  const each = (heap() - before) / 2000;
  t.equal(kept.length, 2000);
  t.ok(each < 800, `${Math.round(each)} bytes each`);
  t.end();
});

/** The collector, without the option that would have to be given at the start. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
