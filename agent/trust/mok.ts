/**
 * Makes a machine owner key: an RSA key and a certificate that it signs itself, for shim's list of keys. In dkms's form it is what
 * `openssl req -new -x509` makes for DKMS, which may also issue certificates and sign kernels; in plugd's form it signs modules only, so
 * that one who steals the key can start no kernel with it.
 *
 * Sources: RFC 5280, dkms(8), shim's MokManager, Ubuntu's update-secureboot-policy.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { derFirst, derInside, TAG } from '../facts/modfiles/der.ts';
import { EXTENSION, PURPOSE } from './certificate.ts';
import { encode, encodeBits, encodeInteger, encodeOid, encodeTime } from './der-writer.ts';

/** What kind of key to make. */
export interface MokWishes {
  /** The certificate's subject, CN alone: at most 64 bytes of UTF-8. */
  readonly commonName?: string | undefined;
  /** The RSA modulus: 2048, 3072 or 4096. The kernel takes no larger one. */
  readonly bits?: number | undefined;
  readonly days?: number | undefined;
  /** `dkms`: as dkms makes it. `modules` (the default): for nothing but modules. */
  readonly form?: 'dkms' | 'modules' | undefined;
  /** When it is made; for tests. */
  readonly now?: Date | undefined;
}

/** A key in PEM (PKCS#8, not encrypted) and its certificate. */
export interface Mok {
  readonly keyPem: string;
  readonly certificateDer: Buffer;
}

/** The subject of the key that dkms makes. */
export const DKMS_SUBJECT = 'DKMS module signing key';
const DAY = 86_400_000;
const SHA256_RSA = '1.2.840.113549.1.1.11';
const COMMON_NAME = '2.5.4.3';
/** Bytes of a common name (RFC 5280, ub-common-name). */
const MOST_NAME = 64;

/**
 * A new key and its certificate: `makeMok({ commonName: 'DKMS module signing key', form: 'dkms' })`. It takes a second: primes are
 * looked for. A name that is too long is cut.
 */
export function makeMok(wishes: MokWishes = {}): Mok {
  const { commonName = DKMS_SUBJECT, bits = 2048, days = 36_500, form = 'modules', now = new Date() } = wishes;
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = nameOf(commonName);
  const algorithm = encode(TAG.sequence, encodeOid(SHA256_RSA), encode(TAG.none));
  // A clock that is some hours ahead (local time taken for UTC) must not make a key that is not valid yet.
  const validity = encode(
    TAG.sequence,
    encodeTime(new Date(now.getTime() - DAY)),
    encodeTime(new Date(now.getTime() + days * DAY)),
  );
  const tbs = encode(
    TAG.sequence,
    encode(TAG.context0, encodeInteger(2)),
    encodeInteger(serialNumber()),
    algorithm,
    name,
    validity,
    name,
    spki,
    encode(TAG.context3, encode(TAG.sequence, ...extensionsOf(form, spki))),
  );
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificateDer: encode(TAG.sequence, tbs, algorithm, encodeBits(sign('sha256', tbs, privateKey))),
  };
}

function nameOf(commonName: string): Buffer {
  // In a stream, the decoder keeps back a character that is cut.
  const text = new TextDecoder().decode(Buffer.from(commonName).subarray(0, MOST_NAME), { stream: true });
  const attribute = encode(TAG.sequence, encodeOid(COMMON_NAME), encode(TAG.utf8, Buffer.from(text)));
  return encode(TAG.sequence, encode(TAG.set, attribute));
}

/** 159 random bits: at most 20 bytes, and positive. */
function serialNumber(): Buffer {
  const bytes = randomBytes(20);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes;
}

/** OpenSSL's order, which dkms's certificates have: identifiers, basic constraints, then the rest. */
function extensionsOf(form: 'dkms' | 'modules', spki: Buffer): readonly Buffer[] {
  const identifier = keyIdentifierOf(spki);
  const both = [
    extension(EXTENSION.keyIdentifier, encode(TAG.octets, identifier)),
    extension(EXTENSION.authorityKeyIdentifier, encode(TAG.sequence, encode(TAG.primitive0, identifier))),
  ];
  if (form === 'dkms')
    return [
      ...both,
      critical(EXTENSION.basicConstraints, encode(TAG.sequence, encode(TAG.boolean, Buffer.from([0xff])))),
      extension(EXTENSION.extendedKeyUsage, encode(TAG.sequence, encodeOid(PURPOSE.codeSigning))),
    ];
  return [
    ...both,
    critical(EXTENSION.basicConstraints, encode(TAG.sequence)),
    // digitalSignature is the first bit.
    critical(EXTENSION.keyUsage, encodeBits(Buffer.from([0x80]), 7)),
    extension(
      EXTENSION.extendedKeyUsage,
      encode(TAG.sequence, encodeOid(PURPOSE.codeSigning), encodeOid(PURPOSE.moduleSigning)),
    ),
  ];
}

function extension(oid: string, value: Buffer): Buffer {
  return encode(TAG.sequence, encodeOid(oid), encode(TAG.octets, value));
}

function critical(oid: string, value: Buffer): Buffer {
  return encode(TAG.sequence, encodeOid(oid), encode(TAG.boolean, Buffer.from([0xff])), encode(TAG.octets, value));
}

/** SHA-1 of the key's BIT STRING (RFC 5280, 4.2.1.2, method 1). */
function keyIdentifierOf(spki: Buffer): Buffer {
  const bits = derInside(derFirst(spki), TAG.sequence)?.[1]?.contents.subarray(1) ?? spki;
  return createHash('sha1').update(bits).digest();
}
