/**
 * X.509 certificates in DER, as far as the signatures of modules need them. Pure but for the hash of a fingerprint; trusts nothing in
 * a certificate, and verifies none.
 *
 *     Certificate ::= { tbs, algorithm, signature BITS }
 *     tbs ::= { [0] version?, serial, algorithm, issuer, validity { from, to }, subject, key, [1]?, [2]?, [3] extensions? }
 *     extension ::= { OID, critical BOOLEAN?, OCTETS }
 *
 * Source: RFC 5280.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { derFirst, derInside, derOid, TAG, type DerValue } from '../facts/modfiles/der.ts';
import { commonName, unsigned } from '../facts/modfiles/signed-data.ts';

/** A certificate's parts. */
export interface Certificate {
  readonly kind: 'certificate';
  /** The certificate alone, without bytes that followed it. */
  readonly der: Buffer;
  /** The part that the issuer signed; lists of what is revoked have its hash. */
  readonly tbs: Buffer;
  /** The issuer's Name and the serial INTEGER in DER: together they name the certificate in a signature. */
  readonly issuer: Buffer;
  readonly serial: Buffer;
  /** The serial number's bytes, as a signature's key id and modinfo's sig_key have them. */
  readonly serialNumber: Buffer;
  /** The subject's Name in DER; its common name, or the last part of its name, latin1. */
  readonly subjectName: Buffer;
  readonly subject: string;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** The subject key identifier; undefined without that extension. */
  readonly keyIdentifier: Buffer | undefined;
  /** The subject's public key as SubjectPublicKeyInfo, and the object identifier of its algorithm. */
  readonly spki: Buffer;
  readonly algorithm: string;
  /** Whether it may issue certificates (basicConstraints CA:TRUE); false without that extension. */
  readonly authority: boolean;
  /** Bits of keyUsage from the first (digitalSignature) on, and the purposes of extendedKeyUsage; undefined without. */
  readonly usage: readonly boolean[] | undefined;
  readonly purposes: readonly string[] | undefined;
}

/** Object identifiers of extensions and purposes. */
export const EXTENSION = {
  keyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
export const PURPOSE = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  /** Modules only: shim starts no kernel that is signed with such a key. */
  moduleSigning: '1.3.6.1.4.1.2312.16.1.2',
} as const;

/** The certificate at the start of `bytes`; undefined when they are none. */
export function parseCertificate(bytes: Buffer): Certificate | undefined {
  const outer = derFirst(bytes);
  const [tbs, algorithm, signature] = derInside(outer, TAG.sequence) ?? [];
  const parts = derInside(tbs, TAG.sequence);
  if (outer === undefined || parts === undefined || algorithm === undefined || signature?.tag !== TAG.bits)
    return undefined;
  const [serial, , issuer, validity, subject, key] = parts[0]?.tag === TAG.context0 ? parts.slice(1) : parts;
  if (serial?.tag !== TAG.integer || serial.contents.length === 0) return undefined;
  if (issuer?.tag !== TAG.sequence || subject?.tag !== TAG.sequence || key?.tag !== TAG.sequence) return undefined;
  const times = derInside(validity, TAG.sequence);
  const extensions = extensionsOf(parts.find(({ tag }) => tag === TAG.context3));
  const identifier = derFirst(extensions.get(EXTENSION.keyIdentifier) ?? Buffer.alloc(0));
  return {
    kind: 'certificate',
    der: outer.whole,
    tbs: tbs?.whole ?? outer.whole,
    issuer: issuer.whole,
    serial: serial.whole,
    serialNumber: unsigned(serial.contents),
    subjectName: subject.whole,
    subject: commonName(subject),
    from: timeOf(times?.[0]),
    to: timeOf(times?.[1]),
    keyIdentifier: identifier?.tag === TAG.octets ? identifier.contents : undefined,
    spki: key.whole,
    algorithm: derOid(derInside(derInside(key, TAG.sequence)?.[0], TAG.sequence)?.[0]),
    ...usageOf(extensions),
  };
}

/** Its public key; undefined where this Node cannot use a key of that kind, or the key is damaged. */
export function publicKeyOf({ spki }: Certificate): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** SHA-256 of the whole certificate, in lower-case hexadecimal. */
export function fingerprintOf({ der }: Certificate): string {
  return createHash('sha256').update(der).digest('hex');
}

/** The contents of each extension's OCTETS by object identifier; of two with the same, the first counts. */
function extensionsOf(field: DerValue | undefined): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const extension of derInside(derInside(field, TAG.context3)?.[0], TAG.sequence) ?? []) {
    const parts = derInside(extension, TAG.sequence) ?? [];
    const oid = derOid(parts[0]);
    const value = parts.at(-1);
    if (oid !== '' && value?.tag === TAG.octets && !found.has(oid)) found.set(oid, value.contents);
  }
  return found;
}

function usageOf(extensions: ReadonlyMap<string, Buffer>): Pick<Certificate, 'authority' | 'usage' | 'purposes'> {
  const inside = (oid: string) => derFirst(extensions.get(oid) ?? Buffer.alloc(0));
  const [authority] = derInside(inside(EXTENSION.basicConstraints), TAG.sequence) ?? [];
  const bits = inside(EXTENSION.keyUsage);
  return {
    authority: authority?.tag === TAG.boolean && (authority.contents[0] ?? 0) !== 0,
    usage: bits?.tag === TAG.bits ? bitsOf(bits.contents) : undefined,
    purposes: derInside(inside(EXTENSION.extendedKeyUsage), TAG.sequence)?.map(derOid),
  };
}

/** The bits of a BIT STRING of at most two bytes, the first one first. */
function bitsOf(contents: Buffer): readonly boolean[] {
  return [...contents.subarray(1, 3)].flatMap((byte) =>
    [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((byte >> bit) & 1) === 1),
  );
}

/** UTCTime (years 1950 to 2049) or GeneralizedTime, to the second, UTC. */
function timeOf(value: DerValue | undefined): Date | undefined {
  const text = value?.contents.toString('latin1') ?? '';
  const short = value?.tag === TAG.utcTime;
  if (!short && value?.tag !== TAG.generalizedTime) return undefined;
  const century = short ? (Number(text.slice(0, 2)) >= 50 ? '19' : '20') : '';
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(century + text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((part) => Number(part ?? 0));
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second);
  return time;
}
