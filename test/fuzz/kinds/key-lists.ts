/** Lists of keys in EFI variables, and the certificates in them, in files, and in a kernel's image. */
import { parseSignatureLists, signatureListOf } from '../../../agent/facts/efi/signature-list.ts';
import { certificatesIn } from '../../../agent/trust/certificate-search.ts';
import { fingerprintOf, parseCertificate, publicKeyOf } from '../../../agent/trust/certificate.ts';
import { certificatesOf } from '../../../agent/trust/known-certificates.ts';
import { check, type FuzzKind } from '../kind.ts';

const OWNER = '605dab50-e046-4300-abb6-3dd810dd8b23';
/** An EC key's, which may sign code. The inputs of a seed are the same each time, so it is not made here. */
const CERTIFICATE = Buffer.from(
  [
    'MIIBvjCCAWWgAwIBAgIUeLxBnCFb4FLV4mRwqaW2e7AMn5cwCgYIKoZIzj0EAwIwJDENMAsGA1UECgwERnV6ejETMBEGA1UE',
    'AwwKTW9kdWxlIGtleTAeFw0yNjExMjgxMjEwMTBaFw0zNjExMjUxMjEwMTBaMCQxDTALBgNVBAoMBEZ1enoxEzARBgNVBAMM',
    'Ck1vZHVsZSBrZXkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARmB3rOrP2yaYF3n6behGmIdyzuNa5hUiDaEi3p1tJhsvUQ',
    'w78q93UBYf7UG1LCe+GJOENfEN2edQCcmL3PZ3ujo3UwczAdBgNVHQ4EFgQUFcEtPc5bNmuHIL8ZTk4Tt6L+6/swHwYDVR0j',
    'BBgwFoAUFcEtPc5bNmuHIL8ZTk4Tt6L+6/swDwYDVR0TAQH/BAUwAwEB/zALBgNVHQ8EBAMCB4AwEwYDVR0lBAwwCgYIKwYB',
    'BQUHAwMwCgYIKoZIzj0EAwIDRwAwRAIgYCOodpRSdq0Ns5VS+besMpf3cJnKXIIVmfRSt1XrfSsCIFF0mHz0yE99hO+agSR1',
    'Q4yV0lVt0qjwNOg2+xg9Rj8A',
  ].join(''),
  'base64',
);
const CERTIFICATES = [CERTIFICATE, CERTIFICATE];

/** Lists of keys and certificates. */
export const kind: FuzzKind = {
  samples: [signatureListOf(CERTIFICATES, OWNER), CERTIFICATE, Buffer.concat([Buffer.alloc(64), ...CERTIFICATES])],
  words: [
    Buffer.from('a159c0a5e494a74a87b5ab155c2bf072', 'hex'),
    Buffer.from('2616c4c14c509240aca941f936934328', 'hex'),
    Buffer.from('a003020102', 'hex'),
    Buffer.from('30820400', 'hex'),
    Buffer.from('0603551d25', 'hex'),
    Buffer.from('0603551d0f', 'hex'),
    Buffer.from('ffffffff', 'hex'),
    Buffer.from('00000000', 'hex'),
  ],
  read: (input) => {
    const { entries } = parseSignatureLists(input);
    const size = entries.reduce((sum, { data }) => sum + data.length, 0);
    check(size <= input.length, 'entries larger than the variable');
    const found = [...certificatesOf(input), ...certificatesIn(input)];
    const alone = parseCertificate(input);
    for (const certificate of alone === undefined ? found : [...found, alone]) {
      check(certificate.der.length <= input.length, 'a certificate larger than its file');
      check((certificate.usage?.length ?? 0) <= 16, 'more uses than there are');
      publicKeyOf(certificate);
      fingerprintOf(certificate);
    }
  },
};
