/**
 * The certificates that a machine has, and where each comes from: the firmware's db, shim's list of machine owner keys, the kernel's image,
 * files that DKMS, Ubuntu and akmods keep. Reads only.
 */
import type { Host } from '../base/host.ts';
import { readEfiVariable, readShimList } from '../facts/efi/efi-variables.ts';
import { parseSignatureLists } from '../facts/efi/signature-list.ts';
import { readKernelBytes } from '../facts/kernel/kernel-image.ts';
import { certificatesIn } from './certificate-search.ts';
import { parseCertificate, type Certificate } from './certificate.ts';
import { readCertificate } from './signing-key.ts';

/** Where a certificate comes from; `file` is one that was named, or that a signing tool keeps. */
export type CertificateSource = 'kernel' | 'mok' | 'firmware' | 'file';

/** A certificate and where it is: `MokListRT`, `db`, `/boot/vmlinuz-6.1.0-56-amd64`, `/var/lib/dkms/mok.pub`. */
export interface KnownCertificate {
  readonly source: CertificateSource;
  readonly place: string;
  readonly certificate: Certificate;
}

/** A key and its certificate as signing tools keep them; `tool` says which. */
export interface SigningFiles {
  readonly tool: string;
  readonly key: string;
  readonly certificate: string;
}

/** Where the tools of distributions keep the keys that they sign modules with. */
export const SIGNING_FILES: readonly SigningFiles[] = [
  { tool: 'DKMS', key: '/var/lib/dkms/mok.key', certificate: '/var/lib/dkms/mok.pub' },
  { tool: 'shim-signed', key: '/var/lib/shim-signed/mok/MOK.priv', certificate: '/var/lib/shim-signed/mok/MOK.der' },
  {
    tool: 'akmods',
    key: '/etc/pki/akmods/private/private_key.priv',
    certificate: '/etc/pki/akmods/certs/public_key.der',
  },
];

/** The certificates in one of the lists of shim or the firmware; empty when it is not there. */
export function certificatesOf(value: Buffer | undefined): readonly Certificate[] {
  return parseSignatureLists(value ?? Buffer.alloc(0)).entries.flatMap(({ type, data }) => {
    const certificate = type === 'x509' ? parseCertificate(data) : undefined;
    return certificate === undefined ? [] : [certificate];
  });
}

/** What can be had at once: shim's list, the firmware's, the files of signing tools. */
export function readKnownCertificates(host: Host): readonly KnownCertificate[] {
  return [
    ...known('mok', 'MokListRT', certificatesOf(readShimList(host, 'MokListRT'))),
    ...known('firmware', 'db', certificatesOf(readEfiVariable(host, 'database', 'db'))),
    ...SIGNING_FILES.flatMap(({ certificate: path }) => {
      const read = readCertificate(host.root, `${host.root}${path}`);
      return read.kind === 'certificate' ? known('file', path, [read]) : [];
    }),
  ];
}

/** The certificates in the kernel's image, which takes a second or more; empty when no image can be read. */
export function readKernelCertificates(host: Host): readonly KnownCertificate[] {
  const read = readKernelBytes(host);
  if (read === undefined) return [];
  const place = read.file.slice(host.root.length);
  return known('kernel', place, certificatesIn(read.image));
}

function known(source: CertificateSource, place: string, list: readonly Certificate[]): readonly KnownCertificate[] {
  return list.map((certificate) => ({ source, place, certificate }));
}
