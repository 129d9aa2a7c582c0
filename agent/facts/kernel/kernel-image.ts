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
import { COMPRESSIONS, compressionRow, type Compression } from '../modfiles/compression.ts';
import { decompressPart, decompressPartAsync } from '../modfiles/decompress.ts';
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
  return read === undefined ? undefined : kernelImage(read);
}

/** Gives a kernel's image, or undefined where there is none. */
export type KernelSource = () => KernelImage | undefined;

/** A source that reads the image of the host's kernel at its first call. */
export function kernelImageOnce(host: Host): KernelSource {
  let read: { readonly image: KernelImage | undefined } | undefined;
  return () => (read ??= { image: readKernelImage(host) }).image;
}

/** The image of the host's kernel, unpacked on another thread; undefined where none can be read. */
export async function readKernelImageAsync(host: Host): Promise<KernelImage | undefined> {
  for (const { file, bytes } of imageFiles(host)) {
    const image = await unpackedAsync(bytes);
    if (image !== undefined) return kernelImage({ file, image });
  }
  return undefined;
}

function kernelImage({ file, image }: { readonly file: string; readonly image: Buffer }): KernelImage {
  const parts = dataOf(image);
  return { file, kind: 'strings', has: (name) => findIn(parts, name) };
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
export function readKernelBytes(host: Host): { file: string; image: Buffer } | undefined {
  for (const { file, bytes } of imageFiles(host)) {
    const image = unpacked(bytes);
    if (image !== undefined) return { file, image };
  }
  return undefined;
}

/** The files that may be its kernel, in order. */
function* imageFiles({ root, moduleDir, kernel }: Host): Generator<{ readonly file: string; readonly bytes: Buffer }> {
  for (const name of ['vmlinuz', 'vmlinux']) {
    for (const file of [`${root}/boot/${name}-${kernel}`, `${moduleDir}/${name}`]) {
      const read = readRegularFile(root, file);
      if (read.kind === 'bytes') yield { file, bytes: read.bytes };
    }
  }
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
  for (const { compression, rest } of packedPlaces(bytes)) {
    const part = decompressPart(compression, rest, MOST_UNPACKED);
    if (part.kind === 'part' && isKernel(part.image)) return part.image;
  }
  return undefined;
}

async function unpackedAsync(bytes: Buffer): Promise<Buffer | undefined> {
  if (isKernel(bytes)) return bytes;
  for (const { compression, rest } of packedPlaces(bytes)) {
    const part = await decompressPartAsync(compression, rest, MOST_UNPACKED);
    if (part.kind === 'part' && isKernel(part.image)) return part.image;
  }
  return undefined;
}

/** Where the compressed kernel may begin. */
function* packedPlaces(bytes: Buffer): Generator<{ readonly compression: Compression; readonly rest: Buffer }> {
  for (const compression of COMPRESSIONS) {
    const magic = Buffer.from(compressionRow(compression).magic);
    let tries = 0;
    for (let at = bytes.indexOf(magic); at >= 0 && tries < MOST_TRIES; at = bytes.indexOf(magic, at + 1)) {
      tries++;
      yield { compression, rest: bytes.subarray(at) };
    }
  }
}

const PANIC = Buffer.from('Kernel panic - not syncing', 'latin1');

/** A text that every kernel since 2.4 can print. */
function isKernel(bytes: Buffer): boolean {
  return bytes.includes(PANIC);
}
