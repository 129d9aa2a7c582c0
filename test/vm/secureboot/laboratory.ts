/**
 * The Secure Boot laboratory: machines whose firmware, shim and kernel enforce signatures for real. The short run is one machine
 * (secureboot.test.ts); `npm run lab:secureboot` is all of them.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signatureListOf } from '../../../agent/facts/efi/signature-list.ts';
import { parseCertificate } from '../../../agent/trust/certificate.ts';
import { debianSuiteTree, type Missing } from '../../fixtures/debian.ts';
import { machineImage, type GuestFiles, type Image } from '../machine/image.ts';
import { boot, type Machine, type MachineOptions } from '../machine/machine.ts';
import { firmwareFiles, OWNER, secureMachine, secureStore, type Firmware } from './firmware.ts';
import { prepareGuest } from './judgement.ts';
import { labModules, makeLabKeys, type LabKeys } from './lab-keys.ts';
import { shimVariable, type Variable } from './variable-store.ts';

/** All that the laboratory needs. */
export interface Laboratory {
  readonly kind: 'ready';
  readonly image: Image;
  readonly firmware: Firmware;
  readonly keys: LabKeys;
  readonly files: GuestFiles;
}

/** Fetches and makes it, for Debian 12's kernel or for Debian 13's. */
export async function laboratory(release: 'bookworm' | 'trixie'): Promise<Laboratory | Missing> {
  const tree = release === 'trixie' ? await debianSuiteTree('trixie') : undefined;
  if (tree?.kind === 'missing') return tree;
  const image = await machineImage({
    packages: ['kmod', 'busybox-static', 'dash', 'keyutils', 'mokutil'],
    modules: ['dummy', 'efivarfs', 'sha512_generic'],
    ...(tree === undefined ? {} : { tree }),
  });
  if (image.kind === 'missing') return image;
  const firmware = await firmwareFiles();
  if (firmware.kind === 'missing') return firmware;
  const keys = makeLabKeys();
  const config = { from: join(image.tree.root, 'boot', `config-${image.tree.kernel}`) };
  const files = { ...labModules(image.tree, keys), [`boot/config-${image.tree.kernel}`]: config };
  return { kind: 'ready', image, firmware, keys, files };
}

/** Milliseconds: many cases, on a host that may be busy. */
const LIFETIME = 3_600_000;

/** A started machine, and its variables' file. */
export interface LabMachine extends AsyncDisposable {
  readonly machine: Machine;
  readonly store: string;
}

/** Starts a machine with Secure Boot on, the lab's keys in db and as MOK, and further variables of shim's. */
export async function bootSecure(lab: Laboratory, variables: readonly Variable[] = []): Promise<LabMachine> {
  const { keys } = lab;
  const [mok, dkms, curve] = [keys.mok, keys.dkms, keys.curve].map(({ certificate }) => certificate);
  const enrolled = [mok, dkms, curve, keys.revoked.certificate].filter((one) => one !== undefined);
  return bootStore(lab, [shimVariable('MokList', signatureListOf(enrolled, OWNER)), ...variables]);
}

/** Starts a machine with Secure Boot on, the lab's key in db and these variables of shim's. */
export async function bootStore(lab: Laboratory, variables: readonly Variable[]): Promise<LabMachine> {
  const { keys, firmware } = lab;
  const lists = { owner: keys.owner.certificate, db: [keys.db.certificate], dbx: revocation(keys) };
  return bootFlash(lab, secureStore(firmware, lists, variables));
}

/** Starts a machine with that flash. */
export async function bootFlash(
  { image, firmware, files }: Laboratory,
  flash: Buffer,
  operator?: MachineOptions['operator'],
): Promise<LabMachine> {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-secureboot-'));
  const store = join(folder, 'vars.fd');
  writeFileSync(store, flash);
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  const machine = await boot(image, {
    ...secureMachine(firmware, store),
    files,
    memory: 1024,
    lifetime: LIFETIME,
    ...(operator === undefined ? {} : { operator }),
  });
  await prepareGuest(machine);
  return {
    machine,
    store,
    async [Symbol.asyncDispose]() {
      await machine.stop();
      clean();
    },
  };
}

/** A machine without Secure Boot, started by QEMU. */
export async function bootPlain({ image, files }: Laboratory, options: MachineOptions): Promise<Machine> {
  const machine = await boot(image, { files, memory: 1024, lifetime: LIFETIME, ...options });
  await prepareGuest(machine);
  return machine;
}

/** The certificate of the revoked key, and its hash. */
function revocation(keys: LabKeys): Buffer {
  const { certificate } = keys.revoked;
  const tbs = parseCertificate(certificate)?.tbs ?? Buffer.alloc(0);
  const hash = createHash('sha256').update(tbs).digest();
  return Buffer.concat([signatureListOf([certificate], OWNER), hashList(Buffer.concat([hash, Buffer.alloc(16)]))]);
}

/** A list of one hash of a certificate (EFI_CERT_X509_SHA256), revoked since ever. */
function hashList(data: Buffer): Buffer {
  return signatureListOf([data], OWNER, 'x509-sha256');
}
