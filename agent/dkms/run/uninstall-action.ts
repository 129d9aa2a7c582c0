/** `dkms uninstall` for one module and kernel. */
import { depmodAfterUninstall, uninstallModules } from '../install/uninstallation.ts';
import type { DkmsKernel, DkmsModule } from '../tree/dkms-places.ts';
import { isInstalled } from '../tree/registry.ts';
import type { DkmsSession } from './session.ts';

/** Uninstalls a version for a kernel; says so and does nothing where it is not installed. Gives dkms's exit status. */
export async function uninstallFor(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Promise<number> {
  const { trees, tell } = session;
  const text = `${module.name}/${module.version}`;
  if (!isInstalled(trees, module, kernel)) {
    const conf = session.confQuietly(module, kernel);
    if (conf?.hasExclusives !== true) tell({ kind: 'not-installed', module: text, ...kernel });
    return 0;
  }
  tell({ kind: 'uninstalling', module: text, ...kernel });
  const conf = session.conf(module, kernel, 'lenient');
  if (typeof conf === 'number') return conf;
  const status = await uninstallModules(session, module, kernel, conf);
  await depmodAfterUninstall(session, kernel);
  return status;
}
