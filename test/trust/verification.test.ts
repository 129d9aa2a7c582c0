import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { EFI_GUID } from '../../agent/facts/efi/efi-variables.ts';
import { signatureListOf } from '../../agent/facts/efi/signature-list.ts';
import type { KeyringName } from '../../agent/facts/kernel/keyring.ts';
import { parseCertificate } from '../../agent/trust/certificate.ts';
import { appendSignature, signModule } from '../../agent/trust/module-signature.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { Verification } from '../../agent/trust/verification.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const image = moduleImage({ modinfo: ['license=GPL'] });
const keys = {
  mok: makeMok({ commonName: 'Owner' }),
  dkms: makeMok({ commonName: 'DKMS' }),
  lost: makeMok(),
  kernel: makeMok(),
};
const signedBy = (name: keyof typeof keys) => {
  const { keyPem, certificateDer } = keys[name];
  return signModule(image, { key: createPrivateKey(keyPem), certificate: certificateDer, hash: 'sha256' });
};
const changed = signedBy('mok');
changed[100] = (changed[100] ?? 0) ^ 1;

const root = t.testdir({});
const put = (name: string, bytes: string | Buffer) => {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), bytes);
};
put(
  `sys/firmware/efi/efivars/MokListRT-${EFI_GUID.shim}`,
  Buffer.concat([Buffer.alloc(4), signatureListOf([keys.mok.certificateDer], EFI_GUID.shim)]),
);
put('root/var/lib/dkms/mok.pub', keys.dkms.certificateDer);
put('root/boot/vmlinuz-1', Buffer.concat([Buffer.from('Kernel panic - not syncing'), keys.kernel.certificateDer]));
const host = openHost({ root: join(root, 'root'), kernel: '1', sysfs: join(root, 'sys') });
const facts = { keyrings: [], vouching: new Set<KeyringName>(['.builtin_trusted_keys', '.machine']) };

const CASES: Readonly<Record<string, readonly [Buffer | string, string, string, string?]>> = {
  "shim's list has the key": [signedBy('mok'), 'valid', 'trusted', 'MokListRT'],
  'the kernel has the key': [signedBy('kernel'), 'valid', 'trusted', '/boot/vmlinuz-1'],
  'a file has the key, and whether the kernel does is not known': [
    signedBy('dkms'),
    'valid',
    'unknown',
    '/var/lib/dkms/mok.pub',
  ],
  'nothing has the key': [signedBy('lost'), 'unknown-key', ''],
  'a changed module': [changed, 'tampered', 'trusted'],
  'no signature': [image, 'unsigned', ''],
  'a signature that is no CMS': [appendSignature(image, Buffer.from('no')), 'damaged', ''],
  'no module': ['text', 'unreadable', ''],
};
for (const [rule, [bytes, state, trust, place]] of Object.entries(CASES)) {
  t.test(rule, async (t) => {
    const path = join(root, 'x.ko');
    writeFileSync(path, bytes);
    const verdict = await new Verification(host, facts).verify(path);
    t.equal(verdict.state, state);
    t.equal(verdict.verifier?.trust.kind ?? '', trust);
    if (place !== undefined) t.equal(verdict.verifier?.known.place, place);
  });
}

t.test('a kind of signature from before Linux 4.3', async (t) => {
  const info = Buffer.from([1, 4, 1, 1, 1, 0, 0, 0, 0, 0, 0, 4]);
  const path = join(root, 'old.ko');
  writeFileSync(
    path,
    Buffer.concat([image, Buffer.from('sKvvvv'), info, Buffer.from('~Module signature appended~\n')]),
  );
  t.match(await new Verification(host, facts).verify(path), {
    state: 'unsupported',
    why: /X509, of kernels before 4\.3/,
  });
});

t.test('with certificates that are named, no others count', async (t) => {
  const path = join(root, 'named.ko');
  writeFileSync(path, signedBy('mok'));
  const certificate = parseCertificate(keys.lost.certificateDer);
  if (certificate === undefined) throw new Error('no certificate');
  const verification = new Verification(host, facts, [{ source: 'file', place: 'x', certificate }]);
  t.equal((await verification.verify(path)).state, 'unknown-key');
});
