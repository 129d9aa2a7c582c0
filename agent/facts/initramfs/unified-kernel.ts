/**
 * A unified kernel image (UKI): an EFI program (PE/COFF) whose section `.initrd` is the initramfs, `.linux` the kernel. Pure.
 *
 *     'MZ', at 0x3c the offset of 'PE\0\0'; then 20 bytes of COFF header (number of sections at 2, size of the
 *     optional header at 16), the optional header, then 40 bytes per section: name (8), virtual size, address, size in the
 *     file, offset in the file
 *
 * Source: PE Format (Microsoft), uapi-group.org/specifications/specs/unified_kernel_image.
 */

/** More sections than any image has (real ones have about 15). */
const MOST_SECTIONS = 96;

/** The bytes of a section (`.initrd`); undefined when the file is not such an image, is damaged, or lacks it. */
export function unifiedKernelSection(image: Buffer, wanted: string): Buffer | undefined {
  if (image.length < 64 || image.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const header = image.readUInt32LE(0x3c);
  if (header + 24 > image.length || image.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined;
  const sections = Math.min(image.readUInt16LE(header + 6), MOST_SECTIONS);
  const table = header + 24 + image.readUInt16LE(header + 20);
  for (let i = 0; i < sections; i++) {
    const at = table + 40 * i;
    if (at + 40 > image.length) return undefined;
    if (image.toString('latin1', at, at + 8).replace(/\0+$/, '') !== wanted) continue;
    const virtualSize = image.readUInt32LE(at + 8);
    const size = image.readUInt32LE(at + 16);
    const offset = image.readUInt32LE(at + 20);
    if (offset + size > image.length) return undefined;
    // The file pads a section; its real size is the virtual one.
    return image.subarray(offset, offset + (virtualSize === 0 ? size : Math.min(size, virtualSize)));
  }
  return undefined;
}
