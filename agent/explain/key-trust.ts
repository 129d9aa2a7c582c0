/** Whether the kernel trusts a signature's key. Reads keyrings and loaded modules' files; verifies no signature. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { readShimList } from '../facts/efi/efi-variables.ts';
import type { Keyring } from '../facts/kernel/keyring.ts';
import { openModuleFile } from '../facts/modfiles/module-file.ts';
import { readSignature, type ModuleSignature } from '../facts/modfiles/signature.ts';
import { readModuleTaints } from '../facts/kernel/taint.ts';
import type { KeyTrust } from '../diagnosis/evidence.ts';
import { quoted } from '../base/words.ts';
import { publicKeyOf } from '../trust/certificate.ts';
import { certificatesOf, readKnownCertificates, type KnownCertificate } from '../trust/known-certificates.ts';
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
 * Whether the kernel trusts the key of a signature; `certificates` are those at hand. The kernel shows the subject and a fingerprint of its keys, while a signature names
 * its key by issuer and serial number. A certificate in shim's or the firmware's list leads from one to the other. Where there is none,
 * a loaded module serves as a witness: if it causes no taint and its signature is by the same key, the kernel accepted that key.
 */
export function keyTrust(
  host: Host,
  signature: ModuleSignature,
  keyrings: readonly Keyring[],
  loaded: Iterable<Witness>,
  certificates: readonly KnownCertificate[] = readKnownCertificates(host),
): KeyTrust {
  const vouches = vouchingRings(host);
  const own = signersOf(signature, certificates);
  const id = kernelIdOf(signature, own).replace(/^(00)+(?=..)/, '');
  const known = keyrings.flatMap(({ name, keys }) => (keys ?? []).map((key) => ({ name, key })));
  const same = known.filter(({ key }) => key.id.replace(/^(00)+(?=..)/, '') === id);
  if (same.some(({ name }) => name === '.blacklist'))
    return { kind: 'revoked', looked: 'its key is revoked: it is in .blacklist' };
  const [first] = same;
  if (first !== undefined) {
    const { name } = same.find((each) => vouches.has(each.name)) ?? first;
    return vouches.has(name)
      ? { kind: 'trusted', because: `its key is in ${name}` }
      : { kind: 'unknown-key', looked: `that key is in ${name}, whose keys do not vouch for modules` };
  }
  const witness = findWitness(host, signature, loaded);
  if (witness !== undefined) return { kind: 'trusted', because: `${witness} is loaded and signed with the same key` };
  const vouching = keyrings.filter(({ name }) => vouches.has(name));
  const unread = vouching.length === 0 || vouching.some(({ keys }) => keys === undefined);
  const named = known.some(({ name, key }) => vouches.has(name) && key.subject.includes(signature.signer));
  if (unread) return { kind: 'undecided' };
  // What shim and the firmware handed over and no keyring has, the kernel could not use.
  const enrolled = own.find(({ source }) => source === 'mok' || source === 'firmware');
  if (enrolled !== undefined) return unused(enrolled);
  const file = own.find(({ source }) => source === 'file');
  const at = file === undefined ? {} : { certificate: file.place };
  if (waits(host, signature))
    return { kind: 'unknown-key', looked: 'its key waits to be enrolled at the next boot', waits: true, ...at };
  if (named || signature.signer === '') return { kind: 'undecided' };
  const looked = `the kernel does not trust that key: it has none of ${quoted(signature.signer)}`;
  return { kind: 'unknown-key', looked, ...at };
}

/** The certificates that may be the signer's. */
export function signersOf(
  { info }: ModuleSignature,
  certificates: readonly KnownCertificate[],
): readonly KnownCertificate[] {
  return info === undefined ? [] : certificates.filter(({ certificate }) => isSigner(certificate, info));
}

/** What the kernel calls the signature's key, where a certificate of it is at hand; else the key id of the signature itself. */
function kernelIdOf({ keyId }: ModuleSignature, [found]: readonly KnownCertificate[]): string {
  return found === undefined ? keyId.toString('hex') : kernelId(found.certificate);
}

/** Whether shim will ask about the signer's certificate at the next boot. */
function waits(host: Host, { info }: ModuleSignature): boolean {
  return info !== undefined && certificatesOf(readShimList(host, 'MokNew')).some((each) => isSigner(each, info));
}

function unused({ place, certificate }: KnownCertificate): KeyTrust {
  const kind = publicKeyOf(certificate)?.asymmetricKeyType;
  const curve = kind === 'ec' ? ': it may have no code for EC keys (CONFIG_CRYPTO_ECDSA)' : '';
  const looked = `its key ${quoted(certificate.subject)} is in ${place}, and the kernel did not take it${curve}`;
  return { kind: 'unknown-key', looked, unusable: kind !== 'rsa' };
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
