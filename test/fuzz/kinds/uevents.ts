/** Datagrams of the kernel's uevent socket. */
import { deviceOfUevent } from '../../../agent/facts/devices/device.ts';
import { parseUevent } from '../../../agent/facts/uevents/uevent.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, type FuzzKind } from '../kind.ts';

const SAMPLES = [
  'add@/devices/pci0000:00/0000:00:02.0\0ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:02.0\0SUBSYSTEM=pci\0PCI_CLASS=30000\0MODALIAS=pci:v00001234d00001111sv00001AF4sd00001100bc03sc00i00\0SEQNUM=1234\0',
  'bind@/devices/a\0ACTION=bind\0DEVPATH=/devices/a\0SUBSYSTEM=usb\0MODALIAS=a\0MODALIAS=b\0MODALIAS=a\0DRIVER=x\0SEQNUM=5\0',
  'libudev\0\xfe\xed\xca\xfe\0\0\0\x28\0\0\0\x28\0\0\0\x50',
];
const WORDS = [
  '\0',
  '=',
  '@',
  '@/',
  'ACTION=add\0',
  'DEVPATH=/devices/a\0',
  'SUBSYSTEM=',
  'MODALIAS=',
  'SEQNUM=',
  '18446744073709551615',
  '-1',
  '\xff',
  'libudev\0',
];

function compose(random: Random): Buffer {
  const devpath = `/${random.text('ab/', 0, 20)}`;
  const lines = Array.from({ length: random.below(12) }, () =>
    random.of([
      () => `MODALIAS=${random.text('ab:*\xff', 0, 20)}`,
      () => `SEQNUM=${random.text('0123456789', 0, 20)}`,
      () => `${random.text('AB_', 0, 6)}=${random.text('ab=\xff', 0, 10)}`,
    ])(),
  );
  return bytes([`add@${devpath}`, 'ACTION=add', `DEVPATH=${devpath}`, ...lines, ''].join('\0'));
}

function read(input: Buffer): void {
  const found = parseUevent(input);
  if (found.kind === 'malformed') {
    check(found.why !== '', 'what is malformed says why');
    return;
  }
  const { action, devpath, seqnum, modaliases, properties } = found.uevent;
  check(action !== '' && devpath.startsWith('/'), 'a uevent has an action and a path');
  check(seqnum === undefined || Number.isSafeInteger(seqnum), 'a number is exact');
  check(
    new Set(modaliases).size === modaliases.length && !modaliases.includes('' as never),
    'each MODALIAS once, none empty',
  );
  for (const [key, value] of properties)
    check(properties.get(key) === value, 'a property is the same by key and in turn');
  const device = deviceOfUevent(found.uevent);
  check(device.devpath === devpath && !device.name.includes('/'), 'the device of a uevent has its path');
}

export const kind: FuzzKind = { samples: SAMPLES.map(bytes), words: WORDS, compose, read };
