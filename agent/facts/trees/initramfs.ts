/**
 * What a kernel's initramfs holds of modules and of rules about them. The image is cpio archives one behind the other
 * (processor microcode first, uncompressed), between them zeros; the last one is mostly compressed as a whole.
 *
 * A cpio entry ("newc"): 110 characters, the magic 070701 and 13 numbers of 8 hexadecimal digits (…, size at 54, …,
 * length of the name at 94), the name with its NUL, padding to 4 bytes, the contents, padding to 4 bytes. The entry
 * TRAILER!!! ends an archive. Source: Documentation/driver-api/early-userspace/buffer-format.rst.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fsCode, reason } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { moduleNameFromPath, type ModuleName } from '../../base/names.ts';
import type { ConfigText } from '../config/config-text.ts';
import { compressionOf, decompress } from '../modfiles/decompress.ts';

/** An initramfs that was read, or why it could not be. */
export type Initramfs =
  | {
      readonly kind: 'initramfs';
      readonly file: string;
      readonly modules: ReadonlySet<ModuleName>;
      /** Its modprobe.d files, with paths as inside it (`/etc/modprobe.d/x.conf`), sorted. */
      readonly config: readonly ConfigText[];
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly file: string; readonly why: string };

const NAMES = ['initrd.img-@', 'initramfs-@.img', 'initrd-@', 'initrd.img-@.img'];
const MODULE = /\.ko(\.xz|\.zst|\.gz)?$/;
const CONFIG = /(^|\/)(etc|run|usr\/lib|usr\/local\/lib|lib)\/modprobe\.d\/[^/]+\.conf$/;
/** Once decompressed; images of distributions are below 300 MiB. */
const LIMIT = 1 << 30;

/** The initramfs of the host's kernel under /boot, by the names that distributions give it. */
export function readInitramfs(host: Host): Initramfs {
  const file = NAMES.map((name) => `${host.root}/boot/${name.replace('@', host.kernel)}`).find((path) =>
    existsSync(path),
  );
  if (file === undefined) return { kind: 'none' };
  let image: Buffer;
  try {
    image = readFileSync(file);
  } catch (error) {
    return {
      kind: 'unreadable',
      file,
      why: fsCode(error) === 'EACCES' ? 'permission denied' : reason(error),
    };
  }
  const modules = new Set<ModuleName>();
  const config: ConfigText[] = [];
  const why = walk(image, (name, contents) => {
    if (MODULE.test(name)) modules.add(moduleNameFromPath(name));
    if (CONFIG.test(name)) config.push({ file: `/${name.replace(/^(\.?\/)/, '')}`, text: contents.toString('latin1') });
  });
  if (why !== undefined) return { kind: 'unreadable', file, why };
  return { kind: 'initramfs', file, modules, config: config.toSorted((a, b) => (a.file < b.file ? -1 : 1)) };
}

/** Calls `entry` for each file of all archives; answers what is wrong with the image, if anything is. */
function walk(image: Buffer, entry: (name: string, contents: Buffer) => void): string | undefined {
  let at = 0;
  while (at < image.length) {
    if (image[at] === 0) {
      at++;
      continue;
    }
    if (image.toString('latin1', at, at + 5) !== '07070') {
      const rest = image.subarray(at);
      const compression = compressionOf(rest);
      if (compression === undefined) return 'neither a cpio archive nor compressed with gzip, xz or zstd';
      const unpacked = decompress(compression, rest, LIMIT);
      return unpacked.kind === 'image' ? walk(unpacked.image, entry) : unpacked.why;
    }
    const number = (offset: number) => Number.parseInt(image.toString('latin1', at + offset, at + offset + 8), 16);
    const size = number(54);
    const nameLength = number(94);
    const contents = align(at + 110 + nameLength);
    if (Number.isNaN(size + nameLength) || contents + size > image.length) return 'a cpio archive that ends too early';
    const name = image.toString('latin1', at + 110, at + 110 + nameLength - 1);
    if (name !== 'TRAILER!!!') entry(name, image.subarray(contents, contents + size));
    at = align(contents + size);
  }
  return undefined;
}

function align(offset: number): number {
  return (offset + 3) & ~3;
}
