/** `dkms remove`: a version is uninstalled and unbuilt, and forgotten when no kernel is left that it is built for. */
import { rmSync } from 'node:fs';
import { reason } from '../../base/error.ts';
import { removeEmptyFolder } from '../install/module-indexes.ts';
import { nameOf, moduleFolder, versionFolder, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { buildsOf } from '../tree/registry.ts';
import { unbuildFor } from './build-action.ts';
import type { DkmsSession } from './session.ts';

/** Removes a registered version for kernels; gives dkms's exit status. */
export async function removeModule(
  session: DkmsSession,
  module: DkmsModule,
  kernels: readonly DkmsKernel[],
): Promise<number> {
  const { trees, tell } = session;
  let first = 0;
  for (const kernel of kernels) {
    const status = await unbuildFor(session, module, kernel);
    if (first === 0) first = status;
    tell({ kind: 'blank' });
  }
  if (first !== 0) return first;
  if (buildsOf(trees, module).length > 0) return 0;
  const folder = versionFolder(trees, module);
  tell({ kind: 'deleted', module: nameOf(module) });
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    tell({ kind: 'delete-failed', path: folder, why: reason(error) });
    return 1;
  }
  removeEmptyFolder(moduleFolder(trees, module.name));
  return 0;
}
