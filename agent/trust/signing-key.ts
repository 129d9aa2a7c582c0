/**
 * Reads what a module is signed with: a private key, and its certificate. A key is PEM (PKCS#8, PKCS#1, SEC1), encrypted or not; a
 * certificate is DER or PEM, and may stand in the key's file. Each fault names the file.
 *
 * Source: scripts/sign-file.c (read_private_key, read_x509), which takes the passphrase from KBUILD_SIGN_PIN, too.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { fsCode } from '../base/error.ts';
import { readRegularFile } from '../facts/regular-file.ts';
import { parseCertificate, publicKeyOf, type Certificate } from './certificate.ts';

/** A key and its certificate, which belong together. */
export interface SigningKey {
  readonly kind: 'key';
  readonly key: KeyObject;
  readonly certificate: Certificate;
}

/** It cannot be signed with that; `why` names the file: `/etc/keys/a.pem: no such file`. */
export interface NoKey {
  readonly kind: 'no-key';
  readonly why: string;
  readonly remedy: string | undefined;
}

/** Where both are; `root` is '' for this machine. */
export interface KeyPlaces {
  readonly root?: string | undefined;
  readonly key: string;
  readonly certificate: string;
  /** The key's passphrase. */
  readonly passphrase?: string | undefined;
}

/** More than any key or certificate has. */
const LIMIT = 1 << 20;

/**
 * The key and its certificate, or why there is none: one of the files cannot be read or holds none, the passphrase is missing or wrong,
 * the key is of a kind that cannot sign modules, or the two do not belong together.
 *
 *     readSigningKey({ key: 'mok.key', certificate: 'mok.pub', passphrase: process.env['KBUILD_SIGN_PIN'] })
 */
export function readSigningKey(places: KeyPlaces): SigningKey | NoKey {
  const { root = '' } = places;
  const key = readPrivateKey(root, places.key, places.passphrase);
  if (key.kind === 'no-key') return key;
  const certificate = readCertificate(root, places.certificate);
  if (certificate.kind === 'no-key') return certificate;
  if (publicKeyOf(certificate) === undefined)
    return noKey(places.certificate, 'the certificate is of a kind of key that plugd cannot sign with');
  if (!belongsTo(key.key, certificate))
    return noKey(places.certificate, `the certificate is of another key than ${places.key}`);
  return { kind: 'key', key: key.key, certificate };
}

/** A certificate, DER or the first one in PEM, or why there is none. */
export function readCertificate(root: string, path: string): Certificate | NoKey {
  const read = readFile(root, path);
  if (read.kind === 'no-key') return read;
  const { bytes } = read;
  const der = bytes[0] === 0x30 ? bytes : pemOf(bytes, 'CERTIFICATE');
  if (der === undefined) return noKey(path, 'neither a certificate in DER nor one in PEM');
  return parseCertificate(der) ?? noKey(path, 'a damaged certificate');
}

/** A private key that can sign modules, or why there is none. */
export function readPrivateKey(
  root: string,
  path: string,
  passphrase?: string,
): { readonly kind: 'private-key'; readonly key: KeyObject } | NoKey {
  if (path.startsWith('pkcs11:'))
    return noKey(path, 'plugd cannot use keys of PKCS#11 tokens', "sign with the kernel's sign-file");
  const read = readFile(root, path);
  if (read.kind === 'no-key') return read;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: read.bytes, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    return faultOf(path, read.bytes, passphrase, error);
  }
  const type = key.asymmetricKeyType ?? 'unknown';
  return type === 'rsa' || type === 'ec'
    ? { kind: 'private-key', key }
    : noKey(path, `a key of kind ${type}, whose signatures the kernel does not verify`, 'use an RSA or EC key');
}

/** Whether a private key is that of the certificate; false for one whose kind of key this Node cannot use. */
export function belongsTo(key: KeyObject, certificate: Certificate): boolean {
  const expected = publicKeyOf(certificate);
  return expected !== undefined && createPublicKey(key).equals(expected);
}

function faultOf(path: string, bytes: Buffer, passphrase: string | undefined, error: unknown): NoKey {
  const code = fsCode(error);
  if (code === 'ERR_MISSING_PASSPHRASE' || (passphrase === undefined && /ENCRYPTED/.test(bytes.toString('latin1'))))
    return noKey(path, 'the key is encrypted', 'put its passphrase into the environment variable KBUILD_SIGN_PIN');
  if (passphrase !== undefined && /ENCRYPTED/.test(bytes.toString('latin1')))
    return noKey(path, 'the passphrase does not open the key', 'correct the environment variable KBUILD_SIGN_PIN');
  if (!/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(bytes.toString('latin1')))
    return noKey(path, 'no private key in PEM', 'convert it: openssl pkey -inform DER -in KEY -out KEY.pem');
  return noKey(path, 'a damaged private key');
}

/** The contents of the first block of that label; undefined when there is none. */
function pemOf(bytes: Buffer, label: string): Buffer | undefined {
  const text = bytes.toString('latin1');
  const begin = `-----BEGIN ${label}-----`;
  const start = text.indexOf(begin);
  const end = text.indexOf(`-----END ${label}-----`, start);
  return start < 0 || end < 0 ? undefined : Buffer.from(text.slice(start + begin.length, end), 'base64');
}

function readFile(root: string, path: string): { readonly kind: 'file'; readonly bytes: Buffer } | NoKey {
  const read = readRegularFile(root, path, LIMIT);
  if (read.kind === 'bytes') return { kind: 'file', bytes: read.bytes };
  return noKey(path, read.kind === 'absent' ? 'no such file' : read.why);
}

function noKey(path: string, why: string, remedy?: string): NoKey {
  return { kind: 'no-key', why: `${path}: ${why}`, remedy };
}
