/**
 * Finds out which drivers a kernel has built in. It searches the kernel's image for their names, which the image holds as strings
 * even when modules.builtin omits them. The image may be compressed. It is the first of these that can be read:
 *
 *     /boot/vmlinuz-RELEASE, /boot/vmlinux-RELEASE, /lib/modules/RELEASE/vmlinuz, /lib/modules/RELEASE/vmlinux
 *
 * x86, 32-bit ARM and s390 wrap a compressed kernel in a small program. arm64 and POWER do not. Without an image, System.map
 * tells of some drivers by their symbols (`readSystemMap`). Source: scripts/extract-vmlinux.
 */
import type { Host } from '../../base/host.ts';
import { COMPRESSIONS, compressionRow } from '../modfiles/compression.ts';
import { decompressPart } from '../modfiles/decompress.ts';
import { imageSource, parseElf } from '../modfiles/elf.ts';
import { readRegularFile, readTextIn } from '../regular-file.ts';

/** A kernel's contents. */
export interface KernelImage {
  readonly file: string;
  /** `strings`: what has no such string has no such driver. `symbols`: only what is found is certain. */
  readonly kind: 'strings' | 'symbols';
  /**
   * Whether the kernel has this very string, or a symbol of a driver of that name. `tail`: only at the end of a longer string,
   * which the linker lets stand for both.
   */
  has(name: string): 'whole' | 'tail' | undefined;
}

/** More than any kernel takes when it is unpacked. */
const MOST_UNPACKED = 512 << 20;
/** A magic number is found by chance too. */
const MOST_TRIES = 32;

/** The image of the host's kernel; undefined where none can be read. */
export function readKernelImage(host: Host): KernelImage | undefined {
  const read = readKernelBytes(host);
  if (read === undefined) return undefined;
  const parts = dataOf(read.image);
  return { file: read.file, kind: 'strings', has: (name) => findIn(parts, name) };
}

/** Sections without strings: code, and the tables that unwind and patch it. */
const CODE = /^\.(text|init\.text|exit\.text|orc_|altinstr|return_sites|retpoline|BTF_ids|rela?\.)/;

/** The data sections of an ELF kernel, a third of it; any other image as a whole. */
function dataOf(image: Buffer): readonly Buffer[] {
  const elf = parseElf(imageSource(image));
  if (elf.kind === 'not-elf') return [image];
  const data = elf.sections.filter(({ name, size }) => size > 0 && !CODE.test(name));
  return data.map(({ offset, size }) => image.subarray(offset, offset + size));
}

/** The host's kernel, unpacked, and the file that it comes from; undefined where none can be read. It takes a second. */
export function readKernelBytes({ root, moduleDir, kernel }: Host): { file: string; image: Buffer } | undefined {
  const images = ['vmlinuz', 'vmlinux'].flatMap((name) => [`${root}/boot/${name}-${kernel}`, `${moduleDir}/${name}`]);
  for (const file of images) {
    const read = readRegularFile(root, file);
    const image = read.kind === 'bytes' ? unpacked(read.bytes) : undefined;
    if (image !== undefined) return { file, image };
  }
  return undefined;
}

/** The System.map of the host's kernel, which tells of some drivers by their symbols; undefined without one. */
export function readSystemMap({ root, moduleDir, kernel }: Host): KernelImage | undefined {
  for (const file of [`${root}/boot/System.map-${kernel}`, `${moduleDir}/System.map`]) {
    const text = readTextIn(root, file);
    if (text === undefined || !text.includes(' T ')) continue;
    return { file, kind: 'symbols', has: (name) => (hasSymbol(text, name) ? 'whole' : undefined) };
  }
  return undefined;
}

function findIn(parts: readonly Buffer[], name: string): 'whole' | 'tail' | undefined {
  let found: 'tail' | undefined;
  for (const part of parts) {
    const here = findString(part, name);
    if (here === 'whole') return here;
    found ??= here;
  }
  return found;
}

function findString(image: Buffer, name: string): 'whole' | 'tail' | undefined {
  if (name === '') return undefined;
  // A search for what begins with a NUL would stop at every other byte of a kernel.
  const wanted = Buffer.from(`${name}\0`, 'latin1');
  let found: 'tail' | undefined;
  for (let at = image.indexOf(wanted); at >= 0; at = image.indexOf(wanted, at + 1)) {
    if (at === 0 || image[at - 1] === 0) return 'whole';
    found = 'tail';
  }
  return found;
}

/** `virtio_net_driver`, `pnp_serial_probe` (by one of its names): what a driver is usually called. */
function hasSymbol(text: string, name: string): boolean {
  const stem = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
  return ['_driver\n', '_probe\n', '_pci_driver\n', '_platform_driver\n'].some((end) =>
    text.includes(` ${stem}${end}`),
  );
}

/** The kernel in an image; undefined for what is none. */
function unpacked(bytes: Buffer): Buffer | undefined {
  if (isKernel(bytes)) return bytes;
  for (const compression of COMPRESSIONS) {
    const magic = Buffer.from(compressionRow(compression).magic);
    let tries = 0;
    for (let at = bytes.indexOf(magic); at >= 0 && tries < MOST_TRIES; at = bytes.indexOf(magic, at + 1)) {
      tries++;
      const part = decompressPart(compression, bytes.subarray(at), MOST_UNPACKED);
      if (part.kind === 'part' && isKernel(part.image)) return part.image;
    }
  }
  return undefined;
}

const PANIC = Buffer.from('Kernel panic - not syncing', 'latin1');

/** A text that every kernel since 2.4 can print. */
function isKernel(bytes: Buffer): boolean {
  return bytes.includes(PANIC);
}
