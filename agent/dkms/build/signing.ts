/** Whether modules are signed, by what, and with which key: what dkms tells before the first build of a kernel. */
import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { readTextIn } from '../../facts/regular-file.ts';
import { mokFiles, writeMok } from '../../trust/mok-files.ts';
import type { SigningFramework } from '../conf/framework.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { isDirectory } from '../tree/registry.ts';
import type { BuildKernel, Signer, Tell } from './build-request.ts';
import { inChroot } from './chroot.ts';
import { hasProgram, isExecutable, runProgram } from './process/program.ts';
import { makeSigner } from './signer.ts';
import { signingPlaces, type SigningPlaces } from './signing-places.ts';

/** What to sign for. */
export interface SigningRequest {
  readonly kernel: Pick<BuildKernel, 'release' | 'sourceDir' | 'config'>;
  readonly framework: SigningFramework;
  /** The distribution by whose customs key and program are found: `debian`, `ubuntu`, `gentoo`. */
  readonly distribution: string;
  readonly trees: DkmsTrees;
  readonly tell: Tell;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Whether this is a chroot; found out when undefined. */
  readonly chroot?: boolean | undefined;
}

/**
 * The signer for a kernel's modules, after telling who it is, and making a key where none is; undefined, after telling why, when
 * modules are not signed. No private key is ever replaced.
 */
export async function prepareSigning(request: SigningRequest): Promise<Signer | undefined> {
  const signer = await findSigner(request);
  request.tell({ kind: 'signing-end' });
  return signer;
}

async function findSigner(request: SigningRequest): Promise<Signer | undefined> {
  const { kernel, framework, tell, env = process.env } = request;
  const wish = framework.trySignModules;
  if (wish === 'false') return off(tell, { kind: 'signing-off', why: 'policy' });
  if (wish !== 'true' && (request.chroot ?? inChroot())) return off(tell, { kind: 'signing-off', why: 'chroot' });
  const config = kernel.config === undefined ? undefined : readTextIn('', kernel.config);
  if (config === undefined) {
    const file = kernel.config ?? `${kernel.sourceDir}/.config`;
    return off(tell, { kind: 'signing-off', why: 'no-config', file });
  }
  const hash = /^CONFIG_MODULE_SIG_HASH="?([^"\n]+)"?$/m.exec(config)?.[1];
  if (hash === undefined) return off(tell, { kind: 'signing-off', why: 'no-facility' });
  const places = signingPlaces({ ...request, config, env });
  tell({ kind: 'sign-command', command: places.program });
  // Without sign-file plugd signs all the same; one that the administrator named has its reason.
  if (framework.signFile !== '' && !isExecutable(places.program))
    return off(tell, { kind: 'binary-missing', file: places.program });
  if (!(await prepareKey(request, places))) return undefined;
  const token = places.key.startsWith('pkcs11:');
  return makeSigner({
    hash,
    key: places.key,
    certificate: places.certificate,
    program: framework.signFile !== '' || token ? places.program : undefined,
    passphrase: env['KBUILD_SIGN_PIN'],
  });
}

/** Whether key and certificate are there, or could be made; tells where they are and what it did. */
export async function prepareKey(
  request: Pick<SigningRequest, 'distribution' | 'tell' | 'env'>,
  places: Omit<SigningPlaces, 'program'>,
): Promise<boolean> {
  const { tell, env = process.env } = request;
  tell({ kind: 'signing-key', file: places.key });
  tell({ kind: 'certificate', file: places.certificate });
  return places.key.startsWith('pkcs11:') || makeKey(request, places, env['PATH']);
}

async function makeKey(
  { distribution, tell }: Pick<SigningRequest, 'distribution' | 'tell'>,
  places: Omit<SigningPlaces, 'program'>,
  path: string | undefined,
): Promise<boolean> {
  const { key, certificate } = places;
  const there = mokFiles(places);
  if (there === 'both') return true;
  // A key without its certificate may be enrolled: another certificate would not be what the firmware knows.
  if (there !== 'neither' && there.there === key) return no(tell, { kind: 'certificate-missing', file: certificate });
  if (distribution === 'ubuntu' && places.shim) {
    const program = 'update-secureboot-policy';
    if (!hasProgram(program, path)) return no(tell, { kind: 'binary-missing', file: program });
    tell({ kind: 'generating', with: program });
    await runProgram([program, '--new-key'], { env: { ...process.env, SHIM_NOTRIGGER: 'y' } });
    await runProgram([program, '--enroll-key']);
  } else {
    if (!isDirectory(dirname(key))) return no(tell, { kind: 'key-missing', file: key });
    if (!isDirectory(dirname(certificate))) return no(tell, { kind: 'certificate-missing', file: certificate });
    tell({ kind: 'generating', with: 'openssl' });
    if (there !== 'neither') {
      const kept = `${certificate}.old`;
      renameSync(certificate, kept);
      tell({ kind: 'key-lost', key, certificate, kept });
    }
    writeMok(places);
  }
  if (!existsSync(key)) return no(tell, { kind: 'key-missing', file: key });
  return existsSync(certificate) || no(tell, { kind: 'certificate-missing', file: certificate });
}

function off(tell: Tell, message: Parameters<Tell>[0]): undefined {
  tell(message);
}

function no(tell: Tell, message: Parameters<Tell>[0]): false {
  tell(message);
  return false;
}
