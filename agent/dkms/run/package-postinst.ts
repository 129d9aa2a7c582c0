/**
 * What Debian's packages of out-of-tree modules call when they are configured: the new sources are registered, and built and installed for
 * the kernels that matter. dkms does this with a shell script and a dkms for each step and kernel; here it is one run.
 */
import { existsSync } from 'node:fs';
import type { DkmsMessage } from '../../records/dkms/message.ts';
import { hasHeaders } from '../build/headers.ts';
import { autoinstallIsOff } from '../conf/framework.ts';
import { compareVersions } from '../conf/version-order.ts';
import {
  nameOf,
  kernelTree,
  sourceFolder,
  sourceLink,
  versionFolder,
  type DkmsKernel,
  type DkmsModule,
} from '../tree/dkms-places.ts';
import { buildsOf, isBuilt, isDirectory, isInstalled, namesIn } from '../tree/registry.ts';
import { unsafePart } from '../tree/safe-name.ts';
import { addModule } from './addition.ts';
import { loadArchive } from './archive.ts';
import { buildFor } from './build-action.ts';
import { installFor } from './install-action.ts';
import { removeModule } from './remove-action.ts';
import { DkmsSession } from './session.ts';
import { takeTurn } from './tree-turn.ts';

/** The arguments of Debian's `common.postinst`. */
export interface PostinstRequest {
  readonly module: DkmsModule;
  /** The folder of an archive `NAME-VERSION.dkms.tar.gz`, `/usr/share/PACKAGE`. */
  readonly archiveFolder: string;
  /** The version that was configured before; '' for a first installation. */
  readonly upgradeFrom: string;
  /** The folder of the kernels' configurations, `/boot`. */
  readonly boot: string;
}

/** Registers, builds and installs; gives the script's exit status. */
export async function configurePackage(session: DkmsSession, request: PostinstRequest): Promise<number> {
  const { tell, parts } = session;
  const { module } = request;
  if (module.name === '' || module.version === '') {
    tell({ kind: 'postinst-usage' });
    return 1;
  }
  const unsafe = unsafePart(module);
  if (unsafe !== undefined) {
    tell({ kind: 'unsafe-name', ...unsafe });
    return 8;
  }
  if (autoinstallIsOff(parts.etc)) {
    tell({ kind: 'postinst-disabled' });
    return 0;
  }
  return takeTurn(session, `dkms package_postinst ${nameOf(module)}`, async () => configure(session, request));
}

async function configure(session: DkmsSession, request: PostinstRequest): Promise<number> {
  const { tell, trees, parts } = session;
  const { module, archiveFolder } = request;
  if (isDirectory(versionFolder(trees, module))) {
    tell({ kind: 'postinst-removing-old', module: nameOf(module) });
    await removeModule(
      session,
      module,
      buildsOf(trees, module).map(({ kernel }) => kernel),
    );
  }
  const archive = `${archiveFolder}/${module.name}-${module.version}.dkms.tar.gz`;
  if (existsSync(archive)) {
    if (loadArchive(session, archive, parts.running).status !== 0) {
      tell({ kind: 'postinst-bad-archive', archive });
      return 2;
    }
  } else if (isDirectory(sourceFolder(trees, module))) {
    tell({ kind: 'postinst-loading', module: nameOf(module) });
    const status = addModule(onlyErrors(session), module, parts.running);
    if (status !== 0 && status !== 3) return status;
  }
  if (session.confQuietly(module, parts.running)?.autoinstall !== true) {
    tell({ kind: 'postinst-no-autoinstall', name: module.name });
    return 0;
  }
  return installForAll(session, request);
}

async function installForAll(session: DkmsSession, request: PostinstRequest): Promise<number> {
  const { tell, parts } = session;
  const releases = kernelsToBuildFor(session, request);
  if (releases.length === 0) {
    tell({ kind: 'postinst-no-kernel', release: parts.running.release });
    return 0;
  }
  tell({ kind: 'postinst-kernels', releases });
  const failed: string[] = [];
  let last = 0;
  for (const release of releases) {
    const status = await installForOne(session, request.module, { release, arch: parts.running.arch });
    if (status === 0 || status === 77) continue;
    failed.push(release);
    last = status;
    if (!parts.framework.continueOnError) break;
  }
  if (failed.length > 0) tell({ kind: 'postinst-failed', releases: failed });
  return last;
}

async function installForOne(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): Promise<number> {
  const { tell, trees } = session;
  const { release } = kernel;
  tell({ kind: 'blank' });
  if (release.includes('BOOT')) {
    tell({ kind: 'postinst-boot-variant', release });
    return 0;
  }
  if (!isBuilt(trees, module, kernel)) {
    if (!existsSync(sourceLink(trees, module))) {
      tell({ kind: 'postinst-no-source', release });
      return 0;
    }
    if (!hasHeaders(session.headersOf(kernel))) {
      tell({ kind: 'postinst-no-headers', release });
      return 0;
    }
    tell({ kind: 'postinst-building', module: nameOf(module), release });
    const status = await buildFor(session, module, kernel);
    if (status !== 0) return status;
  }
  return isInstalled(trees, module, kernel) ? 0 : installFor(session, module, kernel);
}

/**
 * The running kernel and the newest one, if modules can be built for them; all kernels where framework.conf wants that, and in another
 * system's root on a first installation.
 */
function kernelsToBuildFor(
  { trees, parts, tell }: DkmsSession,
  { boot, upgradeFrom }: PostinstRequest,
): readonly string[] {
  const all = namesIn(trees.installTree).filter((release) => existsSync(`${kernelTree(trees, release)}/build`));
  if (parts.framework.autoinstallAllKernels) return all;
  const running = parts.running.release;
  const newest = namesIn(boot)
    .filter((name) => name.startsWith('config-'))
    .map((name) => name.slice('config-'.length))
    .filter((release) => all.includes(release))
    .toSorted(compareVersions)
    .at(-1);
  const isHere = isDirectory(kernelTree(trees, running));
  if (!isHere) tell({ kind: 'postinst-foreign-kernel', release: running });
  if (!isHere && upgradeFrom === '') return all;
  return [...new Set([...(isHere ? [running] : []), ...(newest === undefined ? [] : [newest])])].filter((release) =>
    all.includes(release),
  );
}

/** The same run with its progress untold. */
function onlyErrors(session: DkmsSession): DkmsSession {
  const hidden: ReadonlySet<DkmsMessage['kind']> = new Set(['link-created', 'blank']);
  const tell = (message: DkmsMessage) => {
    if (!hidden.has(message.kind)) session.tell(message);
  };
  return new DkmsSession({ ...session.parts, tell });
}
