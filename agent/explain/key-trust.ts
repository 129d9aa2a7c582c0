/** Whether the kernel trusts a signature's key. Reads keyrings and loaded modules' files; verifies no signature. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import type { Keyring } from '../facts/kernel/keyring.ts';
import { openModuleFile } from '../facts/modfiles/module-file.ts';
import { readSignature, type ModuleSignature } from '../facts/modfiles/signature.ts';
import { readModuleTaints } from '../facts/kernel/taint.ts';
import type { KeyTrust } from '../diagnosis/evidence.ts';
import { quoted } from '../base/words.ts';
import { readKnownCertificates } from '../trust/known-certificates.ts';
import { isSigner } from '../trust/signature-check.ts';
import { kernelId } from '../trust/trust.ts';
import { vouchingRings } from '../trust/vouching.ts';

/** How many loaded modules to examine for a signature by the same key. */
const WITNESSES = 8;

/** A loaded module whose signature can vouch for a key: its name and file. */
export interface Witness {
  readonly module: ModuleName;
  readonly path: string;
}

/**
 * Whether the kernel trusts the key of a signature. The kernel shows the subject and a fingerprint of its keys, while a signature names
 * its key by issuer and serial number. A certificate in shim's or the firmware's list leads from one to the other. Where there is none,
 * a loaded module serves as a witness: if it causes no taint and its signature is by the same key, the kernel accepted that key.
 */
export function keyTrust(
  host: Host,
  signature: ModuleSignature,
  keyrings: readonly Keyring[],
  loaded: Iterable<Witness>,
): KeyTrust {
  const vouches = vouchingRings(host);
  const id = kernelIdOf(host, signature).replace(/^(00)+(?=..)/, '');
  const known = keyrings.flatMap(({ name, keys }) => (keys ?? []).map((key) => ({ name, key })));
  const same = known.find(({ key }) => key.id.replace(/^(00)+(?=..)/, '') === id);
  if (same !== undefined) {
    return vouches.has(same.name)
      ? { kind: 'trusted', because: `its key is in ${same.name}` }
      : { kind: 'unknown-key', looked: `that key is in ${same.name}, whose keys do not vouch for modules` };
  }
  const witness = findWitness(host, signature, loaded);
  if (witness !== undefined) return { kind: 'trusted', because: `${witness} is loaded and signed with the same key` };
  const vouching = keyrings.filter(({ name }) => vouches.has(name));
  const unread = vouching.length === 0 || vouching.some(({ keys }) => keys === undefined);
  const named = known.some(({ name, key }) => vouches.has(name) && key.subject.includes(signature.signer));
  if (unread || named || signature.signer === '') return { kind: 'undecided' };
  return {
    kind: 'unknown-key',
    looked: `the kernel does not trust that key: it has none of ${quoted(signature.signer)}`,
  };
}

/** What the kernel calls the signature's key, where a certificate of it is at hand; else the key id of the signature itself. */
function kernelIdOf(host: Host, { info, keyId }: ModuleSignature): string {
  const known = info === undefined ? [] : readKnownCertificates(host);
  const found = known.find(({ certificate }) => info !== undefined && isSigner(certificate, info));
  return found === undefined ? keyId.toString('hex') : kernelId(found.certificate);
}

function findWitness(host: Host, signature: ModuleSignature, loaded: Iterable<Witness>): ModuleName | undefined {
  const tainted = readModuleTaints(host);
  let looked = 0;
  for (const { module, path } of loaded) {
    if (/[EF]/.test(tainted.get(module) ?? '')) continue;
    if (++looked > WITNESSES) return undefined;
    const file = openModuleFile(host.root, path);
    if (file.kind !== 'module') continue;
    try {
      const other = readSignature(file);
      if (other?.kind === 'signature' && other.signer === signature.signer && other.keyId.equals(signature.keyId))
        return module;
    } finally {
      file.close();
    }
  }
  return undefined;
}
