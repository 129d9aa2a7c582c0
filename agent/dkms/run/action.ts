/** From what the command line asks for to the steps that do it, one kernel after the other. */
import { openHost } from '../../base/host.ts';
import { readPrivileges } from '../../facts/kernel/privileges.ts';
import { isContainer } from '../build/container.ts';
import { nameOf, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { buildsOf, registrationOf } from '../tree/registry.ts';
import { unsafePart } from '../tree/safe-name.ts';
import { addModule, takeSource } from './addition.ts';
import { loadArchive, makeArchive } from './archive.ts';
import { autoinstall, removeForKernel } from './autoinstall/autoinstall.ts';
import { buildFor, unbuildFor } from './build-action.ts';
import { installFor } from './install-action.ts';
import { checkTree, pruneTree, tellLog } from './maintenance.ts';
import { matchKernel } from './match.ts';
import { generateMok } from './mok-generation.ts';
import { isPreview, tellPreview } from './preview/preview.ts';
import { runPostTransaction } from './post-transaction.ts';
import { resignModules } from './resign.ts';
import { removeModule } from './remove-action.ts';
import { noteUpgrade, takeUpgradeNote } from '../tree/rpm-lock.ts';
import type { DkmsSession } from './session.ts';
import { takeTurn } from './tree-turn.ts';
import { uninstallFor } from './uninstall-action.ts';

/** Actions that change the kernel's tree. */
const ROOT_ONLY = [
  'resign',
  'install',
  'uninstall',
  'match',
  'autoinstall',
  'kernel_preinst',
  'kernel_postinst',
  'kernel_prerm',
];
const ONE_KERNEL = ['autoinstall', 'match', 'kernel_preinst', 'kernel_postinst', 'kernel_prerm'];
const NAMES_KERNEL = ['kernel_preinst', 'kernel_postinst', 'kernel_prerm'];
const NO_ALL = ['add', 'build', 'install', 'autoinstall'];
/** After these the command of framework.conf runs. */
const TRANSACTIONS = ['install', 'uninstall', 'unbuild', 'remove', 'autoinstall', 'kernel_postinst'];

/** Does what the options say, except `status`, which changes nothing (dkms-status.ts); gives dkms's exit status. */
export async function runAction(session: DkmsSession): Promise<number> {
  const { options, tell } = session;
  const { action } = options;
  if (NAMES_KERNEL.includes(action) && options.kernels.length !== 1) {
    tell({ kind: 'kernel-needed', action });
    return 4;
  }
  if (NO_ALL.includes(action) && options.all) {
    tell({ kind: 'no-all', action });
    return 5;
  }
  const most = action === 'autoinstall' && !session.parts.asDkms ? Infinity : 1;
  if (ONE_KERNEL.includes(action) && options.kernels.length > most) {
    tell({ kind: 'one-kernel', action });
    return 4;
  }
  if (isPreview(session)) return tellPreview(session, kernelsOf(session));
  if (isDenied(session)) {
    tell({ kind: 'not-root' });
    return 1;
  }
  return takeTurn(session, `dkms ${action}`, async () => {
    if (session.parts.distribution !== '') return run(session);
    tell({ kind: 'no-os-release' });
    return 4;
  });
}

function isDenied({ options, trees }: DkmsSession): boolean {
  const own = trees.dkmsTree === '/var/lib/dkms' || trees.installTree === '/lib/modules';
  return ROOT_ONLY.includes(options.action) && own && process.geteuid?.() !== 0;
}

async function run(session: DkmsSession): Promise<number> {
  const { options } = session;
  const [kernel = session.parts.running, ...more] = kernelsOf(session);
  switch (options.action) {
    case 'autoinstall':
    case 'kernel_postinst':
      return transact(session, kernel, await autoinstall(session, [kernel, ...more]));
    case 'kernel_prerm':
      return removeForKernel(session, kernel, 'all');
    case 'kernel_preinst':
      return removeForKernel(session, kernel, 'autoinstalled');
    case 'match':
      return matchKernel(session, kernel);
    case 'generate_mok':
      return generateMok(session);
    case 'check':
      return checkTree(session);
    case 'prune':
      return pruneTree(session);
    case 'resign':
      return resign(session);
    case 'ldtarball':
      return loadArchive(session, options.archive, kernel).status;
    default:
      return runForModule(session, [kernel, ...more]);
  }
}

/** Without a name all modules are meant. */
async function resign(session: DkmsSession): Promise<number> {
  if (session.options.module === '') return resignModules(session, undefined);
  const found = moduleOf(session, session.parts.running);
  if (found.module === undefined) return found.status;
  if (registrationOf(session.trees, found.module) !== undefined) return resignModules(session, found.module);
  session.tell({ kind: 'not-added', module: nameOf(found.module) });
  return 3;
}

async function runForModule(session: DkmsSession, kernels: readonly DkmsKernel[]): Promise<number> {
  const { options, tell } = session;
  const found = moduleOf(session, kernels[0] ?? session.parts.running);
  if (found.module === undefined) return found.status;
  const { module } = found;
  const { action } = options;
  if (action === 'add') {
    if (options.rpmSafeUpgrade) noteUpgrade(session.parts.framework.tmpLocation, module);
    return addModule(session, module, kernels[0] ?? session.parts.running);
  }
  if (action === 'build' || action === 'install') {
    const step = action === 'build' ? buildFor : installFor;
    return each(session, kernels, async (kernel) => step(session, module, kernel));
  }
  const registration = registrationOf(session.trees, module);
  if (registration === 'broken') {
    tell({ kind: 'broken', module: nameOf(module), during: 'action' });
    return 4;
  }
  if (registration === undefined) {
    tell({ kind: 'not-added', module: nameOf(module) });
    return 3;
  }
  const chosen = options.all ? buildsOf(session.trees, module).map(({ kernel }) => kernel) : kernels;
  if (action === 'remove') {
    if (options.rpmSafeUpgrade && takeUpgradeNote(session.parts.framework.tmpLocation, module)) {
      tell({ kind: 'remove-cancelled' });
      return 0;
    }
    return transact(session, chosen[0] ?? session.parts.running, await removeModule(session, module, chosen));
  }
  if (action === 'log') return tellLog(session, module);
  if (action === 'mktarball') return makeArchive(session, module, options.kernels.length === 0 ? undefined : chosen);
  const step = action === 'uninstall' ? uninstallFor : unbuildFor;
  return each(session, chosen, async (kernel) => step(session, module, kernel));
}

/** Takes a step for each kernel; all are tried, and the first failure's status is the run's. */
async function each(
  session: DkmsSession,
  kernels: readonly DkmsKernel[],
  step: (kernel: DkmsKernel) => Promise<number>,
): Promise<number> {
  let first = 0;
  for (const kernel of kernels) {
    const status = transact(session, kernel, await step(kernel));
    first ||= status;
  }
  return first;
}

/** In a container modules are often installed by one who may not load them. */
function tellWhetherLoadable({ options, parts, tell }: DkmsSession, { release }: DkmsKernel): void {
  const installs = ['install', 'autoinstall', 'kernel_postinst'].includes(options.action);
  if (!installs || parts.root !== '' || release !== parts.running.release) return;
  if (!readPrivileges(openHost()).capabilities.SYS_MODULE)
    tell({ kind: 'cannot-load', release, container: isContainer() });
}

function transact(session: DkmsSession, kernel: DkmsKernel, status: number): number {
  if (status === 0) tellWhetherLoadable(session, kernel);
  if (status === 0 && TRANSACTIONS.includes(session.options.action)) runPostTransaction(session, kernel);
  return status;
}

/** The module that the command line means: by name, by its folder, or by an archive. */
function moduleOf(
  session: DkmsSession,
  kernel: DkmsKernel,
): { readonly status: number; readonly module?: DkmsModule | undefined } {
  const { options, tell } = session;
  if (options.source !== '') return takeSource(session, options.source, kernel);
  if (options.archive !== '' && options.action !== 'mktarball') return loadArchive(session, options.archive, kernel);
  if (options.module === '' || options.version === '') {
    tell({ kind: 'module-needed', action: options.action });
    return { status: 1 };
  }
  const module = { name: options.module, version: options.version };
  const unsafe = unsafePart(module);
  if (unsafe === undefined) return { status: 0, module };
  tell({ kind: 'unsafe-name', ...unsafe });
  return { status: 8 };
}

/** The kernels of the command line with their architectures; the running one when none is named. */
export function kernelsOf({ options, parts }: DkmsSession): readonly DkmsKernel[] {
  const { kernels, arches } = options;
  if (kernels.length === 0) return [{ ...parts.running, ...(arches[0] === undefined ? {} : { arch: arches[0] }) }];
  return kernels.map((release, i) => ({ release, arch: arches[i] ?? arches[0] ?? parts.running.arch }));
}
