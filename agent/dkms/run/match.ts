/** `dkms match`: installs for one kernel what is installed for another. */
import { registeredModules, isInstalled, registrationOf } from '../tree/registry.ts';
import { nameOf, type DkmsKernel } from '../tree/dkms-places.ts';

import { installFor } from './install-action.ts';
import type { DkmsSession } from './session.ts';

/** Builds and installs for `kernel` each module that is installed for --templatekernel; gives dkms's exit status. */
export async function matchKernel(session: DkmsSession, kernel: DkmsKernel): Promise<number> {
  const { trees, tell, options } = session;
  const template = options.templateKernel;
  if (template === '') {
    tell({ kind: 'match-no-template' });
    return 1;
  }
  if (template === kernel.release) {
    tell({ kind: 'match-same' });
    return 2;
  }
  const named = registeredModules(trees, options.module === '' ? undefined : options.module);
  if (options.module !== '' && named.length === 0) {
    tell({ kind: 'not-added', module: options.module });
    return 3;
  }
  tell({ kind: 'match', release: kernel.release, template, arch: kernel.arch });
  const wanted = named.filter((module) => isInstalled(trees, module, { release: template, arch: kernel.arch }));
  if (wanted.length === 0) {
    tell({ kind: 'match-nothing' });
    return 0;
  }
  let first = 0;
  for (const module of wanted) {
    tell({ kind: 'match-module', ...module });
    if (registrationOf(trees, module) === 'broken') {
      tell({ kind: 'broken', module: nameOf(module), during: 'action' });
      first ||= 4;
      continue;
    }
    const status = await installFor(session, module, kernel);
    first ||= status;
  }
  return first;
}
