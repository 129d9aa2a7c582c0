import { createPrivateKey } from 'node:crypto';
import t from 'tap';
import { TAG } from '../../agent/facts/modfiles/der.ts';
import { fingerprintOf, parseCertificate, publicKeyOf, PURPOSE } from '../../agent/trust/certificate.ts';
import { encode, encodeInteger } from '../../agent/trust/der-writer.ts';
import { makeMok } from '../../agent/trust/mok.ts';

const now = new Date('2026-03-04T05:06:07Z');
const modules = makeMok({ commonName: 'Für Module', days: 30_000, now });
const dkms = makeMok({ form: 'dkms', now, days: 10 });

t.test('the parts of a certificate', (t) => {
  const found = parseCertificate(Buffer.concat([modules.certificateDer, Buffer.from('\n')]));
  t.match(found, {
    kind: 'certificate',
    der: modules.certificateDer,
    subject: Buffer.from('Für Module').toString('latin1'),
    from: new Date('2026-03-03T05:06:07Z'),
    to: new Date(now.getTime() + 30_000 * 86_400_000),
    algorithm: '1.2.840.113549.1.1.1',
    authority: false,
    purposes: [PURPOSE.codeSigning, PURPOSE.moduleSigning],
  });
  t.equal(found?.usage?.indexOf(true), 0, 'digitalSignature');
  t.equal(found?.usage?.lastIndexOf(true), 0, 'and nothing else');
  t.equal(found?.keyIdentifier?.length, 20);
  t.ok(found !== undefined && publicKeyOf(found)?.asymmetricKeyType === 'rsa');
  t.equal(found === undefined ? 0 : fingerprintOf(found).length, 64);
  const other = parseCertificate(dkms.certificateDer);
  t.match(other, { authority: true, usage: undefined, purposes: [PURPOSE.codeSigning] });
  t.end();
});

t.test('what is no certificate is none, whatever byte is missing', (t) => {
  const whole = modules.certificateDer;
  for (let length = 0; length < whole.length; length++) {
    if (parseCertificate(whole.subarray(0, length)) !== undefined) t.fail(`${length} bytes`);
  }
  t.equal(parseCertificate(encode(TAG.sequence, encodeInteger(1))), undefined);
  t.equal(parseCertificate(createPrivateKey(modules.keyPem).export({ type: 'pkcs8', format: 'der' })), undefined);
  t.end();
});

t.test('a byte that changes anywhere is survived', (t) => {
  let parsed = 0;
  for (let at = 0; at < modules.certificateDer.length; at++) {
    for (const byte of [0, 0x80, 0xff]) {
      const copy = Buffer.from(modules.certificateDer);
      copy[at] = byte;
      const found = parseCertificate(copy);
      if (found !== undefined) parsed++;
      if (found !== undefined) publicKeyOf(found);
    }
  }
  t.ok(parsed > 0);
  t.end();
});
