/** Which certificates the firmware and shim revoke: dbx, MokListX. Few kernels look there for modules' keys. Reads only. */
import { createHash } from 'node:crypto';
import type { Host } from '../base/host.ts';
import { readEfiVariable, readShimList } from '../facts/efi/efi-variables.ts';
import { parseSignatureLists, type SignatureEntry } from '../facts/efi/signature-list.ts';
import type { Certificate } from './certificate.ts';

/** A list of what is revoked. */
export interface Revocation {
  readonly name: string;
  readonly entries: readonly SignatureEntry[];
}

/** The firmware's list and shim's. */
export function readRevocations(host: Host): readonly Revocation[] {
  const lists = [
    ['dbx', readEfiVariable(host, 'database', 'dbx')],
    ['MokListXRT', readShimList(host, 'MokListXRT')],
  ] as const;
  return lists.map(([name, value]) => ({ name, entries: parseSignatureLists(value ?? Buffer.alloc(0)).entries }));
}

/** The names of the lists that revoke a certificate. */
export function revocationsOf(certificate: Certificate, lists: readonly Revocation[]): readonly string[] {
  return lists.filter(({ entries }) => isRevoked(certificate, entries)).map(({ name }) => name);
}

/** By the whole certificate, or by the hash of the part that is signed, which a time may follow. */
function isRevoked({ der, tbs }: Certificate, entries: readonly SignatureEntry[]): boolean {
  const hash = createHash('sha256').update(tbs).digest();
  return entries.some(({ type, data }) =>
    type === 'x509' ? data.equals(der) : type === 'x509-sha256' && data.subarray(0, hash.length).equals(hash),
  );
}
