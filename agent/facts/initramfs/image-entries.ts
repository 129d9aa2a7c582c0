/**
 * Visits the files of a boot image: an initramfs, a unified kernel image (its `.initrd`), or a folder with the files unpacked. Reads only,
 * and never beyond a limit.
 */
import { listInRoot, readLinkInRoot, statInRoot } from '../../base/root.ts';
import { readRegularFile } from '../regular-file.ts';
import { walkArchives } from './cpio.ts';
import { unifiedKernelSection } from './unified-kernel.ts';

/** A file or a symbolic link of an image. */
export interface ImageEntry {
  /** Absolute, as inside the image: `/usr/lib/modules/6.1.0/modules.dep`. */
  readonly path: string;
  /** Where a link leads, as it is written; undefined for a file. */
  readonly target: string | undefined;
  readonly bytes: number;
  /** The contents; undefined when a file of a folder cannot be read. Valid during the visit only. */
  readonly read: () => Buffer | undefined;
}

/** How it went: `damaged` images count up to the damage; of `unreadable` ones nothing counts. */
export type ImageWalk =
  | { readonly kind: 'whole' }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Images with all modules and firmware are below 600 MiB. */
const MOST_BYTES = 1 << 30;
const TYPE = 0o170000;
const FILE = 0o100000;
const LINK = 0o120000;
const LONGEST_TARGET = 4096;
/** What counts in a folder: everything else is not opened. */
const TREES = ['/lib', '/usr/lib', '/usr/local/lib', '/etc/modprobe.d', '/run/modprobe.d', '/conf'];
const INTERESTING = /^\/(usr\/)?(local\/)?lib\/(modules|firmware|modprobe\.d)(\/|$)/;
/** Deeper folders than any tree of modules has. */
const DEEPEST = 32;

/** Calls `visit` for each file and link of the image at `path`: `walkImage('', '/boot/initrd.img-6.1.0', (entry) => …)`. */
export function walkImage(root: string, path: string, visit: (entry: ImageEntry) => void): ImageWalk {
  if (statInRoot(root, path)?.isDirectory() === true) return walkFolder(path.replace(/\/+$/, ''), visit);
  const read = readRegularFile(root, path, MOST_BYTES);
  if (read.kind === 'absent') return read;
  if (read.kind === 'fault') return { kind: 'unreadable', why: read.why };
  const { bytes } = read;
  const isProgram = bytes.toString('latin1', 0, 2) === 'MZ';
  const archives = isProgram ? unifiedKernelSection(bytes, '.initrd') : bytes;
  if (archives === undefined) return { kind: 'unreadable', why: 'not a unified kernel image, or one without .initrd' };
  if (archives.length === 0) return { kind: 'unreadable', why: 'an empty file' };
  const why = walkArchives(archives, ({ name, mode, contents }) => {
    const type = mode & TYPE;
    if (type !== FILE && type !== LINK) return;
    const target = type === LINK ? contents.toString('latin1', 0, LONGEST_TARGET) : undefined;
    visit({ path: absolute(name), target, bytes: contents.length, read: () => contents });
  });
  return why === undefined ? { kind: 'whole' } : { kind: 'damaged', why };
}

/** `./etc/x`, `etc//x` and `/etc/x` → `/etc/x`. */
function absolute(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

/** Links between folders are entries like all others and are not followed, so a tree is read once. */
function walkFolder(folder: string, visit: (entry: ImageEntry) => void): ImageWalk {
  // No link leads out of it.
  const root = folder;
  const faults: string[] = [];
  const walk = (inside: string, depth: number): void => {
    const entries = listInRoot(root, folder + inside);
    if (typeof entries === 'number') {
      faults.push(`${inside} cannot be read`);
      return;
    }
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${inside}/${entry.name}`;
      const place = folder + path;
      if (entry.isSymbolicLink()) {
        const target = readLinkInRoot(root, place);
        if (typeof target === 'string') visit({ path, target, bytes: 0, read: () => undefined });
      } else if (entry.isDirectory()) {
        const wanted = !/^\/(usr\/)?(local\/)?lib\//.test(path) || INTERESTING.test(path);
        if (wanted && depth < DEEPEST && !/\/(build|source)$/.test(path)) walk(path, depth + 1);
      } else if (entry.isFile()) {
        const bytes = Number(statInRoot(root, place)?.size ?? 0);
        visit({
          path,
          target: undefined,
          bytes,
          read: () => {
            const file = readRegularFile(root, place, MOST_BYTES);
            return file.kind === 'bytes' ? file.bytes : undefined;
          },
        });
      }
    }
  };
  for (const tree of TREES) {
    const target = readLinkInRoot(root, folder + tree);
    if (typeof target === 'string') visit({ path: tree, target, bytes: 0, read: () => undefined });
    else if (statInRoot(root, folder + tree)?.isDirectory() === true) walk(tree, 0);
  }
  const [first] = faults;
  return first === undefined ? { kind: 'whole' } : { kind: 'damaged', why: first };
}
