import t from 'tap';
import { classesBelow, classOf, requestClass } from '../../agent/images/device-class.ts';

const ROWS: ReadonlyArray<readonly [what: string, modalias: string, path: string, expected: string]> = [
  ['an AHCI controller', 'pci:v00008086d00002922sv0sd0bc01sc06i01', '', 'disk'],
  ['an SD host', 'pci:v00001B36d00000007sv0sd0bc08sc05i01', '', 'disk'],
  ['a network card', 'pci:v00008086d000010D3sv0sd0bc02sc00i00', '', 'network'],
  ['a display', 'pci:v00001002d00005046sv0sd0bc03sc00i00', '', 'console'],
  ['a USB keyboard', 'usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00', '', 'keyboard'],
  ['a USB mouse', 'usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip02in00', '/kernel/drivers/hid/usbhid/usbhid.ko', 'other'],
  ['a USB stick', 'usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00', '', 'disk'],
  ['a virtio disk', 'virtio:d00000002v00001AF4', '', 'disk'],
  ['virtio SCSI', 'virtio:d00000008v00001AF4', '', 'disk'],
  ['a SCSI disk', 'scsi:t-0x00', '/kernel/drivers/scsi/sd_mod.ko', 'disk'],
  ['a CD drive', 'scsi:t-0x05', '/kernel/drivers/scsi/sr_mod.ko', 'other'],
  ['an AT keyboard', 'serio:ty06pr00id00ex00', '', 'keyboard'],
  ['a PS/2 mouse', 'serio:ty01pr00id00ex00', '', 'other'],
  [
    'a network controller of a board',
    'of:NethernetT(null)Ccalxeda,hb-xgmac',
    '/kernel/drivers/net/ethernet/calxeda/xgmac.ko',
    'network',
  ],
  ['an eMMC host of a board', 'platform:dw_mmc', '/kernel/drivers/mmc/host/dw_mmc.ko', 'disk'],
  ['a camera', 'usb:v1p1d0dc0dsc0dp0ic0Eisc01ip00in00', '/kernel/drivers/media/usb/uvc/uvcvideo.ko', 'other'],
];

for (const [what, modalias, path, expected] of ROWS)
  t.equal(classOf({ modaliases: [modalias as never] }, path), expected, `${what} is ${expected}`);

t.test('a device has the classes of all below it, and of none beside it', (t) => {
  const classes = classesBelow([
    { devpath: '/devices/usb', class: 'other' },
    { devpath: '/devices/usb/1/k', class: 'keyboard' },
    { devpath: '/devices/usb2', class: 'other' },
  ]);
  t.same([...(classes.get('/devices/usb') ?? [])], ['other', 'keyboard']);
  t.same([...(classes.get('/devices/usb2') ?? [])], ['other']);
  t.end();
});

t.test('requests of the kernel', (t) => {
  t.equal(requestClass('fs-ext4'), 'disk');
  t.equal(requestClass('crypto-xts(aes)'), 'disk');
  t.equal(requestClass('net-pf-10'), 'network');
  t.equal(requestClass('binfmt-464c'), 'other');
  t.end();
});
