/** Packages' own list of modules that replace newer ones of the kernel. Reads only. */
import { namesInRoot } from '../../base/root.ts';
import { readTextIn } from '../../facts/regular-file.ts';

/** Where packages put their words. */
export const FORCED_MODULES = '/usr/share/dkms/modules_to_force_install';

/** How a module is installed: as with --force, or as with --force-version-override. */
export type Forcing = 'force' | 'version-override';

const OVERRIDE = '_version-override';
/** A word or two are usual. */
const MOST_BYTES = 1 << 16;

/** `nvidia-current`, `broadcom-sta_version-override` → name to forcing; empty when there is no such folder. */
export function readForcedModules(folder = FORCED_MODULES): ReadonlyMap<string, Forcing> {
  const words = namesInRoot('', folder)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .flatMap((name) => (readTextIn('', `${folder}/${name}`, MOST_BYTES) ?? '').split(/\s+/))
    .filter((word) => word !== '');
  return new Map(
    words.map((word): [string, Forcing] =>
      word.endsWith(OVERRIDE) ? [word.slice(0, -OVERRIDE.length), 'version-override'] : [word, 'force'],
    ),
  );
}
