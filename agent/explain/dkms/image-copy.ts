/** Whether the copy of a module in a boot image is the one that the tree has. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleFile } from '../../base/names.ts';
import type { ImageModule, ImageTree } from '../../facts/initramfs/image-contents.ts';
import { differenceOf } from '../../facts/initramfs/module-copy.ts';
import { withoutCompression } from '../../facts/modfiles/module-file-name.ts';
import type { Sources } from '../../load/sources.ts';

/** Why the copy is another than the tree's: `its build id is A, the tree's B`; undefined when it is the same, or nothing tells. */
export function copyFault(host: Host, { matcher }: Sources, tree: ImageTree, copy: ImageModule): string | undefined {
  const { path, name } = copy;
  const found = matcher.dependencies(name);
  if (found === undefined) return matcher.isBuiltin(name) ? 'it is built into the kernel' : 'the tree does not have it';
  const inside = path.slice(tree.files.dir.length + 1);
  // updates/ goes before kernel/: the image may have the kernel's own copy of a module that DKMS has built since.
  const moved = !found.path.startsWith('/') && withoutCompression(found.path) !== withoutCompression(inside);
  return moved ? `the tree takes ${found.path}` : differenceOf(host, moduleFile(host, found.path), copy);
}
