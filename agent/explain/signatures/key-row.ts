/** What `plugd keys` tells, as plain data (docs/keys.schema.json): a row for each key, with the installed modules that it signs. */
import type { Host } from '../../base/host.ts';
import { fromMachineText } from '../../base/machine-text.ts';
import { findModules } from '../../depmod/module-search.ts';
import { openModuleFileAsync } from '../../facts/modfiles/module-file.ts';
import { readSignature } from '../../facts/modfiles/signature.ts';
import type { SignerInfo } from '../../facts/modfiles/signed-data.ts';
import { fingerprintOf, publicKeyOf, type Certificate } from '../../trust/certificate.ts';
import type { ListedKey } from '../../trust/key-list.ts';
import { isSigner } from '../../trust/signature-check.ts';
import type { TrustRow } from './signature-row.ts';

/** One key. Texts are a person's, times are ISO 8601. */
export interface KeyRow {
  readonly subject: string;
  readonly id: string;
  readonly trust: TrustRow;
  readonly rings: readonly string[];
  readonly places: readonly string[];
  /** SHA-256 of the certificate; this and the next three only where there is one. */
  readonly fingerprint?: string;
  readonly kind?: string;
  readonly from?: string;
  readonly to?: string;
  /** How many modules of the tree are signed with it; not counted without a certificate. */
  readonly modules?: number;
  /** Those of them that did not come with the kernel: `updates/dkms/nvidia.ko`, as modules.dep names them. */
  readonly outOfTree?: readonly string[];
  readonly revokedBy?: readonly string[];
  readonly waits?: 'enroll' | 'delete';
  readonly privateKey?: string;
}

/** What one signer signed: how many modules, and which of them did not come with the kernel. */
export interface Signed {
  readonly count: number;
  readonly outOfTree: readonly string[];
}

/**
 * The modules of the host's tree that each signer has; those without a signature are not counted. Unless `whole`, modules that came with the
 * kernel are left out: there are thousands, and to read a signature a compressed one is unpacked.
 */
export async function countSigners(host: Host, whole: boolean): Promise<ReadonlyMap<SignerInfo, Signed>> {
  const found = new Map<string, { readonly info: SignerInfo; count: number; readonly outOfTree: string[] }>();
  const modules = findModules(host, () => undefined).filter((module) => whole || isOutOfTree(module));
  let next = 0;
  const work = async () => {
    for (let module = modules[next++]; module !== undefined; module = modules[next++]) {
      const file = await openModuleFileAsync(host.root, Buffer.from(module.path, 'latin1'));
      if (file.kind !== 'module') continue;
      const signature = readSignature(file);
      file.close();
      if (signature?.kind !== 'signature' || signature.info === undefined) continue;
      const { info } = signature;
      const name = `${info.issuer?.toString('latin1')}\0${info.keyId.toString('latin1')}`;
      const entry = found.get(name) ?? { info, count: 0, outOfTree: [] };
      entry.count++;
      if (isOutOfTree(module)) entry.outOfTree.push(module.listed);
      found.set(name, entry);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  return new Map([...found.values()].map(({ info, count, outOfTree }) => [info, { count, outOfTree }]));
}

/** Whether a module did not come with the kernel. */
function isOutOfTree({ listed }: { readonly listed: string }): boolean {
  return !listed.startsWith('kernel/');
}

/** A key as a row. */
export function keyRow(key: ListedKey, signers: ReadonlyMap<SignerInfo, Signed>): KeyRow {
  const { certificate, trust, revokedBy, waits, privateKey } = key;
  return {
    subject: fromMachineText(key.subject),
    id: key.id,
    trust: trust.kind === 'trusted' ? { state: 'trusted', ring: trust.ring } : { state: trust.kind, why: trust.why },
    rings: key.rings,
    places: key.places,
    ...(certificate === undefined ? {} : certificateFacts(certificate, signers)),
    ...(revokedBy.length === 0 ? {} : { revokedBy }),
    ...(waits === undefined ? {} : { waits }),
    ...(privateKey === undefined ? {} : { privateKey }),
  };
}

function certificateFacts(
  certificate: Certificate,
  signers: ReadonlyMap<SignerInfo, Signed>,
): Pick<KeyRow, 'fingerprint' | 'kind' | 'from' | 'to' | 'modules' | 'outOfTree'> {
  const { from, to } = certificate;
  const signed = [...signers].flatMap(([info, each]) => (isSigner(certificate, info) ? [each] : []));
  const outOfTree = signed.flatMap((each) => each.outOfTree).toSorted();
  return {
    fingerprint: fingerprintOf(certificate),
    kind: kindOf(certificate),
    ...(from === undefined ? {} : { from: from.toISOString() }),
    ...(to === undefined ? {} : { to: to.toISOString() }),
    modules: signed.reduce((sum, { count }) => sum + count, 0),
    ...(outOfTree.length === 0 ? {} : { outOfTree: outOfTree.map(fromMachineText) }),
  };
}

/** `RSA 2048`, `EC prime256v1`; the object identifier of what Node does not know. */
function kindOf(certificate: Certificate): string {
  const key = publicKeyOf(certificate);
  const details = key?.asymmetricKeyDetails;
  if (key?.asymmetricKeyType === 'rsa') return `RSA ${details?.modulusLength ?? ''}`.trim();
  if (key?.asymmetricKeyType === 'ec') return `EC ${details?.namedCurve ?? ''}`.trim();
  return key?.asymmetricKeyType ?? certificate.algorithm;
}
