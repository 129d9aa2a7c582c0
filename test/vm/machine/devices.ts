/**
 * Devices of the test machines, as QEMU's arguments. Which module each one pulls was measured with Debian 12's QEMU 7.2 and
 * kernel 6.1; what is left out here wedges one of the two: am53c974, lsi53c810 and mptsas1068 among many devices, bridges.
 */

/** A disk of zeroes that has no file: `['-blockdev', …]`. */
export function zeroes(name: string, megabytes = 16): string[] {
  return ['-blockdev', `driver=null-co,node-name=${name},size=${megabytes * 1048576},read-zeroes=on`];
}

/** A network card with an unconnected cable and no boot ROM, which would cost the start of the machine time. */
export function networkCard(driver: string, name: string): string[] {
  return ['-netdev', `hubport,id=${name},hubid=0`, '-device', `${driver},netdev=${name},romfile=`];
}

function device(...words: string[]): string[] {
  return ['-device', words.join(',')];
}

/**
 * Up to 16 empty slots that take devices while the machine runs: buses `slot0` … for `deviceAdd(driver, id, { bus: 'slot0' })`.
 * They share two places on the root bus, so that they fit beside many devices; name them first.
 */
export function hotplugSlots(count: number): string[] {
  const slots = Array.from({ length: count }, (_, slot) => {
    const place = `addr=${slot < 8 ? '1d' : '1e'}.${slot % 8}`;
    return device('pcie-root-port', `id=slot${slot}`, `chassis=${slot + 1}`, place, 'multifunction=on');
  });
  return slots.flat();
}

/** A USB 3 controller as bus `usb`, with enough ports for hotplug. */
export function usbController(): string[] {
  return device('qemu-xhci', 'id=usb', 'p2=15', 'p3=15');
}

/** A machine with a bit of everything: about 85 modules. */
export function kitchenSink(): string[] {
  return [
    ...networkCard('virtio-net-pci', 'net0'),
    ...networkCard('e1000e', 'net1'),
    ...networkCard('e1000', 'net2'),
    ...networkCard('rtl8139', 'net3'),
    ...networkCard('vmxnet3', 'net4'),
    ...networkCard('pcnet', 'net5'),
    ...networkCard('i82551', 'net6'),
    ...zeroes('disk0'),
    ...device('virtio-blk-pci', 'drive=disk0'),
    ...zeroes('disk1'),
    ...device('nvme', 'drive=disk1', 'serial=plugd'),
    ...zeroes('disk2'),
    ...device('megasas', 'id=megasas'),
    ...device('scsi-hd', 'bus=megasas.0', 'drive=disk2'),
    ...zeroes('disk3'),
    ...device('virtio-scsi-pci', 'id=scsi'),
    ...device('scsi-hd', 'bus=scsi.0', 'drive=disk3'),
    ...device('scsi-cd', 'bus=scsi.0'),
    ...zeroes('disk4'),
    ...device('ich9-ahci', 'id=ahci'),
    ...device('ide-hd', 'bus=ahci.0', 'drive=disk4'),
    ...device('pvscsi', 'id=pvscsi'),
    ...zeroes('card'),
    ...device('sdhci-pci', 'id=sdhci'),
    ...device('sd-card', 'drive=card'),
    ...device('virtio-rng-pci'),
    ...device('virtio-balloon-pci'),
    ...device('virtio-serial-pci'),
    ...device('virtio-keyboard-pci'),
    ...device('virtio-gpu-pci'),
    ...device('intel-hda', 'id=hda'),
    '-audiodev',
    'none,id=silence',
    ...device('hda-duplex', 'bus=hda.0', 'audiodev=silence'),
    ...device('AC97', 'audiodev=silence'),
    ...usbController(),
    ...device('usb-kbd', 'bus=usb.0'),
    ...device('usb-tablet', 'bus=usb.0'),
    ...zeroes('stick'),
    ...device('usb-storage', 'bus=usb.0', 'drive=stick'),
    ...device('usb-audio', 'bus=usb.0', 'audiodev=silence'),
    '-chardev',
    'null,id=nothing',
    ...device('usb-serial', 'bus=usb.0', 'chardev=nothing'),
    '-netdev',
    'hubport,id=net7,hubid=0',
    ...device('usb-net', 'bus=usb.0', 'netdev=net7'),
    ...device('usb-ehci', 'id=ehci'),
    ...device('piix3-usb-uhci', 'id=uhci'),
    ...device('i6300esb'),
    ...device('pvpanic-pci'),
    ...device('bochs-display'),
    '-object',
    'can-bus,id=can',
    ...device('kvaser_pci', 'canbus=can'),
  ];
}
