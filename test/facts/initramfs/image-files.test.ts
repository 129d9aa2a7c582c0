import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { findImage } from '../../../agent/facts/initramfs/image-files.ts';

const KERNEL = '6.6.21-0-lts';

function plant(root: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries({ [`lib/modules/${KERNEL}/modules.order`]: '', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const names: Record<string, string> = {
  Debian: `boot/initrd.img-${KERNEL}`,
  Fedora: `boot/initramfs-${KERNEL}.img`,
  SUSE: `boot/initrd-${KERNEL}`,
  Alpine: 'boot/initramfs-lts',
  genkernel: `boot/initramfs-genkernel-x86_64-${KERNEL}`,
  ostree: `lib/modules/${KERNEL}/initramfs.img`,
  'Boot Loader Specification': `boot/0123456789abcdef0123456789abcdef/${KERNEL}/initrd`,
  'Boot Loader Specification on the EFI partition': `efi/debian/${KERNEL}/initrd.img`,
  'a unified kernel image': `boot/efi/EFI/Linux/debian-${KERNEL}.efi`,
  'a unified kernel image with tries left': `efi/EFI/Linux/arch-${KERNEL}+3-1.efi`,
};
for (const [name, path] of Object.entries(names)) {
  t.test(name, (t) => {
    const root = plant(t.testdir(), { [path]: 'x' });
    t.same(findImage(openHost({ root, kernel: KERNEL })), { file: join(root, path), others: [] });
    t.end();
  });
}

for (const system of ['run/booted-system', 'run/current-system']) {
  t.test(`NixOS: beside the modules in ${system}`, (t) => {
    const files = { [`${system}/kernel-modules/lib/modules/6.6/modules.order`]: '', [`${system}/initrd`]: 'x' };
    const root = plant(t.testdir(), files);
    t.equal(findImage(openHost({ root, kernel: '6.6' })).file, join(root, system, 'initrd'));
    t.equal(findImage(openHost({ root, kernel: KERNEL })).file, undefined, 'not for a kernel from elsewhere');
    t.end();
  });
}

t.test('Arch: pkgbase names it', (t) => {
  const root = plant(t.testdir(), {
    [`lib/modules/${KERNEL}/pkgbase`]: 'linux-zen\n',
    'boot/initramfs-linux-zen.img': 'x',
    'boot/initramfs-linux.img': 'of another kernel',
  });
  t.equal(findImage(openHost({ root, kernel: KERNEL })).file, join(root, 'boot/initramfs-linux-zen.img'));
  t.end();
});

t.test('names that tell no kernel, and those of other kernels', (t) => {
  const root = plant(t.testdir(), { 'boot/initramfs-linux.img': 'x', 'boot/vmlinuz-linux': 'x' });
  t.same(findImage(openHost({ root, kernel: KERNEL })), {
    file: undefined,
    others: [join(root, 'boot/initramfs-linux.img')],
  });
  const other = plant(join(t.testdirName, 'other'), { 'boot/efi/EFI/Linux/debian-6.6.2.efi': 'x' });
  t.same(findImage(openHost({ root: other, kernel: KERNEL })), { file: undefined, others: [] });
  t.end();
});

t.test('pkgbase leads nowhere outside /boot', (t) => {
  const root = plant(t.testdir(), { [`lib/modules/${KERNEL}/pkgbase`]: '/../../secret\n', 'secret.img': 'x' });
  t.equal(findImage(openHost({ root, kernel: KERNEL })).file, undefined);
  t.end();
});

t.test('an absolute link in the image leads to the image', (t) => {
  const root = plant(t.testdir(), { 'boot/real': 'x' });
  symlinkSync('/boot/real', join(root, `boot/initrd.img-${KERNEL}`));
  t.equal(findImage(openHost({ root, kernel: KERNEL })).file, join(root, `boot/initrd.img-${KERNEL}`));
  t.end();
});
