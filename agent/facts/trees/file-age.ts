/** When files last changed. Reads only. */
import { ERRNO } from '../../base/errno.ts';
import { lookInRoot } from '../../base/root.ts';

/** When a file of `root` ('' for the live machine) was last changed, in seconds since 1970; undefined when it is not there. */
export function changedAt(root: string, path: string): number | undefined {
  const age = fileAge(root, path);
  return age.kind === 'file' ? age.seconds : undefined;
}

/** The result of looking at a file; `errno` says why its age is unknown (permission, a link that leads to itself). */
export type FileAge =
  | { readonly kind: 'file'; readonly seconds: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly errno: number };

/** The same, or that it is not there. */
export function fileAge(root: string, path: string): FileAge {
  const stat = lookInRoot(root, path);
  if (typeof stat !== 'number') return { kind: 'file', seconds: Number(stat.mtimeMs / 1000n) };
  return stat === -ERRNO.ENOENT || stat === -ERRNO.ENOTDIR ? { kind: 'absent' } : { kind: 'unknown', errno: -stat };
}
