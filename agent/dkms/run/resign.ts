/** `dkms resign`, which dkms itself does not have: built and installed modules are signed with the present key, and nothing is compiled. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { reason } from '../../base/error.ts';
import { FILE_SUFFIXES } from '../../facts/modfiles/compression.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import { stripSignature } from '../../trust/module-signature.ts';
import { rewriteModule } from '../../trust/rewritten-module.ts';
import type { Signer } from '../build/build-request.ts';
import { includedModules } from '../conf/conf-modules.ts';
import { installedFile } from '../install/uninstallation.ts';
import { builtFolder, nameOf, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import { buildsOf, isInstalled, namesIn, registeredModules } from '../tree/registry.ts';
import { signerOf } from './build-action.ts';
import type { DkmsSession } from './session.ts';

/**
 * Signs the modules of one version, or of all, for the kernels that the options name, or all that they are built for. A file is replaced
 * at once, compressed as it was; what has the present key's signature already stays as it is. Gives 1 when a module could not be signed.
 */
export async function resignModules(session: DkmsSession, only: DkmsModule | undefined): Promise<number> {
  const { trees, tell, options } = session;
  let [signed, kept, failed] = [0, 0, 0];
  for (const module of only === undefined ? registeredModules(trees) : [only]) {
    for (const { kernel } of buildsOf(trees, module)) {
      if (options.kernels.length > 0 && !options.kernels.includes(kernel.release)) continue;
      const signer = await signerOf(session, kernel);
      if (signer === undefined) {
        tell({ kind: 'resign-unsigned', module: nameOf(module), ...kernel });
        failed++;
        continue;
      }
      for (const path of moduleFiles(session, module, kernel)) {
        const why = await signAgain(path, signer);
        if (why === 'kept') kept++;
        else if (why === 'written') signed++;
        else failed++;
        if (why !== 'kept') tell({ kind: 'resigned', path, ...(why === 'written' ? {} : { why }) });
      }
    }
  }
  tell({ kind: 'resigned-all', signed, kept, failed });
  return failed === 0 ? 0 : 1;
}

/** The built files of a version and the installed ones, each once: links from the kernel's tree lead to the same file. */
function moduleFiles(session: DkmsSession, module: DkmsModule, kernel: DkmsKernel): readonly string[] {
  const folder = `${builtFolder(session.trees, module, kernel)}/module`;
  const built = namesIn(folder)
    .filter((name) => FILE_SUFFIXES.some((suffix) => name.endsWith(`.ko${suffix}`)))
    .map((name) => `${folder}/${name}`);
  const conf = session.confQuietly(module, kernel);
  const installed =
    conf === undefined || !isInstalled(session.trees, module, kernel)
      ? []
      : includedModules(conf).flatMap((each) => installedFile(session, module, kernel, each) ?? []);
  return [...new Set([...built, ...installed].map((path) => realpathSync(path)))];
}

/** Signs one file; gives what became of it, or why it stays as it was. */
async function signAgain(path: string, signer: Signer): Promise<string> {
  const file = openModuleFile('', path);
  if (file.kind === 'not-a-module') return file.why;
  let work: string | undefined;
  try {
    const before = file.image();
    const { image, damaged } = stripSignature(before);
    if (damaged !== undefined) return `its signature is damaged: ${damaged}`;
    // A signer may be a program, which signs files that are not compressed.
    work = mkdtempSync(join(dirname(path), '.plugd-resign-'));
    const plain = join(work, basename(path).replace(/\.ko.*$/, '.ko'));
    writeFileSync(plain, image);
    const result = await signer.sign(plain);
    if (result.kind === 'failed') return result.output.trim();
    const after = readFileSync(plain);
    if (after.equals(before)) return 'kept';
    const written = rewriteModule(path, () => after);
    return written.kind === 'failed' ? written.why : written.kind;
  } catch (error) {
    return reason(error);
  } finally {
    file.close();
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  }
}
