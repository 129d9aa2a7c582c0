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
import type { ModuleFile } from './module-file.ts';
import { readSignerInfo, type SignerInfo } from './signed-data.ts';

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
  /** PKCS#7: all that the signature says of its signer; undefined for the older kinds. */
  readonly info: SignerInfo | undefined;
}

/** The mark is there, but no valid signature comes before it. */
export interface DamagedSignature {
  readonly kind: 'damaged';
  readonly why: string;
  /** What the kernel calls it: EBADMSG, which it always refuses, or ENOPKG, which is as good as no signature. */
  readonly errno: number;
  /** Bytes that it takes at the end of the file; undefined where that cannot be told. */
  readonly length: number | undefined;
}

/** What a signed module ends in. */
export const SIGNATURE_MARK = '~Module signature appended~\n';
const MARK = SIGNATURE_MARK;
const INFO = 12;
const ID_TYPES = ['PGP', 'X509', 'PKCS#7'] as const;
/** linux/hash_info.h, as far as old signatures use it. */
const HASHES = ['md4', 'md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224'];
/** The largest signature that plugd reads; real ones are below 4 KiB. */
const LIMIT = 1 << 20;

/** The signature of a module file or image, undefined when none is appended. Errors: `unreadable`. */
export function readSignature(file: Pick<ModuleFile, 'size' | 'tail'>): ModuleSignature | DamagedSignature | undefined {
  const end = file.tail(MARK.length + INFO);
  if (end.toString('latin1', Math.max(0, end.length - MARK.length)) !== MARK) return undefined;
  if (end.length < MARK.length + INFO) return damaged('nothing comes before the mark');
  const [algorithm = 0, hash = 0, type = 0, signerLength = 0, keyLength = 0, ...padding] = end.subarray(0, 8);
  const valueLength = end.readUInt32BE(8);
  const idType = ID_TYPES[type];
  const length = MARK.length + INFO + signerLength + keyLength + valueLength;
  // The kernel looks at the length first (kernel/module_signature.c: mod_check_sig).
  if (length > file.size) return damaged('its length field exceeds the file');
  if (idType === undefined) return damaged(`unknown kind of signature (${type})`, length, ERRNO.ENOPKG);
  if (valueLength === 0) return damaged('a signature of no bytes', length);
  if (valueLength > LIMIT) return damaged(`a signature of ${valueLength} bytes`, length);
  const all = file.tail(length);
  const value = all.subarray(signerLength + keyLength, signerLength + keyLength + valueLength);
  if (idType !== 'PKCS#7') {
    const signer = all.toString('latin1', 0, signerLength);
    const keyId = all.subarray(signerLength, signerLength + keyLength);
    return {
      kind: 'signature',
      idType,
      signer,
      keyId,
      hash: HASHES[hash] ?? `hash ${hash}`,
      value,
      length,
      info: undefined,
    };
  }
  const zeros = [algorithm, hash, signerLength, keyLength, ...padding];
  if (zeros.some((byte) => byte !== 0)) return damaged('fields that must be 0 are not', length);
  const info = readSignerInfo(value);
  if (info === undefined) return damaged('not a PKCS#7 SignedData with a signer', length);
  return {
    kind: 'signature',
    idType,
    signer: info.signer,
    keyId: info.keyId,
    hash: info.hash,
    value: info.value,
    length,
    info,
  };
}

function damaged(why: string, length?: number, errno: number = ERRNO.EBADMSG): DamagedSignature {
  return { kind: 'damaged', why, errno, length };
}
