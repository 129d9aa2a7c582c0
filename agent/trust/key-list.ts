/** The keys that a machine knows, each once, with all the places that have it: keyrings, EFI variables, files, the kernel's image. */
import type { Host } from '../base/host.ts';
import { readShimList } from '../facts/efi/efi-variables.ts';
import type { KeyringName } from '../facts/kernel/keyring.ts';
import { statInRoot } from '../base/root.ts';
import type { Certificate } from './certificate.ts';
import {
  certificatesOf,
  readKernelCertificates,
  readKnownCertificates,
  SIGNING_FILES,
  type CertificateSource,
} from './known-certificates.ts';
import { readRevocations, revocationsOf } from './revocation.ts';
import { kernelId, trustOf, type Trust, type TrustFacts } from './trust.ts';

/** A key. `subject` is latin1. */
export interface ListedKey {
  readonly subject: string;
  /** What the kernel calls it: the subject key identifier, else the serial number; hexadecimal. */
  readonly id: string;
  /** Undefined where only a keyring has the key: it does not show certificates. */
  readonly certificate: Certificate | undefined;
  /** The keyrings that have it, as far as they can be read. */
  readonly rings: readonly KeyringName[];
  /** Where its certificate is: `db`, `MokListRT`, a file. */
  readonly places: readonly string[];
  readonly trust: Trust;
  /** The lists that revoke it: `dbx`, `MokListXRT`. Few kernels look there for modules' keys. */
  readonly revokedBy: readonly string[];
  /** shim will ask at the next boot whether to enrol or delete it. */
  readonly waits: 'enroll' | 'delete' | undefined;
  /** The file of its private key, if that is on this machine. */
  readonly privateKey: string | undefined;
}

interface Found {
  readonly certificate: Certificate;
  readonly places: string[];
  readonly sources: CertificateSource[];
}

/** All keys of the host: those that vouch for modules first. The kernel's image takes a second; without `image` it is not read. */
export function listKeys(host: Host, facts: TrustFacts, options: { readonly image: boolean }): readonly ListedKey[] {
  const found = new Map<string, Found>();
  const note = (certificate: Certificate, place: string, source?: CertificateSource) => {
    const name = certificate.der.toString('latin1');
    const entry = found.get(name) ?? { certificate, places: [], sources: [] };
    found.set(name, entry);
    if (!entry.places.includes(place)) entry.places.push(place);
    if (source !== undefined) entry.sources.push(source);
  };
  const known = [...(options.image ? readKernelCertificates(host) : []), ...readKnownCertificates(host)];
  for (const { certificate, place, source } of known) note(certificate, place, source);
  const [coming, going] = ['MokNew', 'MokDel'].map((name) => certificatesOf(readShimList(host, name)));
  for (const certificate of coming ?? []) note(certificate, 'MokNew');
  const revocations = readRevocations(host);
  const listed = [...found.values()].map(({ certificate, places, sources }): ListedKey => {
    const isIn = (list: readonly Certificate[] | undefined) =>
      list?.some(({ der }) => der.equals(certificate.der)) ?? false;
    return {
      subject: certificate.subject,
      id: kernelId(certificate),
      certificate,
      rings: facts.keyrings
        .filter(({ keys }) => keys?.some(({ id }) => id === kernelId(certificate)))
        .map(({ name }) => name),
      places,
      trust: trustOf(certificate, sources, facts),
      revokedBy: revocationsOf(certificate, revocations),
      waits: isIn(coming) ? 'enroll' : isIn(going) ? 'delete' : undefined,
      privateKey: privateKeyOf(host, places),
    };
  });
  return [...listed, ...bareKeys(facts, listed)].toSorted((a, b) => rank(a) - rank(b));
}

/** Keys of the keyrings whose certificates are nowhere to be found. */
function bareKeys({ keyrings, vouching }: TrustFacts, known: readonly ListedKey[]): readonly ListedKey[] {
  const ids = new Set(known.map(({ id }) => id));
  const bare = new Map<string, ListedKey>();
  for (const { name, keys } of keyrings) {
    for (const { subject, id } of keys ?? []) {
      if (ids.has(id)) continue;
      const rings = [...(bare.get(id)?.rings ?? []), name];
      const ring = rings.find((one) => vouching.has(one));
      const trust: Trust =
        ring === undefined ? { kind: 'untrusted', why: `it is in ${name} only` } : { kind: 'trusted', ring };
      bare.set(id, {
        subject,
        id,
        certificate: undefined,
        rings,
        places: [],
        trust,
        revokedBy: [],
        waits: undefined,
        privateKey: undefined,
      });
    }
  }
  return [...bare.values()];
}

function privateKeyOf({ root }: Host, places: readonly string[]): string | undefined {
  const files = SIGNING_FILES.find(({ certificate }) => places.includes(certificate));
  return files !== undefined && statInRoot(root, `${root}${files.key}`)?.isFile() === true ? files.key : undefined;
}

function rank({ trust, waits }: ListedKey): number {
  return trust.kind === 'trusted' ? 0 : waits === undefined ? 2 : 1;
}
