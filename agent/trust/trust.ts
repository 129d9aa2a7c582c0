/** Whether a kernel trusts a certificate's key for modules, and by which keyring. Decides from facts; reads none itself. */
import type { Keyring, KeyringName, TrustedKey } from '../facts/kernel/keyring.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateSource } from './known-certificates.ts';

/** What is known of the kernel's trust. */
export interface TrustFacts {
  /** The kernel's keyrings, of the running machine only; empty where they cannot be seen. */
  readonly keyrings: readonly Keyring[];
  /** Those whose keys vouch for modules. */
  readonly vouching: ReadonlySet<KeyringName>;
}

/** `ring` is the keyring that has the key, as far as it can be told: that it should be in there is known from where it comes. */
export type Trust =
  | { readonly kind: 'trusted'; readonly ring: KeyringName }
  | { readonly kind: 'untrusted'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** The keyring that the kernel puts the certificates of each source into. */
const RING_OF: Readonly<Record<Exclude<CertificateSource, 'file'>, KeyringName>> = {
  kernel: '.builtin_trusted_keys',
  mok: '.machine',
  firmware: '.platform',
};

/** What the kernel calls a certificate's key: its subject key identifier, else its serial number; lower-case hexadecimal. */
export function kernelId({ keyIdentifier, serialNumber }: Certificate): string {
  return (keyIdentifier ?? serialNumber).toString('hex');
}

/**
 * Whether the key is trusted: by the keyrings where all that matter can be read, else by where its certificate comes from.
 * `.platform` of a kernel that does not take it for modules makes it untrusted.
 */
export function trustOf(certificate: Certificate, sources: readonly CertificateSource[], facts: TrustFacts): Trust {
  const { keyrings, vouching } = facts;
  const readable = keyrings.filter(({ keys }) => keys !== undefined);
  const rings = readable.filter(({ keys }) => keys?.some((key) => isKeyOf(key, certificate))).map(({ name }) => name);
  if (rings.includes('.blacklist')) return { kind: 'untrusted', why: 'it is revoked: it is in .blacklist' };
  const complete = readable.some(({ name }) => vouching.has(name)) && readable.length === keyrings.length;
  const expected = complete
    ? rings
    : [...rings, ...sources.flatMap((source) => (source === 'file' ? [] : [RING_OF[source]]))];
  const ring = expected.find((name) => vouching.has(name));
  if (ring !== undefined) return { kind: 'trusted', ring };
  const other = expected[0];
  if (other !== undefined)
    return { kind: 'untrusted', why: `it is in ${other}, whose keys do not vouch for modules on this kernel` };
  return complete
    ? { kind: 'untrusted', why: 'the kernel does not have it' }
    : { kind: 'unknown', why: 'the keyrings of that kernel cannot be read' };
}

/** Whether a key of a keyring is the certificate's. */
export function isKeyOf({ id }: TrustedKey, certificate: Certificate): boolean {
  return withoutZeros(id) === withoutZeros(kernelId(certificate));
}

function withoutZeros(id: string): string {
  return id.replace(/^(00)+(?=..)/, '');
}
