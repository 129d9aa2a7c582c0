/**
 * Signs a module as the kernel's sign-file does, and takes signatures off. To the module's bytes it appends a CMS SignedData without
 * certificates and without signed attributes, twelve bytes that say how long it is, and the mark (facts/modfiles/signature.ts reads it).
 *
 * Sources: scripts/sign-file.c, include/linux/module_signature.h, RFC 5652.
 */
import { sign, type KeyObject } from 'node:crypto';
import { PlugdError } from '../base/error.ts';
import { TAG } from '../facts/modfiles/der.ts';
import {
  readSignature,
  SIGNATURE_MARK,
  type DamagedSignature,
  type ModuleSignature,
} from '../facts/modfiles/signature.ts';
import { HASH_OIDS } from '../facts/modfiles/signed-data.ts';
import { parseCertificate } from './certificate.ts';
import { encode, encodeInteger, encodeOid } from './der-writer.ts';

/** The hashes that a signature can be made with, and what ECDSA with each is called. */
const ECDSA_OIDS = {
  sha1: '1.2.840.10045.4.1',
  sha224: '1.2.840.10045.4.3.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
  'sha3-256': '2.16.840.1.101.3.4.3.10',
  'sha3-384': '2.16.840.1.101.3.4.3.11',
  'sha3-512': '2.16.840.1.101.3.4.3.12',
} as const;
/** The kind of signature in the twelve bytes. */
const PKCS7 = 2;
/** Signatures that one module may have, one after the other. */
const MOST_SIGNATURES = 64;
const RSA_OID = '1.2.840.113549.1.1.1';
const DATA_OID = '1.2.840.113549.1.7.1';
const SIGNED_DATA_OID = '1.2.840.113549.1.7.2';

/** A hash to sign with, as CONFIG_MODULE_SIG_HASH calls it: `sha256`. The SHA-3 ones need Linux 6.7. */
export type SignatureHash = keyof typeof ECDSA_OIDS;

/** All of them. */
export const SIGNATURE_HASHES = Object.keys(ECDSA_OIDS) as readonly SignatureHash[];

/** The hash of that name, in any case; undefined for one that cannot be signed with. */
export function signatureHash(name: string): SignatureHash | undefined {
  return SIGNATURE_HASHES.find((hash) => hash === name.toLowerCase());
}

/** What to sign with. */
export interface Signing {
  /** An RSA or EC key. */
  readonly key: KeyObject;
  /** Its certificate in DER. */
  readonly certificate: Buffer;
  readonly hash: SignatureHash;
  /** Name the signer by its subject key identifier (sign-file -k); else by issuer and serial number. */
  readonly keyId?: boolean | undefined;
}

/**
 * The module with a signature appended; a signature that it already has stays, and no longer counts. With an RSA key the result has the
 * bytes that sign-file makes. Errors: `unsupported` for another kind of key, for a certificate that is none, and with `keyId` for one
 * without a subject key identifier.
 */
export function signModule(image: Buffer, signing: Signing): Buffer {
  return appendSignature(image, detachedSignature(image, signing));
}

/** The CMS SignedData alone, what sign-file -p writes to MODULE.p7s. Errors: as of signModule. */
export function detachedSignature(image: Buffer, { key, certificate, hash, keyId = false }: Signing): Buffer {
  const parsed = parseCertificate(certificate);
  if (parsed === undefined) throw new PlugdError('unsupported', 'the certificate is not one in DER');
  if (keyId && parsed.keyIdentifier === undefined)
    throw new PlugdError('unsupported', 'the certificate has no subject key identifier to name the key by');
  const version = encodeInteger(keyId ? 3 : 1);
  const digest = encode(TAG.sequence, encodeOid(oidOf(hash)));
  const signer =
    keyId && parsed.keyIdentifier !== undefined
      ? encode(TAG.primitive0, parsed.keyIdentifier)
      : encode(TAG.sequence, parsed.issuer, parsed.serial);
  const algorithm = algorithmOf(key, hash);
  const value = encode(TAG.octets, sign(hash, image, key));
  const info = encode(TAG.sequence, version, signer, digest, algorithm, value);
  const content = encode(TAG.sequence, encodeOid(DATA_OID));
  const data = encode(TAG.sequence, version, encode(TAG.set, digest), content, encode(TAG.set, info));
  return encode(TAG.sequence, encodeOid(SIGNED_DATA_OID), encode(TAG.context0, data));
}

/** The module with a finished SignedData appended (sign-file -s). */
export function appendSignature(image: Buffer, cms: Buffer): Buffer {
  const info = Buffer.alloc(12);
  info[2] = PKCS7;
  info.writeUInt32BE(cms.length, 8);
  return Buffer.concat([image, cms, info, Buffer.from(SIGNATURE_MARK, 'latin1')]);
}

/** A module without its signatures. */
export interface Stripped {
  readonly image: Buffer;
  /** How many were taken off; 0 leaves the image as it was. */
  readonly signatures: number;
  /** Why a last one is still there: it is damaged, and nobody can tell where it begins. */
  readonly damaged: string | undefined;
}

/** Takes all signatures off a module, the last first: `stripSignature(signModule(image, …)).image` is `image`. */
export function stripSignature(image: Buffer): Stripped {
  let rest = image;
  for (let signatures = 0; signatures < MOST_SIGNATURES; signatures++) {
    const found = signatureOf(rest);
    if (found?.length === undefined)
      return { image: rest, signatures, damaged: found?.kind === 'damaged' ? found.why : undefined };
    rest = rest.subarray(0, rest.length - found.length);
  }
  return { image: rest, signatures: MOST_SIGNATURES, damaged: 'it has too many signatures' };
}

/** The signature at the end of a module in memory; undefined when there is none. */
export function signatureOf(image: Buffer): ModuleSignature | DamagedSignature | undefined {
  return readSignature({ size: image.length, tail: (length) => image.subarray(Math.max(0, image.length - length)) });
}

function oidOf(hash: SignatureHash): string {
  for (const [oid, name] of HASH_OIDS) if (name === hash) return oid;
  throw new PlugdError('unsupported', `no hash is called ${hash}`);
}

/** The signature's algorithm; only RSA's has parameters, a NULL. */
function algorithmOf(key: KeyObject, hash: SignatureHash): Buffer {
  if (key.asymmetricKeyType === 'rsa') return encode(TAG.sequence, encodeOid(RSA_OID), encode(TAG.none));
  if (key.asymmetricKeyType === 'ec') return encode(TAG.sequence, encodeOid(ECDSA_OIDS[hash]));
  throw new PlugdError('unsupported', `the kernel verifies no signatures of ${key.asymmetricKeyType ?? 'such'} keys`, {
    remedy: 'sign with an RSA or EC key',
  });
}
