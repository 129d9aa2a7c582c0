import t from 'tap';
import { unifiedKernelSection } from '../../../agent/facts/initramfs/unified-kernel.ts';

/** An image with these sections, each padded to 512 bytes in the file. */
function image(sections: Readonly<Record<string, string>>, change: (bytes: Buffer) => void = () => {}): Buffer {
  const names = Object.keys(sections);
  const bytes = Buffer.alloc(1024 + 512 * names.length);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(128, 0x3c);
  bytes.write('PE\0\0', 128, 'latin1');
  bytes.writeUInt16LE(names.length, 134);
  bytes.writeUInt16LE(16, 148);
  for (const [i, name] of names.entries()) {
    const at = 128 + 24 + 16 + 40 * i;
    const text = sections[name] ?? '';
    bytes.write(name, at, 'latin1');
    bytes.writeUInt32LE(text.length, at + 8);
    bytes.writeUInt32LE(512, at + 16);
    bytes.writeUInt32LE(1024 + 512 * i, at + 20);
    bytes.write(text, 1024 + 512 * i, 'latin1');
  }
  change(bytes);
  return bytes;
}

t.test('a section without its padding', (t) => {
  const bytes = image({ '.linux': 'kernel', '.initrd': 'archives' });
  t.equal(unifiedKernelSection(bytes, '.initrd')?.toString(), 'archives');
  t.equal(unifiedKernelSection(bytes, '.linux')?.toString(), 'kernel');
  t.equal(unifiedKernelSection(bytes, '.dtb'), undefined);
  t.end();
});

const none: Record<string, Buffer> = {
  empty: Buffer.alloc(0),
  'no program': Buffer.alloc(512, 'x'),
  'a header beyond the end': image({ '.initrd': 'a' }, (bytes) => bytes.writeUInt32LE(0xffffffff, 0x3c)),
  'a section beyond the end': image({ '.initrd': 'a' }, (bytes) => bytes.writeUInt32LE(0xfffffff0, 128 + 24 + 16 + 20)),
  'a section table beyond the end': image({ '.initrd': 'a' }, (bytes) => bytes.writeUInt16LE(0xffff, 148)),
};
for (const [name, bytes] of Object.entries(none)) {
  t.test(`none in ${name}`, (t) => {
    t.equal(unifiedKernelSection(bytes, '.initrd'), undefined);
    t.end();
  });
}

t.test('every truncation is no error', (t) => {
  const bytes = image({ '.linux': 'kernel', '.initrd': 'archives' });
  for (let length = 0; length < bytes.length; length += 7)
    t.ok((unifiedKernelSection(bytes.subarray(0, length), '.initrd')?.length ?? 0) <= 8);
  t.end();
});
