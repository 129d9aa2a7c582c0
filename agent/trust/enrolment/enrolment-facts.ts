/** What enrolmentOf decides by, of this machine. Reads only. */
import type { Host } from '../../base/host.ts';
import { readShimList } from '../../facts/efi/efi-variables.ts';
import { readKeyrings } from '../../facts/kernel/keyring.ts';
import { isLockedDown, readLockdown, readSecureBoot, readSignatureEnforcement } from '../../facts/kernel/lockdown.ts';
import type { Certificate } from '../certificate.ts';
import type { EnrolmentFacts } from './enrolment.ts';
import { readRevocations, revocationsOf } from '../revocation.ts';
import { certificatesOf, readKnownCertificates } from '../known-certificates.ts';
import { mokFiles, type MokPlaces } from '../mok-files.ts';
import { readCertificate } from '../signing-key.ts';
import { trustOf } from '../trust.ts';
import { vouchingRings } from '../vouching.ts';

/** The facts about the key at `places`, on the running machine: `readEnrolmentFacts(host, DKMS_MOK)`. */
export function readEnrolmentFacts(host: Host, places: MokPlaces): EnrolmentFacts {
  const read = readCertificate('', places.certificate);
  const certificate = read.kind === 'certificate' ? read : undefined;
  const lockdown = readLockdown(host);
  const signature = readSignatureEnforcement(host);
  const isIn = (list: string) =>
    certificate !== undefined &&
    certificatesOf(readShimList(host, list)).some(({ der }) => der.equals(certificate.der));
  return {
    files: mokFiles(places),
    certificate,
    enforced:
      signature === true || isLockedDown(lockdown)
        ? true
        : signature === undefined && lockdown === undefined
          ? undefined
          : false,
    secureBoot: readSecureBoot(host),
    trust: certificate === undefined ? undefined : trustHere(host, certificate),
    enrolled: isIn('MokListRT'),
    waitsToCome: isIn('MokNew'),
    waitsToGo: isIn('MokDel'),
    revokedBy: certificate === undefined ? undefined : revocationsOf(certificate, readRevocations(host))[0],
  };
}

function trustHere(host: Host, certificate: Certificate): ReturnType<typeof trustOf> {
  const sources = readKnownCertificates(host)
    .filter((known) => known.certificate.der.equals(certificate.der))
    .map(({ source }) => source);
  return trustOf(certificate, sources, { keyrings: readKeyrings(host), vouching: vouchingRings(host) });
}
