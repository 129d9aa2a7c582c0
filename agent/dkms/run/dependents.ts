/** BUILD_DEPENDS_REBUILD: modules to build again, because a module that they were built against has another version now. */
import { readFileSync } from 'node:fs';
import { builtFolder, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { installedVersion, isInstalled, isBuilt, registeredModules } from '../tree/registry.ts';
import type { DkmsSession } from './session.ts';

/** Built modules that want to be rebuilt, and whose notes name another version of a module than the installed one. */
export function staleModules(session: DkmsSession, kernel: DkmsKernel): readonly DkmsModule[] {
  const { trees } = session;
  return registeredModules(trees).filter((module) => {
    if (!isBuilt(trees, module, kernel) || !isInstalled(trees, module, kernel)) return false;
    const conf = session.confQuietly(module, kernel);
    if (conf?.buildDependsRebuild !== true) return false;
    return conf.buildDepends.some((name) => {
      const version = installedVersion(trees, name, kernel);
      return version !== undefined && version !== noteOf(`${builtFolder(trees, module, kernel)}/.dep_${name}`);
    });
  });
}

function noteOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
