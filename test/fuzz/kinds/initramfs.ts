/** An initramfs image: cpio archives, plain and compressed, and the unified kernel image that one can be inside. */
import { gzipSync } from 'node:zlib';
import { unpackedLimit, walkArchives } from '../../../agent/facts/initramfs/cpio.ts';
import { unifiedKernelSection } from '../../../agent/facts/initramfs/unified-kernel.ts';
import type { Random } from '../../fixtures/random.ts';
import { check, type FuzzKind } from '../kind.ts';

/** A cpio entry with its padding. */
function entry(name: string, contents: Buffer): Buffer {
  const hex = (number: number) => number.toString(16).padStart(8, '0');
  const numbers = [1, 0o100644, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = Buffer.from(`070701${numbers.map(hex).join('')}${name}\0`, 'latin1');
  const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([pad(head), pad(contents)]);
}

const TRAILER = entry('TRAILER!!!', Buffer.alloc(0));

function archive(...names: readonly string[]): Buffer {
  return Buffer.concat([...names.map((name) => entry(name, Buffer.from(`contents of ${name}`))), TRAILER]);
}

/** An EFI program with one section. */
function unified(section: Buffer): Buffer {
  const head = Buffer.alloc(64 + 24 + 40);
  head.write('MZ', 0, 'latin1');
  head.writeUInt32LE(64, 0x3c);
  head.write('PE\0\0', 64, 'latin1');
  head.writeUInt16LE(1, 70);
  head.write('.initrd', 88, 'latin1');
  head.writeUInt32LE(section.length, 96);
  head.writeUInt32LE(section.length, 104);
  head.writeUInt32LE(head.length, 108);
  return Buffer.concat([head, section]);
}

const PLAIN = archive('kernel/x86/microcode/AuthenticAMD.bin', 'etc/modprobe.d/a.conf');
const PACKED = gzipSync(archive('usr/lib/modules/6.1.0/kernel/fs/ext4.ko.xz', './etc/modprobe.d/b.conf'));
const SAMPLES = [PLAIN, PACKED, Buffer.concat([PLAIN, Buffer.alloc(512), PACKED]), unified(PLAIN), unified(PACKED)];
const WORDS = [
  '070701',
  '070702',
  'TRAILER!!!\0',
  'MZ',
  'PE\0\0',
  '.initrd',
  'FFFFFFFF',
  '00000000',
  '0000000/',
  '\x1f\x8b\x08',
  '\0\0\0\0',
  'BZh',
  '\x02\x21\x4c\x18',
];

function compose(random: Random): Buffer {
  const parts = Array.from({ length: random.below(5) }, () => {
    const names = Array.from({ length: random.below(6) }, () => random.text('abc/.ko', 0, 40));
    const plain = archive(...names);
    return random.below(2) === 0 ? plain : gzipSync(random.below(4) === 0 ? gzipSync(plain) : plain);
  });
  const image = Buffer.concat(parts.flatMap((part) => [part, Buffer.alloc(random.below(8))]));
  return random.below(4) === 0 ? unified(image) : image;
}

function read(input: Buffer): void {
  const section = unifiedKernelSection(input, '.initrd');
  check(section === undefined || section.length <= input.length, 'a section is part of the file');
  let bytes = 0;
  const why = walkArchives(section ?? input, ({ name, contents }) => {
    bytes += name.length + contents.length;
  });
  check(why === undefined || why !== '', 'what is wrong is said');
  check(bytes <= input.length + unpackedLimit(input.length), 'entries hold no more than the image');
}

export const kind: FuzzKind = { samples: SAMPLES, words: WORDS, compose, read };
