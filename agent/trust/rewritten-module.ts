/** Changes the image of a module file, whatever its compression: unpacks, changes, packs again, and puts the file in its place at once. */
import { reason, fsCode } from '../base/error.ts';
import { replaceFile } from '../base/new-file.ts';
import { openModuleFile } from '../facts/modfiles/module-file.ts';
import { compress } from './recompression.ts';

/** What came of it: `written`; `kept`, since there was nothing to change; or why the file is as it was. */
export type Rewriting =
  | { readonly kind: 'written' }
  | { readonly kind: 'kept' }
  | { readonly kind: 'failed'; readonly why: string };

/** A changed image; undefined to leave the file alone; or why it cannot be changed. */
export type ImageChange = (image: Buffer) => Buffer | undefined | { readonly why: string };

/**
 * Writes the changed module to `target` (the file itself unless told otherwise), compressed as the file is. A link's own file is changed.
 * `change` runs once. Errors: what `change` throws.
 */
export function rewriteModule(path: string, change: ImageChange, target = path): Rewriting {
  const file = openModuleFile('', path);
  if (file.kind === 'not-a-module') return failed(`${path}: ${file.why}`);
  let changed: ReturnType<ImageChange>;
  const { compression } = file;
  try {
    changed = change(file.image());
  } finally {
    file.close();
  }
  if (changed === undefined) return { kind: 'kept' };
  if (!Buffer.isBuffer(changed)) return failed(`${path}: ${changed.why}`);
  let bytes = changed;
  if (compression !== undefined) {
    const packed = compress(compression, changed);
    if (packed.kind === 'uncompressed') return failed(`${path}: could not compress it again: ${packed.why}`);
    ({ bytes } = packed);
  }
  try {
    replaceFile(target, bytes);
  } catch (error) {
    if (fsCode(error) === undefined) throw error;
    return failed(`${target}: could not write it: ${reason(error)}`);
  }
  return { kind: 'written' };
}

function failed(why: string): Rewriting {
  return { kind: 'failed', why };
}
