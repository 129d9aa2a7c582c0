import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { moduleMentions, registersDriver } from '../../../agent/facts/modfiles/module-strings.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

t.test('a file without the string, or that is no module', (t) => {
  const folder = t.testdir({ 'text.ko': 'piix4_smbus' });
  const file = join(folder, 'a.ko');
  writeFileSync(file, moduleImage({ modinfo: ['description=piix4_smbus'] }));
  t.equal(moduleMentions('', file, 'piix4_smbus'), false, 'what modinfo says is no data of the driver');
  t.equal(moduleMentions('', join(folder, 'text.ko'), 'piix4_smbus'), undefined);
  t.equal(moduleMentions('', join(folder, 'absent.ko'), 'x'), undefined);
  t.end();
});

t.test('who registers a driver on a bus', (t) => {
  const rows: ReadonlyArray<readonly [symbol: string, bus: string, expected: boolean]> = [
    ['__pci_register_driver', 'pci', true],
    ['usb_register_driver', 'usb', true],
    ['__platform_driver_register', 'platform', true],
    ['phy_drivers_register', 'mdio_bus', true],
    ['__hda_codec_driver_register', 'hdaudio', true],
    ['register_virtio_driver', 'virtio', true],
    ['__pci_register_driver', 'usb', false],
    ['pci_enable_device', 'pci', false],
    ['class_register', 'pci', false],
  ];
  const folder = t.testdir({});
  for (const [symbol, bus, expected] of rows) {
    const file = join(folder, 'a.ko');
    writeFileSync(file, moduleImage({ needs: { [symbol]: undefined } }));
    t.equal(registersDriver('', file, bus), expected, `${symbol} for ${bus}`);
  }
  t.equal(registersDriver('', join(folder, 'absent.ko'), 'pci'), undefined);
  t.end();
});
