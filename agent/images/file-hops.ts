/** A file with every symbolic link on the way to it. Reads only. */
import { readLinkInRoot, resolveInRoot, statInRoot } from '../base/root.ts';

/** A link, or the file at the end; `path` is its own, without links above it and without the root. */
export interface FileHop {
  readonly path: string;
  /** Where a link leads, as it is written; undefined for the file. */
  readonly target: string | undefined;
  readonly bytes: number;
}

/** Longer chains than any path of links has. */
const MOST_HOPS = 40;

/**
 * The links from `path` to a file, and the file last: `/lib/firmware/a.bin` → `/usr/lib/firmware/a.bin` (a link to b.bin), and
 * `/usr/lib/firmware/b.bin`. Undefined when they lead to none.
 */
export function fileHops(root: string, path: string): readonly FileHop[] | undefined {
  const hops: FileHop[] = [];
  let at = path;
  while (hops.length < MOST_HOPS) {
    const slash = at.lastIndexOf('/');
    const folder = resolveInRoot(root, at.slice(0, slash));
    if (typeof folder === 'number') return undefined;
    const real = `${folder}${at.slice(slash)}`;
    const target = readLinkInRoot(root, real);
    if (typeof target === 'number') {
      const stat = statInRoot(root, real);
      if (stat === undefined) return undefined;
      return [...hops, { path: real.slice(root.length), target: undefined, bytes: Number(stat.size) }];
    }
    hops.push({ path: real.slice(root.length), target, bytes: 0 });
    at = target.startsWith('/') ? `${root}${target}` : `${folder}/${target}`;
  }
  return undefined;
}
