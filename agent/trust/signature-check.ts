/**
 * Verifies a module's signature with a certificate, as the kernel does: RSA (PKCS#1 v1.5) and ECDSA, over the module itself or over signed
 * attributes that hold its hash. Dates, chains and uses of certificates play no part: the kernel looks at none of them.
 *
 * Sources: crypto/asymmetric_keys/pkcs7_verify.c, RFC 5652 section 5.
 */
import { createHash, verify } from 'node:crypto';
import { derInside, derOid, derValues, TAG } from '../facts/modfiles/der.ts';
import { unsigned, type SignerInfo } from '../facts/modfiles/signed-data.ts';
import { publicKeyOf, type Certificate } from './certificate.ts';
import { signatureHash } from './module-signature.ts';

/** `tampered`: the module is not the one that was signed, or the signature was made with another key of that name. */
export type SignatureCheck =
  | { readonly kind: 'valid' }
  | { readonly kind: 'tampered'; readonly why: string }
  | { readonly kind: 'unsupported'; readonly why: string };

/** Kinds of keys that the kernel may know and plugd does not, by the object identifiers of their signatures. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.101.3.4.3.17', 'ML-DSA-44'],
  ['2.16.840.1.101.3.4.3.18', 'ML-DSA-65'],
  ['2.16.840.1.101.3.4.3.19', 'ML-DSA-87'],
  ['1.2.156.10197.1.501', 'SM2'],
  ['1.2.643.7.1.1.3.2', 'GOST R 34.10-2012'],
  ['1.2.643.7.1.1.3.3', 'GOST R 34.10-2012'],
]);
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
/** ECDSA; RSA's names of algorithms all begin with RSA_ARC. */
const ECDSA_ARC = '1.2.840.10045.4.';
const ECDSA_SHA3 = /^2\.16\.840\.1\.101\.3\.4\.3\.1[0-2]$/;
const RSA_ARC = '1.2.840.113549.1.1.';

/** `RSA`, `ECDSA`, `ML-DSA-65`: what a signature's algorithm is called; its object identifier where it has no name here. */
export function algorithmName(oid: string): string {
  if (oid.startsWith(ECDSA_ARC) || ECDSA_SHA3.test(oid)) return 'ECDSA';
  if (oid.startsWith(RSA_ARC)) return 'RSA';
  return FOREIGN.get(oid) ?? (oid === '' ? 'unknown' : oid);
}

/** Whether the certificate is the one that a signature names: by issuer and serial number, or by its subject key identifier. */
export function isSigner(certificate: Certificate, { issuer, keyId }: SignerInfo): boolean {
  return issuer === undefined
    ? (certificate.keyIdentifier?.equals(keyId) ?? false)
    : certificate.issuer.equals(issuer) && unsigned(certificate.serialNumber).equals(keyId);
}

/** Checks the signature over `image`, the module without it, with the certificate's key. */
export function checkSignature(image: Buffer, signer: SignerInfo, certificate: Certificate): SignatureCheck {
  const algorithm = algorithmName(signer.algorithm);
  const hash = signatureHash(signer.hash);
  if (algorithm !== 'RSA' && algorithm !== 'ECDSA') return unsupported(`plugd cannot verify ${algorithm} signatures`);
  if (hash === undefined) return unsupported(`plugd cannot verify signatures of a ${signer.hash} hash`);
  const key = publicKeyOf(certificate);
  if (key === undefined) return unsupported('plugd cannot use the key of the certificate');
  if (key.asymmetricKeyType !== (algorithm === 'RSA' ? 'rsa' : 'ec'))
    return tampered(`an ${algorithm} signature, and the key is not one`);
  const { attributes } = signer;
  if (attributes !== undefined) {
    const digest = messageDigest(attributes);
    if (digest === undefined) return tampered('its signed attributes lack the hash of the module');
    if (!createHash(hash).update(image).digest().equals(digest)) return tampered('the module has another hash');
  }
  try {
    return verify(hash, attributes ?? image, key, signer.value)
      ? { kind: 'valid' }
      : tampered('the signature does not fit the module');
  } catch {
    // OpenSSL refuses some keys: too small, on a curve that it does not know.
    return unsupported('plugd cannot use the key of the certificate');
  }
}

/** Attribute ::= SEQUENCE { OID, SET of values }; undefined unless there is exactly one hash. */
function messageDigest(attributes: Buffer): Buffer | undefined {
  const found = (derInside(derValues(attributes)?.[0], TAG.set) ?? []).flatMap((attribute) => {
    const [oid, values] = derInside(attribute, TAG.sequence) ?? [];
    const digest = derOid(oid) === MESSAGE_DIGEST ? derInside(values, TAG.set)?.[0] : undefined;
    return digest?.tag === TAG.octets ? [digest.contents] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}

function unsupported(why: string): SignatureCheck {
  return { kind: 'unsupported', why };
}

function tampered(why: string): SignatureCheck {
  return { kind: 'tampered', why };
}
