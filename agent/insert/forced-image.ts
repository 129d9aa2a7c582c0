/** Copies of module images for forced insertions. Pure; changes only its copy. */
import { imageSource, parseElf, section, viewOf } from '../facts/modfiles/elf.ts';

/** What `--force-modversion` and `--force-vermagic` make the kernel overlook. */
export interface Force {
  readonly modversions: boolean;
  readonly vermagic: boolean;
}

const SHF_ALLOC = 2;

/**
 * A copy of a module image that the kernel accepts in spite of its versions: init_module(2) has no flags as
 * finit_module(2) has, so `__versions` is marked as not to be loaded (the kernel then finds no versions), and the
 * `vermagic=` string is blanked. Unchanged where the image has neither, or is not ELF: then the kernel says so.
 */
export function forcedImage(image: Buffer, force: Force): Buffer {
  const copy = Buffer.from(image);
  const elf = parseElf(imageSource(copy));
  if (elf.kind === 'not-elf') return copy;
  const versions = section(elf, '__versions');
  if (force.modversions && versions !== undefined) {
    // The flags' low 32 bits: a word at offset 8; on 64 bit the low half of a double word there.
    const at = versions.headerOffset + 8 + (elf.bits === 64 && !elf.littleEndian ? 4 : 0);
    const view = viewOf(copy);
    view.setUint32(at, view.getUint32(at, elf.littleEndian) & ~SHF_ALLOC, elf.littleEndian);
  }
  const modinfo = section(elf, '.modinfo');
  if (force.vermagic && modinfo !== undefined)
    blankVermagic(copy.subarray(modinfo.offset, modinfo.offset + modinfo.size));
  return copy;
}

function blankVermagic(modinfo: Buffer): void {
  const text = modinfo.toString('latin1');
  const start = text.startsWith('vermagic=') ? 0 : text.indexOf('\0vermagic=') + 1;
  if (start === 0 && !text.startsWith('vermagic=')) return;
  const end = text.indexOf('\0', start);
  modinfo.fill(0, start, end < 0 ? text.length : end);
}
