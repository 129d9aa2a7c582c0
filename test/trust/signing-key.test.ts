import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeMok } from '../../agent/trust/mok.ts';
import { readCertificate, readSigningKey } from '../../agent/trust/signing-key.ts';

const folder = t.testdir({});
const at = (name: string) => join(folder, name);
const mok = makeMok({ commonName: 'One' });
const other = makeMok({ commonName: 'Two' });
const pem = (der: Buffer) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
const key = createPrivateKey(mok.keyPem);

writeFileSync(at('key'), mok.keyPem);
writeFileSync(at('pkcs1'), key.export({ type: 'pkcs1', format: 'pem' }));
writeFileSync(at('locked'), key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pin' }));
writeFileSync(at('key.der'), key.export({ type: 'pkcs8', format: 'der' }));
writeFileSync(at('broken'), mok.keyPem.replace(/\n.{40}/, '\nAAAA'));
writeFileSync(at('ed25519'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
writeFileSync(at('der'), mok.certificateDer);
writeFileSync(at('pem'), `Some words.\n${pem(mok.certificateDer)}${pem(other.certificateDer)}`);
writeFileSync(at('both'), pem(mok.certificateDer) + mok.keyPem);
writeFileSync(at('other'), other.certificateDer);
writeFileSync(at('cut'), mok.certificateDer.subarray(0, 300));
writeFileSync(at('text'), 'nothing\n');
writeFileSync(at('empty'), '');
mkdirSync(at('folder'));

const CASES: Readonly<
  Record<string, readonly [key: string, certificate: string, pin: string | undefined, RegExp | 'key']>
> = {
  'PKCS#8 and DER': ['key', 'der', undefined, 'key'],
  'PKCS#1 and the first certificate in PEM': ['pkcs1', 'pem', undefined, 'key'],
  'one file for both': ['both', 'both', undefined, 'key'],
  'a passphrase': ['locked', 'der', 'pin', 'key'],
  'a passphrase that is not needed': ['key', 'der', 'pin', 'key'],
  'no passphrase': ['locked', 'der', undefined, /locked: the key is encrypted$/],
  'a wrong passphrase': ['locked', 'der', 'nip', /locked: the passphrase does not open the key$/],
  'no key file': ['none', 'der', undefined, /none: no such file$/],
  'a folder': ['folder', 'der', undefined, /folder: a directory, not a file$/],
  'a key in DER': ['key.der', 'der', undefined, /key\.der: no private key in PEM$/],
  'a certificate where the key should be': ['der', 'der', undefined, /der: no private key in PEM$/],
  'a damaged key': ['broken', 'der', undefined, /broken: a damaged private key$/],
  'an empty file': ['empty', 'der', undefined, /empty: no private key in PEM$/],
  'a key the kernel has no use for': ['ed25519', 'der', undefined, /ed25519: a key of kind ed25519/],
  'no certificate file': ['key', 'none', undefined, /none: no such file$/],
  'a key where the certificate should be': [
    'key',
    'key',
    undefined,
    /key: neither a certificate in DER nor one in PEM$/,
  ],
  'a cut certificate': ['key', 'cut', undefined, /cut: a damaged certificate$/],
  text: ['key', 'text', undefined, /text: neither a certificate/],
  "another key's certificate": ['key', 'other', undefined, /other: the certificate is of another key than .*key$/],
  'a token': ['pkcs11:token=x', 'der', undefined, /pkcs11:token=x: plugd cannot use keys of PKCS#11/],
};

for (const [rule, [keyName, certificate, passphrase, expected]] of Object.entries(CASES)) {
  t.test(rule, (t) => {
    const place = keyName.startsWith('pkcs11:') ? keyName : at(keyName);
    const read = readSigningKey({ key: place, certificate: at(certificate), passphrase });
    if (expected === 'key') t.match(read, { kind: 'key', certificate: { subject: 'One' } });
    else t.match(read, { kind: 'no-key', why: expected });
    t.end();
  });
}

t.test('a certificate of another root', (t) => {
  t.match(readCertificate(folder, at('der')), { kind: 'certificate' });
  t.end();
});
