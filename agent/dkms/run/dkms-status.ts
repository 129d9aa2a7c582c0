/** `dkms status`: what is registered, built and installed. Reads only. */
import { includedModules } from '../conf/conf-modules.ts';
import { haveSameBytes, moduleFileIn } from '../install/module-copies.ts';
import type { RunMessage } from '../../records/dkms/run-message.ts';
import { nameOf, builtFolder, kernelTree, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { buildsOf, registeredModules, registrationOf, type Build } from '../tree/registry.ts';

import type { DkmsSession } from './session.ts';

/** One line of `dkms status`. */
export type StatusLine = Extract<RunMessage, { readonly kind: 'status' }>;

/** Tells the state of all modules, or of the one that the options name; always gives 0, as dkms does. */
export function tellStatus(session: DkmsSession): number {
  const { options, tell } = session;
  const modules = registeredModules(session.trees, options.module === '' ? undefined : options.module).filter(
    ({ version }) => options.version === '' || version === options.version,
  );
  for (const module of modules) {
    for (const line of statusOf(session, module)) {
      tell(line);
      if (line.state === 'broken') tell({ kind: 'broken', module: nameOf(module), during: 'status' });
    }
  }
  return 0;
}

/** The lines of one version: one for each kernel it is built for, or that it is added. */
export function statusOf(session: DkmsSession, module: DkmsModule): readonly StatusLine[] {
  const plain = {
    kind: 'status',
    module: nameOf(module),
    kernel: undefined,
    originals: false,
    missing: false,
    differs: false,
  } as const;
  if (registrationOf(session.trees, module) === 'broken') return [{ ...plain, state: 'broken' }];
  const builds = buildsOf(session.trees, module).filter(({ kernel }) => isWanted(session, kernel));
  if (builds.length === 0) return [{ ...plain, state: 'added' }];
  return builds.map((build) => ({
    ...plain,
    kernel: build.kernel,
    state: build.installed ? 'installed' : 'built',
    originals: build.originals,
    ...compareFiles(session, module, build),
  }));
}

function isWanted({ options }: DkmsSession, { release, arch }: DkmsKernel): boolean {
  const { kernels, arches } = options;
  return (kernels.length === 0 || kernels.includes(release)) && (arches.length === 0 || arches.includes(arch));
}

/** Whether built modules are missing, or are not those that are installed. */
function compareFiles(
  session: DkmsSession,
  module: DkmsModule,
  { kernel, installed }: Build,
): { readonly missing: boolean; readonly differs: boolean } {
  const conf = session.confQuietly(module, kernel);
  const built = `${builtFolder(session.trees, module, kernel)}/module`;
  let differs = false;
  for (const each of conf === undefined ? [] : includedModules(conf)) {
    const file = moduleFileIn(built, each.destName);
    if (file === undefined) return { missing: true, differs: false };
    if (!installed || differs) continue;
    const folder = `${kernelTree(session.trees, kernel.release)}${session.destination(each.destLocation)}`;
    const present = moduleFileIn(folder, each.destName);
    differs = present === undefined || !haveSameBytes(present, file);
  }
  return { missing: false, differs };
}

/** Whether each module of an installed version is in the kernel's tree: a run that was killed while it uninstalled leaves some out. */
export function isInPlace(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): boolean {
  const tree = kernelTree(session.trees, kernel.release);
  const conf = session.confQuietly(module, kernel);
  return (conf === undefined ? [] : includedModules(conf)).every(
    ({ destName, destLocation }) => moduleFileIn(`${tree}${session.destination(destLocation)}`, destName) !== undefined,
  );
}
