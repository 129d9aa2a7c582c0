/** The kernel that a module was built for, which is another one if its Makefile asks `uname -r`. */
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import { readTextIn } from '../../facts/regular-file.ts';
import type { BuildKernel } from './build-request.ts';

/**
 * The release in a module's vermagic if it is not that of `kernel`: `6.12.3`; undefined when it is, or the file has none. Headers that
 * the user named (`own` is false) may be for another release, and are then what was asked for.
 */
export function builtForAnother(file: string, kernel: BuildKernel, own: boolean): string | undefined {
  const module = openModuleFile('', file);
  if (module.kind === 'not-a-module') return undefined; // Its load will fail, and say why.
  try {
    const [release] = module.vermagic?.split(' ') ?? [];
    if (release === undefined || release === kernel.release) return undefined;
    return !own && release === headersRelease(kernel.sourceDir) ? undefined : release;
  } finally {
    module.close();
  }
}

/** The release that headers are for. */
function headersRelease(sourceDir: string): string | undefined {
  return readTextIn('', `${sourceDir}/include/config/kernel.release`)?.trim();
}
