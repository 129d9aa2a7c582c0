/** Devices that folders link to: through node:fs as through the addon, byte for byte. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { linkedDevices, linkedDevicesAsync, linkedDevicesByNode } from '../../../agent/facts/devices/linked-devices.ts';

type Files = Readonly<Record<string, string | Buffer>>;

/** A folder with links to devices, by the devices' names; a null is a plain file in the folder. */
function plant(t: Test, devices: Readonly<Record<string, Files | null>>): string {
  const base = t.testdir({ bus: {}, devices: {} });
  for (const [name, files] of Object.entries(devices)) {
    if (files === null) {
      writeFileSync(join(base, 'bus', name), '');
      continue;
    }
    mkdirSync(join(base, 'devices', name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(base, 'devices', name, file), text);
    symlinkSync(`../devices/${name}`, join(base, 'bus', name));
  }
  return join(base, 'bus');
}

const ROWS: ReadonlyArray<readonly [rule: string, devices: Readonly<Record<string, Files | null>>, text: string]> = [
  ['no device', {}, '\0'],
  ['a device', { a: { uevent: 'DRIVER=x\n' } }, '../devices/a\0DRIVER=x\n\0\0\0'],
  ['its modalias', { a: { uevent: '', modalias: 'pci:v1\n' } }, '../devices/a\0\0pci:v1\n\0\0'],
  [
    'a modalias that the uevent has already',
    { a: { uevent: 'X=1\nMODALIAS=pci:v1\n', modalias: 'pci:v1\n' } },
    '../devices/a\0X=1\nMODALIAS=pci:v1\n\0\0\0',
  ],
  [
    'a key that only ends so',
    { a: { uevent: 'OF_MODALIAS=y\n', modalias: 'x' } },
    '../devices/a\0OF_MODALIAS=y\n\0x\0\0',
  ],
  ['in order of their names', { b: { uevent: '' }, a: { uevent: '' } }, '../devices/a\0\0\0../devices/b\0\0\0\0'],
  ['a plain file is no device', { bonding_masters: null, a: { uevent: '' } }, '../devices/a\0\0\0\0'],
  ['one without uevent is none', { a: {} }, '\0'],
  ['text ends at a NUL', { a: { uevent: 'A=1\0B=2\n' } }, '../devices/a\0A=1\0\0\0'],
  ['bytes', { a: { uevent: Buffer.from('A=\xff\xe9\n', 'latin1') } }, '../devices/a\0A=\xff\xe9\n\0\0\0'],
];
for (const [rule, devices, text] of ROWS) {
  t.test(rule, async (t) => {
    const folder = plant(t, devices);
    t.equal(linkedDevicesByNode([folder], true), text, 'node:fs');
    t.equal(linkedDevices([folder], true), text, 'the addon');
    t.equal(await linkedDevicesAsync([folder], true), text, 'the addon, on another thread');
  });
}

t.test('several folders, one of them not there, without modalias', (t) => {
  const folder = plant(t, { a: { uevent: '', modalias: 'x' } });
  const folders = [folder, join(folder, 'none'), folder];
  t.equal(linkedDevicesByNode(folders, false), '../devices/a\0\0\0\0\0../devices/a\0\0\0\0');
  t.equal(linkedDevicesByNode(folders, false), linkedDevices(folders, false));
  t.end();
});

t.test('this machine', (t) => {
  const folders = ['/sys/bus/platform/devices', '/sys/bus/cpu/devices', '/sys/class/net', '/sys/class/tty'];
  t.equal(linkedDevicesByNode(folders, true), linkedDevices(folders, true));
  t.end();
});
