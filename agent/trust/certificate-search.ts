/** Finds X.509 certificates in other bytes: in a kernel's image, which holds those that its builder trusts. */
import { parseCertificate, type Certificate } from './certificate.ts';

/** The version of every certificate with extensions, `[0] { INTEGER 2 }`, comes 8 bytes after its start: two headers `30 82 LL LL`. */
const VERSION = Buffer.from([0xa0, 0x03, 0x02, 0x01, 0x02]);
const HEADERS = 8;
/** Real kernels have below 20. */
const MOST_CERTIFICATES = 256;
/** More than any certificate has. */
const MOST_BYTES = 1 << 14;

/** The certificates in `bytes`, each once, in their order; those of more than 16 KiB or of version 1 are not found. */
export function certificatesIn(bytes: Buffer): readonly Certificate[] {
  const found = new Map<string, Certificate>();
  for (
    let at = bytes.indexOf(VERSION);
    at >= 0 && found.size < MOST_CERTIFICATES;
    at = bytes.indexOf(VERSION, at + 1)
  ) {
    const start = at - HEADERS;
    if (start < 0 || bytes[start] !== 0x30 || bytes[start + 1] !== 0x82) continue;
    const certificate = parseCertificate(bytes.subarray(start, start + MOST_BYTES));
    if (certificate !== undefined) found.set(certificate.der.toString('latin1'), certificate);
  }
  return [...found.values()];
}
