import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivateKey } from 'node:crypto';
import t from 'tap';
import type { Host } from '../../agent/base/host.ts';
import type { ModuleName } from '../../agent/base/names.ts';
import { keyTrust, type Witness } from '../../agent/explain/key-trust.ts';
import type { Keyring, TrustedKey } from '../../agent/facts/kernel/keyring.ts';
import type { ModuleSignature } from '../../agent/facts/modfiles/signature.ts';
import { EFI_GUID } from '../../agent/facts/efi/efi-variables.ts';
import { signatureListOf } from '../../agent/facts/efi/signature-list.ts';
import { parseCertificate } from '../../agent/trust/certificate.ts';
import { signatureOf, signModule } from '../../agent/trust/module-signature.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const SIGNATURE: ModuleSignature = {
  kind: 'signature',
  idType: 'PKCS#7',
  info: undefined,
  signer: 'Acme CA',
  keyId: Buffer.from('0a0b', 'hex'),
  hash: 'sha256',
  value: Buffer.alloc(0),
  length: 0,
};
const ring = (name: string, keys: readonly TrustedKey[] | undefined): Keyring =>
  ({ name, count: keys?.length ?? 1, keys }) as Keyring;
const key = (id: string, subject = 'Other'): TrustedKey => ({ subject, id, type: 'X509.rsa' });
const BUILTIN = '.builtin_trusted_keys';
const NONE = { kind: 'unknown-key', looked: "the kernel does not trust that key: it has none of 'Acme CA'" };
const UNDECIDED = { kind: 'undecided' };
const trusted = (because: string) => ({ kind: 'trusted', because });

const ROWS: ReadonlyArray<
  readonly [rule: string, keyrings: readonly Keyring[], expected: object, signature?: Partial<ModuleSignature>]
> = [
  ['its id is in a ring that vouches', [ring(BUILTIN, [key('ff'), key('0a0b')])], trusted(`its key is in ${BUILTIN}`)],
  ...['.secondary_trusted_keys', '.machine'].map(
    (name) =>
      [`so does ${name}`, [ring(BUILTIN, []), ring(name, [key('0a0b')])], trusted(`its key is in ${name}`)] as const,
  ),
  [
    'zeros at the beginning of an id do not count',
    [ring(BUILTIN, [key('00000a0b')])],
    trusted(`its key is in ${BUILTIN}`),
  ],
  [
    'nor those of the signature',
    [ring(BUILTIN, [key('0a0b')])],
    trusted(`its key is in ${BUILTIN}`),
    { keyId: Buffer.from('000a0b', 'hex') },
  ],
  [
    'an id of zero is one',
    [ring(BUILTIN, [key('00')])],
    trusted(`its key is in ${BUILTIN}`),
    { keyId: Buffer.from([0]) },
  ],
  [
    'its id is in a ring that does not vouch',
    [ring(BUILTIN, []), ring('.platform', [key('0a0b')])],
    { kind: 'unknown-key', looked: 'that key is in .platform, whose keys do not vouch for modules' },
  ],
  ['no ring has the key, or one of that name', [ring(BUILTIN, [key('ff')])], NONE],
  ['rings without keys', [ring(BUILTIN, [])], NONE],
  [
    'a key of that name may be it: ids cannot always be compared',
    [ring(BUILTIN, [key('ff', 'Acme CA: x')])],
    UNDECIDED,
  ],
  ['a key of that name that does not vouch', [ring(BUILTIN, []), ring('.platform', [key('ff', 'Acme CA')])], NONE],
  ['a ring that vouches and may not be read', [ring(BUILTIN, [key('ff')]), ring('.machine', undefined)], UNDECIDED],
  ['a ring that does not vouch and may not be read', [ring(BUILTIN, [key('ff')]), ring('.platform', undefined)], NONE],
  ['no ring can be seen', [], UNDECIDED],
  ['no ring that vouches can be seen', [ring('.platform', [key('ff')])], UNDECIDED],
  ['a signature without a name', [ring(BUILTIN, [key('ff')])], UNDECIDED, { signer: '' }],
  [
    'a name that is not ASCII',
    [ring(BUILTIN, [key('ff', 'Sociedade M\xf3vel: x')])],
    UNDECIDED,
    { signer: 'Sociedade M\xf3vel' },
  ],
];
for (const [rule, keyrings, expected, signature] of ROWS) {
  t.test(rule, (t) => {
    const host = { root: '', proc: '/nowhere', sysfs: '/nowhere' } as Host;
    t.same(keyTrust(host, { ...SIGNATURE, ...signature }, keyrings, []), expected);
    t.end();
  });
}

/** A module with a signature as Linux 3.7 to 4.2 made them: its fields say what a PKCS#7 message says. */
function signed(signer: string, id: string): Buffer {
  const key = Buffer.from(id, 'hex');
  const info = Buffer.from([1, 4, 1, signer.length, key.length, 0, 0, 0, 0, 0, 0, 1]);
  const parts = [moduleImage({}), Buffer.from(signer), key, Buffer.from('v'), info];
  return Buffer.concat([...parts, Buffer.from('~Module signature appended~\n')]);
}

const WITNESSES: ReadonlyArray<
  readonly [
    rule: string,
    files: Readonly<Record<string, Buffer>>,
    taints: Readonly<Record<string, string>>,
    because?: string,
  ]
> = [
  ['one of the same key', { a: signed('Acme CA', 'ff'), b: signed('Acme CA', '0a0b') }, {}, 'b'],
  ['the first of two', { a: signed('Acme CA', '0a0b'), b: signed('Acme CA', '0a0b') }, {}, 'a'],
  ['one by another signer', { a: signed('Other CA', '0a0b') }, {}],
  ['one that is not signed, or no module', { a: moduleImage({}), b: Buffer.from('x') }, {}],
  ['one that was loaded although its key is not known', { a: signed('Acme CA', '0a0b') }, { a: 'OE' }],
  ['one that was forced in', { a: signed('Acme CA', '0a0b') }, { a: 'F' }],
  ['one with another taint', { a: signed('Acme CA', '0a0b') }, { a: 'PO' }, 'a'],
];
for (const [rule, files, taints, because] of WITNESSES) {
  t.test(`a loaded module is a witness: ${rule}`, (t) => {
    const sysfs = t.testdir({
      module: Object.fromEntries(Object.entries(taints).map(([module, taint]) => [module, { taint: `${taint}\n` }])),
    });
    const loaded = Object.entries(files).map(([module, image]): Witness => {
      const path = join(sysfs, `${module}.ko`);
      writeFileSync(path, image);
      return { module: module as ModuleName, path };
    });
    const expected = because === undefined ? NONE : trusted(`${because} is loaded and signed with the same key`);
    t.same(keyTrust({ root: '', sysfs, proc: sysfs } as Host, SIGNATURE, [ring(BUILTIN, [])], loaded), expected);
    t.end();
  });
}

t.test('loaded modules whose files are gone are no witnesses, and only a few are looked at', (t) => {
  let looked = 0;
  function* loaded(): Generator<Witness> {
    for (let i = 0; i < 100; i++) {
      looked++;
      yield { module: `m${i}` as ModuleName, path: `/nowhere/m${i}.ko` };
    }
  }
  const host = { root: '', proc: '/nowhere', sysfs: '/nowhere' } as Host;
  t.same(keyTrust(host, SIGNATURE, [ring(BUILTIN, [])], loaded()), NONE);
  t.equal(looked, 9, 'eight, and the ninth ends it');
  t.end();
});

t.test("a certificate in shim's list leads from issuer and serial number to the kernel's id of the key", (t) => {
  const { keyPem, certificateDer } = makeMok({ commonName: 'Owner' });
  const found = signatureOf(
    signModule(moduleImage({}), { key: createPrivateKey(keyPem), certificate: certificateDer, hash: 'sha256' }),
  );
  const id = parseCertificate(certificateDer)?.keyIdentifier?.toString('hex') ?? '';
  const list = Buffer.concat([Buffer.alloc(4), signatureListOf([certificateDer], EFI_GUID.shim)]);
  const base = t.testdir({
    sys: { firmware: { efi: { efivars: {} } } },
    proc: { version: 'Linux version 6.1 (debian)' },
  });
  const variable = (name: string) => join(base, `sys/firmware/efi/efivars/${name}-${EFI_GUID.shim}`);
  writeFileSync(variable('MokListRT'), list);
  const host = { root: base, sysfs: join(base, 'sys'), proc: join(base, 'proc') } as Host;
  if (found?.kind !== 'signature') throw new Error('no signature');
  for (const name of ['.machine', '.platform'] as const)
    t.match(keyTrust(host, found, [ring(BUILTIN, []), ring(name, [key(id)])], []), trusted(`its key is in ${name}`));
  t.match(keyTrust(host, found, [ring(BUILTIN, []), ring('.machine', [key(id)]), ring('.blacklist', [key(id)])], []), {
    kind: 'revoked',
    looked: /\.blacklist/,
  });
  t.match(keyTrust(host, found, [ring(BUILTIN, []), ring('.machine', [])], []), {
    kind: 'unknown-key',
    looked: /'Owner' is in MokListRT, and the kernel did not take it$/,
    unusable: false,
  });
  const mainline = { ...host, proc: '/nowhere' };
  t.match(keyTrust(mainline, found, [ring(BUILTIN, []), ring('.platform', [key(id)])], []), { kind: 'unknown-key' });

  // Not enrolled yet: the file of the certificate is named, and that it waits.
  const certificate = '/var/lib/dkms/mok.pub';
  mkdirSync(join(base, 'var/lib/dkms'), { recursive: true });
  writeFileSync(join(base, certificate), certificateDer);
  renameSync(variable('MokListRT'), variable('MokNew'));
  const waits = {
    kind: 'unknown-key',
    looked: 'its key waits to be enrolled at the next boot',
    waits: true,
    certificate,
  };
  t.same(keyTrust(host, found, [ring(BUILTIN, [])], []), waits);
  rmSync(variable('MokNew'));
  t.match(keyTrust(host, found, [ring(BUILTIN, [])], []), {
    kind: 'unknown-key',
    looked: /has none of 'Owner'$/,
    certificate,
  });
  t.end();
});
