/** `dkms install` for one module and kernel: adds and builds first where that was not done. */
import { spawnSync } from 'node:child_process';
import { installModules } from '../install/installation.ts';
import { depmodAfterUninstall, uninstallModules } from '../install/uninstallation.ts';
import { FORCED_MODULES, readForcedModules } from '../conf/forced-modules.ts';
import { nameOf, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { isBuilt, isInstalled } from '../tree/registry.ts';
import { build, ensureAdded, unbuildFor } from './build-action.ts';
import { staleModules } from './dependents.ts';
import { isInPlace } from './dkms-status.ts';
import type { DkmsSession } from './session.ts';
import { uninstallFor } from './uninstall-action.ts';

/** What dkms says of each way to force. */
const FORCED = { force: 'installation', 'version-override': 'version override' } as const;

/**
 * `dkms install` for a kernel: skips what is installed, unless --force says to install it again. Gives dkms's exit status.
 */
export async function installFor(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Promise<number> {
  const { trees, tell, options } = session;
  const added = ensureAdded(session, module, kernel);
  if (added !== 0) return added;
  if (isInstalled(trees, module, kernel) && (options.force || isInPlace(session, module, kernel))) {
    if (!options.force) {
      tell({ kind: 'already-installed', module: nameOf(module), ...kernel });
      return 0;
    }
    const status = await uninstallFor(session, module, kernel);
    if (status !== 0) return status;
    tell({ kind: 'blank' });
  }
  const status = await install(session, module, kernel);
  if (status !== 0 || options.force) return status;
  return rebuildDependents(session, kernel);
}

/** Rebuilds for a kernel what was built against another version of what it needs; gives dkms's exit status. */
async function rebuildDependents(session: DkmsSession, kernel: DkmsKernel): Promise<number> {
  const rebuilt = new Set<string>();
  for (;;) {
    const stale = staleModules(session, kernel);
    const next = stale.find((module) => !rebuilt.has(nameOf(module)));
    if (next === undefined) {
      if (stale.length > 0) session.tell({ kind: 'rebuild-cycle', modules: stale.map(nameOf) });
      return 0;
    }
    rebuilt.add(nameOf(next));
    session.tell({ kind: 'rebuilding', module: nameOf(next) });
    const unbuilt = await unbuildFor(session, next, kernel, 'silent');
    const status = unbuilt === 0 ? await install(session, next, kernel) : unbuilt;
    if (status !== 0) return status;
  }
}

/** Builds and installs what is registered and not installed. Gives dkms's exit status. */
export async function install(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Promise<number> {
  const { trees, tell, options, parts } = session;
  if (!isBuilt(trees, module, kernel)) {
    const status = await build(session, module, kernel);
    if (status !== 0) return status;
  }
  const conf = session.conf(module, kernel, 'strict');
  if (typeof conf === 'number') return conf;
  const forced = readForcedModules(`${parts.root}${FORCED_MODULES}`).get(module.name);
  if (forced !== undefined) tell({ kind: 'forced', name: module.name, what: FORCED[forced] });
  const status = await installModules(session, {
    module,
    kernel,
    conf,
    force: options.force || options.rpmSafeUpgrade || forced === 'force',
    forceVersion: options.forceVersion || forced !== undefined,
  });
  if (status !== 0) return status;
  if (!(await session.depmod(kernel.release))) {
    await uninstallModules(session, module, kernel, conf);
    await depmodAfterUninstall(session, kernel);
    tell({ kind: 'rolled-back' });
    return 6;
  }
  if (parts.framework.modprobeOnInstall && kernel.release === parts.running.release) loadNew();
  return 0;
}

/** `modprobe_on_install`: devices that wait for a driver get it now. */
function loadNew(): void {
  const [node, main] = [process.execPath, process.argv[1] ?? ''];
  spawnSync(node, [main, 'coldplug'], { stdio: ['ignore', 'ignore', 'ignore'] });
}
