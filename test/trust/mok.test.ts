import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { parseCertificate } from '../../agent/trust/certificate.ts';
import { DKMS_SUBJECT, makeMok } from '../../agent/trust/mok.ts';

t.test('the certificate is one of its own key', (t) => {
  const { keyPem, certificateDer } = makeMok({ bits: 3072 });
  const certificate = new X509Certificate(certificateDer);
  t.ok(certificate.verify(certificate.publicKey), 'signed by itself');
  t.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 3072);
  t.equal(certificate.publicKey.asymmetricKeyDetails?.publicExponent, 65_537n);
  t.equal(certificate.subject, `CN=${DKMS_SUBJECT}`);
  t.equal(certificate.issuer, certificate.subject);
  t.match(keyPem, /^-----BEGIN PRIVATE KEY-----\n/, 'PKCS#8');
  t.end();
});

t.test('it is valid at once, by a clock that was some hours ahead, too', (t) => {
  const now = new Date('2026-01-01T10:00:00Z');
  const parsed = parseCertificate(makeMok({ now }).certificateDer);
  t.same(parsed?.from, new Date('2025-12-31T10:00:00Z'));
  t.same(parsed?.to, new Date(now.getTime() + 36_500 * 86_400_000), 'a hundred years');
  t.end();
});

const NAMES: Readonly<Record<string, readonly [string, string]>> = {
  'a plain name': ['x', 'x'],
  'a name that is too long is cut to 64 bytes': ['n'.repeat(70), 'n'.repeat(64)],
  'never inside a character': ['é'.repeat(33), 'é'.repeat(32)],
};
for (const [rule, [name, subject]] of Object.entries(NAMES)) {
  t.test(rule, (t) => {
    const parsed = parseCertificate(makeMok({ commonName: name }).certificateDer);
    t.equal(Buffer.from(parsed?.subject ?? '', 'latin1').toString(), subject);
    t.end();
  });
}

t.test('serial numbers differ and are positive', (t) => {
  const serials = Array.from(
    { length: 3 },
    () => parseCertificate(makeMok().certificateDer)?.serial ?? Buffer.alloc(0),
  );
  t.equal(new Set(serials.map((serial) => serial.toString('hex'))).size, 3);
  for (const serial of serials) t.ok((serial[2] ?? 0x80) < 0x80 && serial.length <= 22);
  t.end();
});
