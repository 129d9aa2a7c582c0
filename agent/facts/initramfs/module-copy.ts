/** Whether an image's copy of a module is the tree's. Reads the tree's file only as far as needed. */
import type { Host } from '../../base/host.ts';
import { openModuleFile } from '../modfiles/module-file.ts';
import { modinfoValue } from '../modfiles/modinfo.ts';
import { digestOf, type BuildMarks, type ImageModule } from './image-contents.ts';
import { readRegularFile } from '../regular-file.ts';

/**
 * Why the copy is not of the same build as the tree's file at `path` (absolute, with the root); undefined when it is, or when nothing
 * tells. Builders strip modules, so sizes may differ.
 */
export function differenceOf(host: Host, path: string, copy: ImageModule): string | undefined {
  if (copy.damage !== undefined) return `it is no module: ${copy.damage}`;
  if (copy.bytes === 0) return undefined;
  if (copy.digest !== undefined) {
    const read = readRegularFile(host.root, path);
    if (read.kind !== 'bytes' || (read.bytes.length === copy.bytes && digestOf(read.bytes) === copy.digest))
      return undefined;
    return `its bytes are others than those of ${path.slice(host.root.length)}`;
  }
  const file = openModuleFile(host.root, path);
  if (file.kind !== 'module') return undefined;
  try {
    const { modinfo, vermagic } = file;
    const tree = { srcversion: modinfoValue(modinfo, 'srcversion'), buildId: file.buildId(), vermagic };
    return copy.marks === undefined ? undefined : markDifference(copy.marks, tree);
  } finally {
    file.close();
  }
}

const MARKS = [
  ['srcversion', 'srcversion'],
  ['buildId', 'build id'],
  ['vermagic', 'vermagic'],
] as const satisfies ReadonlyArray<readonly [keyof BuildMarks, string]>;

/** `its srcversion is A, the tree's B`; undefined for the same build. */
export function markDifference(copy: BuildMarks, tree: BuildMarks): string | undefined {
  for (const [mark, word] of MARKS) {
    const [here, there] = [copy[mark], tree[mark]];
    if (here !== undefined && there !== undefined && here !== there)
      return `its ${word} is ${here.trim()}, the tree's ${there.trim()}`;
  }
  return undefined;
}
