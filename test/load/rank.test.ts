import t from 'tap';
import type { Device } from '../../agent/facts/devices/device.ts';
import { inOrderOfRank, rankOf } from '../../agent/load/rank.ts';
import type { Step } from '../../agent/plan/plan.ts';
import type { Requester } from '../../agent/records/coldplug-run.ts';

const RANKS: Record<string, readonly [name: string, path: string, rank: number]> = {
  'a USB host leads': ['pci:v00008086d000015ECsv0sd0bc0Csc03i30', '/kernel/drivers/usb/host/xhci-pci.ko', 4],
  'another serial bus is no USB host': ['pci:v00008086d0sv0sd0bc0Csc05i00', '/kernel/i2c.ko', 0],
  'everything virtio': ['pci:v00001AF4d00001000sv0sd0bc02sc00i00', '/kernel/virtio.ko', 3],
  'a virtio USB host is a USB host': ['pci:v00001AF4d0sv0sd0bc0Csc03i30', '/kernel/x.ko', 4],
  'storage, whichever subclass': ['pci:v00008086d0sv0sd0bc01sc80i02', '/kernel/nvme.ko', 2],
  'an SD host': ['pci:v00008086d0sv0sd0bc08sc05i01', '/kernel/sdhci.ko', 2],
  'another system peripheral is none': ['pci:v00008086d0sv0sd0bc08sc80i00', '/kernel/x.ko', 0],
  'audio with codecs': ['pci:v00008086d0sv0sd0bc04sc03i00', '/kernel/hda.ko', 2],
  'other multimedia is none': ['pci:v00008086d0sv0sd0bc04sc80i00', '/kernel/x.ko', 0],
  'a USB device': ['usb:v0BDAp8153d3100dc00dsc00dp00icFFisc00ip00in00', '/kernel/x.ko', 2],
  'a HID device': ['hid:b0003g0001v0000046Dp0000C52B', '/kernel/x.ko', 2],
  'a network card': ['pci:v00008086d000010D3sv0sd0bc02sc00i00', '/kernel/e1000e.ko', 0],
  'a cipher comes before what is nothing special': [
    'cpu:type:x86,ven0000',
    '/kernel/arch/x86/crypto/aesni-intel.ko',
    1,
  ],
  'a controller with a cipher’s path is a controller': ['usb:v1', '/kernel/crypto/x.ko', 2],
  'a name in the middle is no modalias of a bus': ['of:NusbT(null)Cusb:x', '/kernel/x.ko', 0],
  'a kernel request': ['fs-ext4', '/kernel/fs/ext4.ko', 0],
  'no name at all': ['', '', 0],
};
for (const [name, [modalias, path, rank]] of Object.entries(RANKS)) {
  t.test(name, (t) => {
    t.equal(rankOf({ name: modalias } as Requester, { path } as Step), rank);
    t.end();
  });
}

t.test('devices: controllers first, each as it came; the first modalias counts', (t) => {
  const device = (devpath: string, ...modaliases: string[]) => ({ devpath, modaliases }) as unknown as Device;
  const order = inOrderOfRank(
    new Set([
      device('none'),
      device('nic', 'pci:v1bc02sc00i00'),
      device('second is usb', 'acpi:x', 'usb:v1'),
      device('disk', 'pci:v1bc01sc06i01'),
      device('stick', 'usb:v2'),
      device('host', 'pci:v1bc0Csc03i30'),
    ]),
  );
  t.same(
    order.map(({ devpath }) => devpath),
    ['host', 'disk', 'stick', 'none', 'nic', 'second is usb'],
  );
  t.same(inOrderOfRank([]), []);
  t.end();
});
