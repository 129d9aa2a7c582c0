/**
 * The SignedData of PKCS#7 and CMS that a module's signature is, in DER. Pure; verifies nothing.
 *
 *     ContentInfo ::= { contentType OID, [0] SignedData }
 *     SignedData ::= { version, digestAlgorithms SET, contentInfo, [0] certificates?, [1] crls?, signerInfos SET }
 *     SignerInfo ::= { version, issuerAndSerial | [0] subjectKeyId, digestAlgorithm, [0] attributes?, algorithm, value OCTETS }
 *
 * Sources: RFC 2315, RFC 5652, crypto/asymmetric_keys/pkcs7_parser.c.
 */
import { derInside, derOid, derValues, TAG, type DerValue } from './der.ts';

/** What one SignerInfo says. */
export interface SignerInfo {
  /** The issuer's common name, or the last part of its name: `Debian Secure Boot CA`; '' when it has none. latin1 */
  readonly signer: string;
  /** The certificate's serial number, or its subject key identifier. */
  readonly keyId: Buffer;
  /** The issuer's whole Name in DER; undefined where the signer is named by its subject key identifier. */
  readonly issuer: Buffer | undefined;
  /** `sha256`; the dotted form of one that has no name here, `unknown` for none. */
  readonly hash: string;
  /** The signed attributes as what is signed, a SET; undefined where the signature is over the contents themselves. */
  readonly attributes: Buffer | undefined;
  /** The signature's algorithm, `1.2.840.113549.1.1.1`; '' for none. */
  readonly algorithm: string;
  /** The signature proper: for RSA as many bytes as its modulus. */
  readonly value: Buffer;
}

/** The hashes of signatures by their object identifiers; the names are the kernel's, and OpenSSL's. */
export const HASH_OIDS: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.4', 'md4'],
  ['1.2.840.113549.2.5', 'md5'],
  ['1.3.14.3.2.26', 'sha1'],
  ['1.3.36.3.2.1', 'rmd160'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.8', 'sha3-256'],
  ['2.16.840.1.101.3.4.2.9', 'sha3-384'],
  ['2.16.840.1.101.3.4.2.10', 'sha3-512'],
  ['1.2.156.10197.1.401', 'sm3'],
]);
const COMMON_NAME = '2.5.4.3';

/** The first signer of a SignedData; undefined when the bytes are none, or it has no signer. */
export function readSignerInfo(bytes: Buffer): SignerInfo | undefined {
  const content = derInside(derValues(bytes)?.[0], TAG.sequence);
  const data = derInside(derInside(content?.[1], TAG.context0)?.[0], TAG.sequence);
  const infos = derInside(data?.at(-1), TAG.set);
  const info = derInside(infos?.[0], TAG.sequence);
  if (info === undefined) return undefined;
  const identity = info[1];
  const hash = derOid(derInside(info[2], TAG.sequence)?.[0]);
  const value = info.find((part) => part.tag === TAG.octets);
  if (identity === undefined || value === undefined) return undefined;
  const named = derInside(identity, TAG.sequence);
  const attributes = info[3]?.tag === TAG.context0 ? info[3].whole : undefined;
  return {
    signer: commonName(named?.[0]),
    keyId: named === undefined ? identity.contents : unsigned(named[1]?.contents ?? Buffer.alloc(0)),
    issuer: named?.[0]?.whole,
    hash: HASH_OIDS.get(hash) ?? (hash === '' ? 'unknown' : hash),
    attributes: attributes === undefined ? undefined : Buffer.from([TAG.set, ...attributes.subarray(1)]),
    algorithm: derOid(derInside(info[info.indexOf(value) - 1], TAG.sequence)?.[0]),
    value: value.contents,
  };
}

/** A number without the zero that DER puts before one whose first bit is set. */
export function unsigned(bytes: Buffer): Buffer {
  return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

/**
 * The first common name of an X.501 name, SEQUENCE of SET of SEQUENCE { OID, text }; without one its last part, as in modinfo.
 * latin1; '' when it has none.
 */
export function commonName(name: DerValue | undefined): string {
  let last = '';
  for (const set of derInside(name, TAG.sequence) ?? []) {
    for (const attribute of derInside(set, TAG.set) ?? []) {
      const [oid, text] = derInside(attribute, TAG.sequence) ?? [];
      last = text?.contents.toString('latin1') ?? '';
      if (derOid(oid) === COMMON_NAME) return last;
    }
  }
  return last;
}
