/** Signatures against Debian's sign-file, and `openssl cms` as a second judge; keys and certificates as openssl makes them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readSigningKey } from '../../../agent/trust/signing-key.ts';
import {
  detachedSignature,
  SIGNATURE_HASHES,
  signatureOf,
  signModule,
  stripSignature,
} from '../../../agent/trust/module-signature.ts';
import { makeMok } from '../../../agent/trust/mok.ts';
import { debianFiles, needCommands } from '../../fixtures/debian.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

t.setTimeout(600_000);

const kbuild = await debianFiles(['linux-kbuild-6.1'], 'amd64');
const tools = await needCommands(['openssl']);
const skip = kbuild.kind === 'missing' ? kbuild.sentence : tools.kind === 'missing' ? tools.sentence : false;
const signFile = kbuild.kind === 'ready' ? join(kbuild.root, 'usr/lib/linux-kbuild-6.1/scripts/sign-file') : '';
const folder = t.testdir({});
const at = (name: string) => join(folder, name);
const openssl = (...words: string[]) =>
  execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const image = moduleImage({ modinfo: ['license=GPL'] });

/** A key and certificate of openssl's, by the words of its -newkey. */
function makeKey(name: string, ...kind: string[]): { key: string; certificate: string } {
  openssl(
    'req',
    '-new',
    '-x509',
    '-nodes',
    '-days',
    '9',
    '-subj',
    `/O=Test/CN=${name}`,
    '-newkey',
    ...kind,
    '-keyout',
    `${name}.key`,
    '-outform',
    'DER',
    '-out',
    `${name}.der`,
  );
  return { key: at(`${name}.key`), certificate: at(`${name}.der`) };
}

function signing(places: { key: string; certificate: string }) {
  const read = readSigningKey(places);
  if (read.kind === 'no-key') throw new Error(read.why);
  return { key: read.key, certificate: read.certificate.der };
}

/** What sign-file makes of the image. */
function bySignFile(hash: string, places: { key: string; certificate: string }, ...options: string[]): Buffer {
  writeFileSync(at('in.ko'), image);
  execFileSync(signFile, [...options, hash, places.key, places.certificate, at('in.ko'), at('out.ko')]);
  return readFileSync(at('out.ko'));
}

/** Whether `openssl cms` accepts the signature over the image. */
function accepted(signed: Buffer, certificate: string): boolean {
  const found = signatureOf(signed);
  if (found?.kind !== 'signature') return false;
  writeFileSync(at('contents'), image);
  writeFileSync(at('cms'), signed.subarray(image.length, signed.length - 40));
  openssl('x509', '-inform', 'DER', '-in', certificate, '-out', 'judge.pem');
  openssl(
    'cms',
    '-verify',
    '-binary',
    '-noverify',
    '-nointern',
    '-inform',
    'DER',
    '-in',
    'cms',
    '-content',
    'contents',
    '-certfile',
    'judge.pem',
    '-out',
    'verified',
  );
  return readFileSync(at('verified')).equals(image);
}

t.test('RSA: the bytes of sign-file', { skip }, (t) => {
  for (const bits of [2048, 4096]) {
    const places = makeKey(`rsa${bits}`, `rsa:${bits}`);
    for (const hash of bits === 2048 ? SIGNATURE_HASHES : (['sha512'] as const)) {
      const signed = signModule(image, { ...signing(places), hash });
      t.ok(signed.equals(bySignFile(hash, places)), `${bits} bits, ${hash}`);
      const named = signModule(image, { ...signing(places), hash, keyId: true });
      t.ok(named.equals(bySignFile(hash, places, '-k')), `${bits} bits, ${hash}, by key id`);
      t.ok(accepted(signed, places.certificate) && accepted(named, places.certificate), `openssl accepts ${hash}`);
      t.ok(stripSignature(bySignFile(hash, places)).image.equals(image), 'what sign-file appended comes off');
    }
  }
  t.end();
});

t.test('RSA: the bytes of openssl cms', { skip }, (t) => {
  const places = makeKey('cms', 'rsa:2048');
  writeFileSync(at('in.ko'), image);
  openssl('x509', '-inform', 'DER', '-in', places.certificate, '-out', 'cms.pem');
  const how = ['-binary', '-noattr', '-nosmimecap', '-nocerts', '-md', 'sha384', '-outform', 'DER'];
  openssl('cms', '-sign', ...how, '-in', 'in.ko', '-signer', 'cms.pem', '-inkey', places.key, '-out', 'out.p7s');
  t.ok(detachedSignature(image, { ...signing(places), hash: 'sha384' }).equals(readFileSync(at('out.p7s'))));
  t.end();
});

t.test('ECDSA: the structure of sign-file, and a signature that openssl accepts', { skip }, (t) => {
  // The signature itself, which is random, replaced by its tag.
  const shape = (signed: Buffer): string => {
    const found = signatureOf(signed);
    if (found?.kind !== 'signature') return 'none';
    writeFileSync(at('shape'), signed.subarray(image.length, signed.length - 40));
    return openssl('asn1parse', '-inform', 'DER', '-in', 'shape')
      .split('\n')
      .map((line) => line.replace(/^ *\d+:(d=\d+) +hl=\d +l= *\d+ /, '$1 ').replace(/(OCTET STRING).*/, '$1'))
      .join('\n');
  };
  for (const curve of ['prime256v1', 'secp384r1']) {
    const places = makeKey(curve, 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`);
    // OpenSSL 3.0 makes no ECDSA with SHA-3 in CMS.
    for (const hash of SIGNATURE_HASHES.filter((name) => !name.startsWith('sha3'))) {
      for (const options of [[], ['-k']]) {
        const signed = signModule(image, { ...signing(places), hash, keyId: options.length > 0 });
        t.equal(shape(signed), shape(bySignFile(hash, places, ...options)), `${curve}, ${hash} ${options.join('')}`);
        t.ok(accepted(signed, places.certificate), `openssl accepts ${curve}, ${hash} ${options.join('')}`);
      }
    }
  }
  t.end();
});

t.test('every form of a key and certificate that sign-file reads', { skip }, (t) => {
  const places = makeKey('forms', 'rsa:2048');
  const expected = bySignFile('sha256', places);
  openssl('rsa', '-in', places.key, '-traditional', '-out', 'pkcs1.key');
  openssl('pkcs8', '-topk8', '-in', places.key, '-passout', 'pass:s3cret', '-out', 'locked.key');
  openssl('rsa', '-in', places.key, '-traditional', '-aes128', '-passout', 'pass:s3cret', '-out', 'locked1.key');
  openssl('x509', '-inform', 'DER', '-in', places.certificate, '-out', 'forms.pem');
  writeFileSync(at('both.pem'), Buffer.concat([readFileSync(places.key), readFileSync(at('forms.pem'))]));
  writeFileSync(at('both2.pem'), Buffer.concat([readFileSync(at('forms.pem')), readFileSync(places.key)]));
  const pairs: ReadonlyArray<readonly [string, string, string?]> = [
    ['pkcs1.key', 'forms.der'],
    ['locked.key', 'forms.der', 's3cret'],
    ['locked1.key', 'forms.pem', 's3cret'],
    ['both.pem', 'both.pem'],
    ['both2.pem', 'both2.pem'],
  ];
  for (const [key, certificate, passphrase] of pairs) {
    const read = readSigningKey({ key: at(key), certificate: at(certificate), passphrase });
    if (read.kind === 'no-key') throw new Error(read.why);
    const signed = signModule(image, { key: read.key, certificate: read.certificate.der, hash: 'sha256' });
    t.ok(signed.equals(expected), `${key} with ${certificate}`);
  }
  const ec = makeKey('sec1', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1');
  openssl('ecparam', '-name', 'prime256v1', '-out', 'parameters.pem');
  openssl('ec', '-in', ec.key, '-out', 'sec1.pem');
  writeFileSync(at('ec.pem'), Buffer.concat([readFileSync(at('parameters.pem')), readFileSync(at('sec1.pem'))]));
  t.equal(readSigningKey({ key: at('ec.pem'), certificate: ec.certificate }).kind, 'key', 'SEC1 after its parameters');
  t.end();
});

t.test('a key of plugd as openssl and sign-file see it', { skip }, (t) => {
  for (const form of ['dkms', 'modules'] as const) {
    const { keyPem, certificateDer } = makeMok({ commonName: 'Rechner é: module key', form });
    const places = { key: at(`${form}.key`), certificate: at(`${form}.der`) };
    writeFileSync(places.key, keyPem);
    writeFileSync(places.certificate, certificateDer);
    openssl('x509', '-inform', 'DER', '-in', places.certificate, '-out', `${form}.pem`);
    t.match(
      openssl('verify', '-check_ss_sig', '-CAfile', `${form}.pem`, `${form}.pem`),
      /: OK/,
      `${form}: its signature is right`,
    );
    t.ok(
      signModule(image, { ...signing(places), hash: 'sha256' }).equals(bySignFile('sha256', places)),
      `${form}: sign-file takes it`,
    );
    t.ok(
      signModule(image, { ...signing(places), hash: 'sha256', keyId: true }).equals(bySignFile('sha256', places, '-k')),
    );
  }
  t.end();
});

t.test("dkms's form has what openssl req gives dkms", { skip }, (t) => {
  openssl(
    'req',
    '-new',
    '-x509',
    '-nodes',
    '-days',
    '36500',
    '-subj',
    '/CN=DKMS module signing key',
    '-newkey',
    'rsa:2048',
    '-keyout',
    'theirs.key',
    '-addext',
    'extendedKeyUsage=codeSigning',
    '-outform',
    'DER',
    '-out',
    'theirs.der',
  );
  writeFileSync(at('ours.der'), makeMok({ form: 'dkms' }).certificateDer);
  // Without what is random or a time.
  const text = (name: string) =>
    openssl('x509', '-inform', 'DER', '-in', name, '-noout', '-text', '-nameopt', 'RFC2253,show_type')
      .replace(/Serial Number:\n.*\n/, '')
      .replaceAll(/Not (Before|After) ?: .*/g, '')
      .replaceAll(/^ *([0-9a-f]{2}:)+([0-9a-f]{2})?$/gim, '')
      .replaceAll(/([0-9A-F]{2}:){19}[0-9A-F]{2}/g, 'ID');
  t.equal(text('ours.der'), text('theirs.der'));
  const size = (name: string) => readFileSync(at(name)).length;
  t.ok(Math.abs(size('ours.der') - size('theirs.der')) <= 2, 'of the same length, but for zeros of numbers');
  t.end();
});
