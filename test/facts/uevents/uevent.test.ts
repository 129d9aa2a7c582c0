import t from 'tap';
import { parseUevent } from '../../../agent/facts/uevents/uevent.ts';

const datagram = (...strings: string[]) => Buffer.from(strings.map((text) => `${text}\0`).join(''), 'latin1');
const USB = [
  'add@/devices/pci0000:00/0000:00:05.0/usb1/1-1/1-1:1.0',
  'ACTION=add',
  'DEVPATH=/devices/pci0000:00/0000:00:05.0/usb1/1-1/1-1:1.0',
  'SUBSYSTEM=usb',
  'DEVTYPE=usb_interface',
  'MODALIAS=usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00',
  'SEQNUM=1822',
];

t.test('a uevent of the kernel', (t) => {
  const read = parseUevent(datagram(...USB));
  t.match(read, {
    kind: 'uevent',
    uevent: {
      action: 'add',
      devpath: '/devices/pci0000:00/0000:00:05.0/usb1/1-1/1-1:1.0',
      subsystem: 'usb',
      seqnum: 1822,
      modaliases: ['usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00'],
    },
  });
  if (read.kind === 'uevent') t.equal(read.uevent.properties.get('DEVTYPE'), 'usb_interface');
  t.end();
});

const HEAD = ['add@/devices/x', 'ACTION=add', 'DEVPATH=/devices/x'];
const values: Record<string, string> = {
  'quotes and spaces': 'dmi:bvn"Quoted Vendor":pnName With Blanks:',
  'an equals sign in the value': 'of:Na=bTcC',
  'minus signs': 'platform:a-b-c',
  'bytes that are not UTF-8': 'acpi:\xff\xfe\x80:',
  '4,000 characters': `dmi:${'x'.repeat(4000)}`,
};
for (const [name, value] of Object.entries(values)) {
  t.test(`MODALIAS with ${name} comes through byte for byte`, (t) => {
    const read = parseUevent(datagram(...HEAD, `MODALIAS=${value}`));
    t.match(read, { kind: 'uevent', uevent: { modaliases: [value] } });
    t.end();
  });
}

t.test('several MODALIAS lines all count, each once, empty ones not', (t) => {
  const read = parseUevent(datagram(...HEAD, 'MODALIAS=a', 'MODALIAS=', 'MODALIAS=b', 'MODALIAS=a'));
  if (read.kind !== 'uevent') throw new Error(read.why);
  t.same(read.uevent.modaliases, ['a', 'b']);
  t.equal(read.uevent.seqnum, undefined);
  t.equal(read.uevent.subsystem, '');
  t.end();
});

const malformed: Record<string, Buffer> = {
  empty: Buffer.alloc(0),
  'one NUL': Buffer.alloc(1),
  'no NUL at the end': datagram(...USB).subarray(0, -1),
  "libudev's own messages": datagram('libudev', 'ACTION=add'),
  'no header': datagram('ACTION=add', 'DEVPATH=/devices/x'),
  'an empty action': datagram('@/devices/x', 'ACTION=', 'DEVPATH=/devices/x'),
  'a header that differs from ACTION': datagram('add@/devices/x', 'ACTION=remove', 'DEVPATH=/devices/x'),
  'a header that differs from DEVPATH': datagram('add@/devices/x', 'ACTION=add', 'DEVPATH=/devices/y'),
  'no DEVPATH': datagram('add@/devices/x', 'ACTION=add'),
  'a relative DEVPATH': datagram('add@x', 'ACTION=add', 'DEVPATH=x'),
  'a string that is no pair': datagram(...HEAD, 'NONSENSE'),
  'a key without a name': datagram(...HEAD, '=x'),
  'a SEQNUM that is no number': datagram(...HEAD, 'SEQNUM=-1'),
};
for (const [name, bytes] of Object.entries(malformed)) {
  t.test(`malformed: ${name}`, (t) => {
    const read = parseUevent(bytes);
    t.equal(read.kind, 'malformed');
    if (read.kind === 'malformed') t.ok(read.why);
    t.end();
  });
}

t.test('every truncation of a real one is malformed or a shorter uevent, never a crash', (t) => {
  const whole = datagram(...USB);
  let uevents = 0;
  for (let length = 0; length < whole.length; length++) {
    const read = parseUevent(whole.subarray(0, length));
    if (read.kind === 'uevent') {
      uevents++;
      t.equal(whole[length - 1], 0, `length ${length} ends at a string's end`);
    }
  }
  // After DEVPATH each whole string makes a whole uevent: DEVPATH, SUBSYSTEM, DEVTYPE, MODALIAS.
  t.equal(uevents, 4);
  t.end();
});

t.test('random bytes never crash it (seeded)', (t) => {
  let seed = 1;
  const whole = datagram(...USB);
  let read = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(whole);
    for (let flips = 0; flips < 3; flips++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      bytes[(seed >> 8) % bytes.length] = seed & 0xff;
    }
    if (parseUevent(bytes).kind === 'uevent') read++;
  }
  t.ok(read > 0 && read < 20_000, `${read} of 20,000 were still uevents`);
  t.end();
});
