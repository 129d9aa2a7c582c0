/** depmod for the kernels whose modules changed, in this process. Writes the indexes of those trees. */
import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { toMachineText } from '../../base/machine-text.ts';
import { indexFiles, readTree } from '../../depmod/index-build.ts';
import { publishIndexes } from '../../depmod/publication.ts';
import { hasIndexes } from './pending-indexes.ts';

/** `done`; or `missing`: the tree has no modules.dep yet, and then dkms runs no depmod either; or why not. */
export type IndexResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly why: string };

/** Builds and writes the indexes of `tree` (`/lib/modules/6.1.0-56-amd64`) for the kernel `release`. Its warnings are not told. */
export async function rebuildIndexes(tree: string, release: string): Promise<IndexResult> {
  if (!hasIndexes(tree)) return { kind: 'missing' };
  const place = { root: '', moduleDir: toMachineText(tree) };
  const reading = await readTree({ ...place, kernel: release, reportUnknown: false, say: untold });
  if (reading.kind === 'failed') return { kind: 'failed', why: reading.why };
  if (reading.kind === 'circular') {
    return {
      kind: 'failed',
      why: `modules need each other: ${reading.cycles.map((cycle) => cycle.join(' -> ')).join(', ')}`,
    };
  }
  const files = indexFiles(place, reading.tree, { layout: 'children-first', warnDuplicates: false, say: untold });
  const publication = publishIndexes(place.moduleDir, files, '');
  return publication.kind === 'published' ? { kind: 'done' } : { kind: 'failed', why: publication.why };
}

/**
 * Removes what depmod made in the tree of a kernel that is gone: its modules.dep names no module. Gives whether the folder itself went.
 */
export function removeEmptyTree(tree: string): boolean {
  if (statSync(`${tree}/modules.dep`, { throwIfNoEntry: false })?.size !== 0) return false;
  for (const name of readdirSync(tree)) if (name.startsWith('modules.')) rmSync(`${tree}/${name}`, { force: true });
  return removeEmptyFolder(tree);
}

/** Removes a folder that has nothing in it; gives whether it did. */
export function removeEmptyFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function untold(): void {
  // dkms hides what depmod says.
}
