import { createPrivateKey, generateKeyPairSync, verify, createPublicKey } from 'node:crypto';
import t from 'tap';
import { parseCertificate } from '../../agent/trust/certificate.ts';
import {
  appendSignature,
  signatureHash,
  signatureOf,
  signModule,
  stripSignature,
} from '../../agent/trust/module-signature.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const image = moduleImage({ modinfo: ['license=GPL'] });
const mok = makeMok({ commonName: 'A Key' });
const key = createPrivateKey(mok.keyPem);
const certificate = mok.certificateDer;
const parsed = parseCertificate(certificate);

t.test('a signature names its certificate by issuer and serial, or by its key id', (t) => {
  const signed = signModule(image, { key, certificate, hash: 'sha512' });
  t.ok(signed.subarray(0, image.length).equals(image), 'it is appended');
  t.match(signatureOf(signed), { kind: 'signature', signer: 'A Key', hash: 'sha512', keyId: parsed?.serialNumber });
  const named = signModule(image, { key, certificate, hash: 'sha1', keyId: true });
  t.match(signatureOf(named), { kind: 'signature', signer: '', hash: 'sha1', keyId: parsed?.keyIdentifier });
  t.end();
});

t.test("it is the key's signature of the module's bytes alone", (t) => {
  const found = signatureOf(signModule(image, { key, certificate, hash: 'sha256' }));
  t.ok(found?.kind === 'signature' && verify('sha256', image, createPublicKey(key), found.value));
  t.end();
});

t.test('what cannot be signed with', (t) => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  t.throws(() => signModule(image, { key: ed25519, certificate, hash: 'sha256' }), { code: 'unsupported' });
  t.throws(() => signModule(image, { key, certificate: Buffer.from('x'), hash: 'sha256' }), { code: 'unsupported' });
  t.end();
});

t.test('hashes by name', (t) => {
  t.equal(signatureHash('SHA256'), 'sha256');
  t.equal(signatureHash('sha3-512'), 'sha3-512');
  t.equal(signatureHash('md5'), undefined);
  t.equal(signatureHash('toString'), undefined);
  t.end();
});

const once = signModule(image, { key, certificate, hash: 'sha256' });
const MARK = Buffer.from('~Module signature appended~\n');
const STRIPPED: Readonly<Record<string, readonly [Buffer, Buffer, number, RegExp | undefined]>> = {
  'no signature': [image, image, 0, undefined],
  'one signature': [once, image, 1, undefined],
  'signed twice, both come off': [signModule(once, { key, certificate, hash: 'sha256' }), image, 2, undefined],
  'a signature that is no CMS': [appendSignature(image, Buffer.from('nonsense')), image, 1, undefined],
  'a length beyond the file: nothing comes off': [
    Buffer.concat([image, Buffer.alloc(12, 0xff), MARK]),
    Buffer.concat([image, Buffer.alloc(12, 0xff), MARK]),
    0,
    /exceeds the file/,
  ],
  'nothing but the mark': [MARK, MARK, 0, /before the mark/],
  'an empty file': [Buffer.alloc(0), Buffer.alloc(0), 0, undefined],
};

for (const [rule, [given, rest, signatures, damaged]] of Object.entries(STRIPPED)) {
  t.test(`stripping: ${rule}`, (t) => {
    const stripped = stripSignature(given);
    t.ok(stripped.image.equals(rest));
    t.equal(stripped.signatures, signatures);
    t.match(stripped.damaged, damaged);
    t.end();
  });
}

t.test('stripping ends, however many signatures there are', (t) => {
  const none = appendSignature(Buffer.alloc(0), Buffer.alloc(0));
  const many = Buffer.concat(Array.from({ length: 100 }, () => none));
  t.match(stripSignature(many), { signatures: 64, damaged: /too many/ });
  t.end();
});
