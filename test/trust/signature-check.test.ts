import { createPrivateKey, generateKeyPairSync, createHash, sign, type KeyObject } from 'node:crypto';
import t from 'tap';
import { TAG } from '../../agent/facts/modfiles/der.ts';
import type { SignerInfo } from '../../agent/facts/modfiles/signed-data.ts';
import { parseCertificate, type Certificate } from '../../agent/trust/certificate.ts';
import { encode, encodeOid } from '../../agent/trust/der-writer.ts';
import { SIGNATURE_HASHES, signatureOf, signModule } from '../../agent/trust/module-signature.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { algorithmName, checkSignature, isSigner } from '../../agent/trust/signature-check.ts';

const image = Buffer.from('a module');
const mok = makeMok();
const key = createPrivateKey(mok.keyPem);
const certificate = parse(mok.certificateDer);
const other = parse(makeMok().certificateDer);

function parse(der: Buffer): Certificate {
  const found = parseCertificate(der);
  if (found === undefined) throw new Error('no certificate');
  return found;
}

function infoOf(signed: Buffer): SignerInfo {
  const found = signatureOf(signed);
  if (found?.kind !== 'signature' || found.info === undefined) throw new Error('no signature');
  return found.info;
}

/** The certificate with another key in it. */
function withKey({ publicKey }: { readonly publicKey: KeyObject }): Certificate {
  return { ...certificate, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

/** A signature of attributes that hold a hash. */
function withAttributes(digest: Buffer): SignerInfo {
  const attribute = encode(
    TAG.sequence,
    encodeOid('1.2.840.113549.1.9.4'),
    encode(TAG.set, encode(TAG.octets, digest)),
  );
  const attributes = encode(TAG.set, attribute);
  return { ...info, attributes, value: sign('sha256', attributes, key) };
}

const info = infoOf(signModule(image, { key, certificate: mok.certificateDer, hash: 'sha256' }));
const hashed = createHash('sha256').update(image).digest();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const byEc = infoOf(signModule(image, { key: ec.privateKey, certificate: mok.certificateDer, hash: 'sha384' }));

const CHECKS: Readonly<Record<string, readonly [SignerInfo, Certificate, Buffer, RegExp]>> = {
  'RSA over the module': [info, certificate, image, /^valid$/],
  'another module': [info, certificate, Buffer.from('a Module'), /^tampered: the signature does not fit the module$/],
  'another key': [info, other, image, /^tampered/],
  'ECDSA over the module': [byEc, withKey(ec), image, /^valid$/],
  'ECDSA over another': [byEc, withKey(ec), Buffer.alloc(0), /^tampered/],
  'ECDSA with an RSA key': [byEc, certificate, image, /^tampered: an ECDSA signature, and the key is not one$/],
  'signed attributes': [withAttributes(hashed), certificate, image, /^valid$/],
  'signed attributes of another module': [
    withAttributes(hashed),
    certificate,
    Buffer.alloc(1),
    /^tampered: the module has another hash$/,
  ],
  'signed attributes that were changed': [
    { ...withAttributes(hashed), value: info.value },
    certificate,
    image,
    /^tampered: the signature does not fit/,
  ],
  'signed attributes without a hash': [
    { ...info, attributes: encode(TAG.set) },
    certificate,
    image,
    /^tampered: its signed attributes lack/,
  ],
  'a hash that Node lacks': [{ ...info, hash: 'sm3' }, certificate, image, /^unsupported: .*sm3/],
  'ML-DSA': [{ ...info, algorithm: '2.16.840.1.101.3.4.3.18' }, certificate, image, /^unsupported: .*ML-DSA-65/],
  SM2: [{ ...info, algorithm: '1.2.156.10197.1.501' }, certificate, image, /^unsupported: .*SM2/],
  'a key that is none': [
    info,
    { ...certificate, spki: Buffer.alloc(9) },
    image,
    /^unsupported: plugd cannot use the key/,
  ],
  'a signature of no bytes': [{ ...info, value: Buffer.alloc(0) }, certificate, image, /^tampered/],
};
for (const [rule, [signer, by, contents, expected]] of Object.entries(CHECKS)) {
  t.test(rule, (t) => {
    const check = checkSignature(contents, signer, by);
    t.match(check.kind === 'valid' ? 'valid' : `${check.kind}: ${check.why}`, expected);
    t.end();
  });
}

t.test('every hash that plugd signs with, it verifies', (t) => {
  for (const hash of SIGNATURE_HASHES) {
    const signed = infoOf(signModule(image, { key, certificate: mok.certificateDer, hash }));
    t.equal(checkSignature(image, signed, certificate).kind, 'valid', hash);
    const byCurve = infoOf(signModule(image, { key: ec.privateKey, certificate: mok.certificateDer, hash }));
    t.equal(algorithmName(byCurve.algorithm), 'ECDSA', hash);
    t.equal(checkSignature(image, byCurve, withKey(ec)).kind, 'valid', `ECDSA with ${hash}`);
  }
  t.end();
});

t.test('the signer is found by issuer and serial, or by the key identifier', (t) => {
  const named = infoOf(signModule(image, { key, certificate: mok.certificateDer, hash: 'sha256', keyId: true }));
  t.ok(isSigner(certificate, info) && isSigner(certificate, named));
  t.notOk(isSigner(other, info) || isSigner(other, named));
  t.notOk(isSigner({ ...certificate, issuer: Buffer.alloc(2) }, info), 'the serial alone is not enough');
  t.notOk(isSigner({ ...certificate, keyIdentifier: undefined }, named));
  t.end();
});
