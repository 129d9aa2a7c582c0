/**
 * Reads a signature appended to a module file (include/linux/module_signature.h, scripts/sign-file.c); does not verify it. From
 * the file's end:
 *
 *     "~Module signature appended~\n"                                  28 bytes
 *     algo, hash, id_type, signer_len, key_id_len (u8 each), 3 pad, sig_len (u32, big-endian)     12 bytes
 *     the signature, sig_len bytes; before it the key id and the signer's name (key_id_len, signer_len bytes)
 *
 * sign-file has made id_type 2 since Linux 4.3: the signature is a PKCS#7 SignedData in DER (RFC 2315), the other fields are 0.
 * Its SignerInfo names the key by its certificate's issuer and serial number. 0 (PGP) and 1 (X.509) are older.
 */
import { ERRNO } from '../../base/errno.ts';
import { derInside, derOid, derValues, TAG, type DerValue } from './der.ts';
import type { ModuleFile } from './module-file.ts';

/** Who signed a module, and how. */
export interface ModuleSignature {
  readonly kind: 'signature';
  readonly idType: 'PGP' | 'X509' | 'PKCS#7';
  /** The issuer's common name, or the last part of its name: `Debian Secure Boot CA`; '' when it has none. latin1 */
  readonly signer: string;
  /** PKCS#7: the certificate's serial number; X509: its key id. */
  readonly keyId: Buffer;
  /** `sha256` */
  readonly hash: string;
  /** The signature proper: for RSA as many bytes as its modulus. */
  readonly value: Buffer;
  /** Bytes that the signature takes at the end of the file. */
  readonly length: number;
}

/** The mark is there, but no valid signature comes before it. */
export interface DamagedSignature {
  readonly kind: 'damaged';
  readonly why: string;
  /** What the kernel calls it: EBADMSG, which it always refuses, or ENOPKG, which is as good as no signature. */
  readonly errno: number;
}

const MARK = '~Module signature appended~\n';
const INFO = 12;
const ID_TYPES = ['PGP', 'X509', 'PKCS#7'] as const;
/** linux/hash_info.h, as far as old signatures use it. */
const HASHES = ['md4', 'md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224'];
const HASH_OIDS: ReadonlyMap<string, string> = new Map([
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
/** The largest signature that plugd reads; real ones are below 4 KiB. */
const LIMIT = 1 << 20;

/** The signature of a module file, undefined when none is appended. Errors: `unreadable`. */
export function readSignature(file: ModuleFile): ModuleSignature | DamagedSignature | undefined {
  const end = file.tail(MARK.length + INFO);
  if (end.toString('latin1', Math.max(0, end.length - MARK.length)) !== MARK) return undefined;
  if (end.length < MARK.length + INFO) return damaged('nothing comes before the mark');
  const [algorithm = 0, hash = 0, type = 0, signerLength = 0, keyLength = 0, ...padding] = end.subarray(0, 8);
  const valueLength = end.readUInt32BE(8);
  const idType = ID_TYPES[type];
  const length = MARK.length + INFO + signerLength + keyLength + valueLength;
  // The kernel looks at the length first (kernel/module_signature.c: mod_check_sig).
  if (length > file.size) return damaged('its length field exceeds the file');
  if (idType === undefined) return damaged(`unknown kind of signature (${type})`, ERRNO.ENOPKG);
  if (valueLength === 0) return damaged('a signature of no bytes');
  if (valueLength > LIMIT) return damaged(`a signature of ${valueLength} bytes`);
  const all = file.tail(length);
  const value = all.subarray(signerLength + keyLength, signerLength + keyLength + valueLength);
  if (idType !== 'PKCS#7') {
    const signer = all.toString('latin1', 0, signerLength);
    const keyId = all.subarray(signerLength, signerLength + keyLength);
    return { kind: 'signature', idType, signer, keyId, hash: HASHES[hash] ?? `hash ${hash}`, value, length };
  }
  const zeros = [algorithm, hash, signerLength, keyLength, ...padding];
  if (zeros.some((byte) => byte !== 0)) return damaged('fields that must be 0 are not');
  const signed = signerInfo(value);
  return signed === undefined
    ? damaged('not a PKCS#7 SignedData with a signer')
    : { kind: 'signature', idType, length, ...signed };
}

function damaged(why: string, errno: number = ERRNO.EBADMSG): DamagedSignature {
  return { kind: 'damaged', why, errno };
}

/**
 *     ContentInfo ::= { contentType OID, [0] SignedData }
 *     SignedData ::= { version, digestAlgorithms SET, contentInfo, [0] certificates?, [1] crls?, signerInfos SET }
 *     SignerInfo ::= { version, issuerAndSerial | [0] subjectKeyId, digestAlgorithm, [0] attributes?, algorithm, value OCTETS }
 */
function signerInfo(der: Buffer): Pick<ModuleSignature, 'signer' | 'keyId' | 'hash' | 'value'> | undefined {
  const content = derInside(derValues(der)?.[0], TAG.sequence);
  const data = derInside(derInside(content?.[1], TAG.context0)?.[0], TAG.sequence);
  const infos = derInside(data?.at(-1), TAG.set);
  const info = derInside(infos?.[0], TAG.sequence);
  if (info === undefined) return undefined;
  const identity = info[1];
  const hash = derOid(derInside(info[2], TAG.sequence)?.[0]);
  const value = info.find((part) => part.tag === TAG.octets)?.contents;
  if (identity === undefined || value === undefined) return undefined;
  const named = derInside(identity, TAG.sequence);
  return {
    signer: signerName(named?.[0]),
    keyId: named === undefined ? identity.contents : unsigned(named[1]?.contents ?? Buffer.alloc(0)),
    hash: HASH_OIDS.get(hash) ?? (hash === '' ? 'unknown' : hash),
    value,
  };
}

/** A number without the zero that DER puts before one whose first bit is set. */
function unsigned(bytes: Buffer): Buffer {
  return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

/** The first common name of an X.501 name, SEQUENCE of SET of SEQUENCE { OID, text }; without one its last part, as in modinfo. */
function signerName(name: DerValue | undefined): string {
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
