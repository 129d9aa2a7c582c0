import { readFileSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { makeSigner, type SignerParts } from '../../../agent/dkms/build/signer.ts';
import { makeMok } from '../../../agent/trust/mok.ts';
import { stripSignature } from '../../../agent/trust/module-signature.ts';
import { K, moduleFor } from './build-rig.ts';

const mok = makeMok();

/** A folder with a pair, a module and a program, and the parts of a signer. */
function plant(home: string): { readonly parts: SignerParts; readonly file: string } {
  const file = `${home}/m.ko`;
  writeFileSync(file, moduleFor(K), { mode: 0o640 });
  writeFileSync(`${home}/key`, mok.keyPem);
  writeFileSync(`${home}/certificate`, mok.certificateDer);
  writeFileSync(`${home}/program`, '#!/bin/sh\necho "$@"\necho no >&2\nexit 3\n', { mode: 0o755 });
  const parts = {
    hash: 'sha256',
    key: `${home}/key`,
    certificate: `${home}/certificate`,
    program: undefined,
    passphrase: undefined,
  };
  return { parts, file };
}

t.test('plugd signs itself', async (t) => {
  for (const hash of ['sha256', 'sha512']) {
    const { parts, file } = plant(t.testdir({}));
    const signer = makeSigner({ ...parts, hash });
    t.same(signer.places, { key: parts.key, certificate: parts.certificate });
    t.same(await signer.sign(file), { kind: 'signed' }, hash);
    t.same(stripSignature(readFileSync(file)).image, moduleFor(K), 'the module is as it was, before its signature');
    t.equal(statSync(file).mode & 0o777, 0o640, 'its mode stays');
  }
});

t.test('a failure leaves the file as it was, and says why', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, change: (home: string) => Partial<SignerParts>, output: RegExp]> = [
    ['a hash that nobody knows', () => ({ hash: 'md2' }), /cannot sign with the hash md2/],
    ['no key', (home) => ({ key: `${home}/none` }), /none: no such file/],
    ['no certificate', (home) => ({ certificate: `${home}/none` }), /none: no such file/],
    ['a key that is none', (home) => ({ key: `${home}/program` }), /program/],
    [
      'a program that fails',
      (home) => ({ program: `${home}/program` }),
      /^sha256 \S+key \S+certificate \S+m\.ko\nno\n$/,
    ],
    ['a program that is not there', (home) => ({ program: `${home}/none` }), /none: No such file/],
  ];
  for (const [rule, change, output] of rows) {
    const home = t.testdir({});
    const { parts, file } = plant(home);
    const result = await makeSigner({ ...parts, ...change(home) }).sign(file);
    t.match(result, { kind: 'failed', output }, rule);
    t.same(readFileSync(file), moduleFor(K), rule);
  }
  const { parts, file } = plant(t.testdir({}));
  writeFileSync(`${file}.~signed~`, 'somebody else');
  t.match(
    await makeSigner(parts).sign(file),
    { kind: 'failed', output: /exists/ },
    "a file in the half one's place is not written over",
  );
});
