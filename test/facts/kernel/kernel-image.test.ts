import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { readKernelImage, readKernelImageAsync, readSystemMap } from '../../../agent/facts/kernel/kernel-image.ts';
import { elfImage } from '../../fixtures/elf-image.ts';

const KERNEL = Buffer.from('\x7fELF\0Kernel panic - not syncing\0pcieport\0con3215\0', 'latin1');
const wrapped = Buffer.concat([Buffer.from('MZ\x1f\x8b\x08chance'), gzipSync(KERNEL), Buffer.from('size')]);

const images: Record<string, readonly [path: string, bytes: Buffer, found: boolean]> = {
  'a kernel as it is': ['boot/vmlinux-6', KERNEL, true],
  'one inside a program, behind a magic number of chance': ['boot/vmlinuz-6', wrapped, true],
  'in the folder of its modules': ['lib/modules/6/vmlinuz', KERNEL, true],
  'of another release': ['boot/vmlinuz-7', KERNEL, false],
  'no kernel at all': ['boot/vmlinuz-6', Buffer.from('hello'), false],
  damaged: ['boot/vmlinuz-6', wrapped.subarray(0, 40), false],
};
for (const [name, [path, bytes, found]] of Object.entries(images)) {
  t.test(`image: ${name}`, async (t) => {
    const root = t.testdir({ lib: { modules: { 6: {} } } });
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
    const host = openHost({ root, kernel: '6' });
    for (const image of [readKernelImage(host), await readKernelImageAsync(host)]) {
      t.equal(image?.file, found ? join(root, path) : undefined);
      if (image === undefined) continue;
      t.equal(image.has('pcieport'), 'whole');
      t.equal(image.has('3215'), 'tail', 'the linker lets the end of a longer string stand for it');
      t.equal(image.has('pcie'), undefined, 'the beginning of a string is none');
      t.equal(image.has(''), undefined);
    }
  });
}

t.test("an ELF kernel's code has no strings", (t) => {
  const sections = {
    '.text': '\0in_code\0',
    '.rodata': 'Kernel panic - not syncing\0first\0pcieport\0',
    '.data': 'con3215\0',
  };
  const root = t.testdir({ boot: {} });
  writeFileSync(join(root, 'boot/vmlinux-6'), Buffer.concat([elfImage({ sections }), Buffer.from('\0behind\0')]));
  const image = readKernelImage(openHost({ root, kernel: '6' }));
  const found = ['first', 'pcieport', 'con3215', '3215', 'in_code', 'behind'].map((name) => image?.has(name));
  t.same(found, ['whole', 'whole', 'whole', 'tail', undefined, undefined], 'nor has what is in no section');
  t.end();
});

t.test('System.map tells by symbols', (t) => {
  const root = t.testdir({
    boot: {
      'System.map-6': 'ffff T start\nffff d virtio_net_driver\nffff t my_card_probe\n',
      'System.map-7': 'a stub\n',
    },
  });
  const map = readSystemMap(openHost({ root, kernel: '6' }));
  t.equal(map?.has('virtio-net'), 'whole');
  t.equal(map?.has('My Card'), 'whole');
  t.equal(map?.has('net'), undefined);
  t.equal(readSystemMap(openHost({ root, kernel: '7' })), undefined, "Debian's says only where the real one is");
  t.end();
});
