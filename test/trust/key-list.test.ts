import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { EFI_GUID } from '../../agent/facts/efi/efi-variables.ts';
import { signatureListOf } from '../../agent/facts/efi/signature-list.ts';
import type { KeyringName } from '../../agent/facts/kernel/keyring.ts';
import { parseCertificate, type Certificate } from '../../agent/trust/certificate.ts';
import { listKeys, type ListedKey } from '../../agent/trust/key-list.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { kernelId } from '../../agent/trust/trust.ts';

const parse = (der: Buffer) => parseCertificate(der) as Certificate;
const der = (commonName: string) => makeMok({ commonName }).certificateDer;
const KEYS = {
  kernel: der('Kernel'),
  mok: der('Owner'),
  db: der('Firmware'),
  dkms: der('DKMS'),
  coming: der('Coming'),
  bad: der('Bad'),
};

const base = t.testdir({});
const put = (name: string, bytes: string | Buffer) => {
  mkdirSync(join(base, name, '..'), { recursive: true });
  writeFileSync(join(base, name), bytes);
};
const variable = (name: string, guid: string, value: Buffer) =>
  put(`sys/firmware/efi/efivars/${name}-${guid}`, Buffer.concat([Buffer.alloc(4), value]));
const list = (...certificates: readonly Buffer[]) => signatureListOf(certificates, EFI_GUID.shim);
/** A list of one hash of what a certificate signs, with a time of revocation. */
const hashOf = (certificate: Buffer) => {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(28 + 16 + 48, 0);
  head.writeUInt32LE(16 + 48, 8);
  const hash = createHash('sha256').update(parse(certificate).tbs).digest();
  return Buffer.concat([
    Buffer.from('92a4d23bc0967940b420fcf98ef103ed', 'hex'),
    head,
    Buffer.alloc(16),
    hash,
    Buffer.alloc(16),
  ]);
};

variable('MokListRT', EFI_GUID.shim, list(KEYS.mok, KEYS.bad));
variable('MokNew', EFI_GUID.shim, list(KEYS.coming, KEYS.dkms));
variable('MokDel', EFI_GUID.shim, list(KEYS.mok));
variable('MokListXRT', EFI_GUID.shim, list(KEYS.bad));
variable('db', EFI_GUID.database, list(KEYS.db));
variable('dbx', EFI_GUID.database, hashOf(KEYS.db));
put('root/boot/vmlinuz-1', Buffer.concat([Buffer.from('Kernel panic - not syncing'), KEYS.kernel]));
put('root/var/lib/dkms/mok.pub', KEYS.dkms);
put('root/var/lib/dkms/mok.key', 'x');
const host = openHost({ root: join(base, 'root'), kernel: '1', sysfs: join(base, 'sys') });
const vouching = new Set<KeyringName>(['.builtin_trusted_keys', '.machine']);
const of = (keys: readonly ListedKey[], subject: string) => keys.find((key) => key.subject === subject);

t.test('each key once, with its places and what is known of it', (t) => {
  const keys = listKeys(host, { keyrings: [], vouching }, { image: true });
  t.equal(keys.length, 6);
  t.match(of(keys, 'Kernel'), {
    places: ['/boot/vmlinuz-1'],
    trust: { kind: 'trusted' },
    revokedBy: [],
    waits: undefined,
  });
  t.match(of(keys, 'Owner'), { places: ['MokListRT'], trust: { kind: 'trusted', ring: '.machine' }, waits: 'delete' });
  t.match(of(keys, 'Firmware'), { places: ['db'], trust: { kind: 'untrusted' }, revokedBy: ['dbx'] });
  t.match(of(keys, 'Bad'), { revokedBy: ['MokListXRT'] });
  t.match(of(keys, 'Coming'), {
    places: ['MokNew'],
    waits: 'enroll',
    privateKey: undefined,
    trust: { kind: 'unknown' },
  });
  t.match(of(keys, 'DKMS'), {
    places: ['/var/lib/dkms/mok.pub', 'MokNew'],
    waits: 'enroll',
    privateKey: '/var/lib/dkms/mok.key',
  });
  const trusted = keys.map(({ trust }) => trust.kind === 'trusted');
  t.equal(trusted.lastIndexOf(true), trusted.indexOf(false) - 1, 'those that vouch come first');
  t.end();
});

t.test('keyrings decide, and have keys whose certificates are nowhere', (t) => {
  const id = kernelId(parse(KEYS.mok));
  const keyrings = [
    { name: '.builtin_trusted_keys', count: 1, keys: [{ subject: 'Hidden', id: 'ab', type: 'X509.rsa' }] },
    { name: '.machine', count: 1, keys: [{ subject: 'Owner', id, type: 'X509.rsa' }] },
    { name: '.platform', count: 1, keys: [{ subject: 'Other', id: 'cd', type: 'X509.rsa' }] },
  ] as const;
  const keys = listKeys(host, { keyrings, vouching }, { image: false });
  t.match(of(keys, 'Hidden'), { certificate: undefined, rings: ['.builtin_trusted_keys'], trust: { kind: 'trusted' } });
  t.match(of(keys, 'Other'), { rings: ['.platform'], trust: { kind: 'untrusted' } });
  t.match(of(keys, 'Owner'), { rings: ['.machine'], trust: { kind: 'trusted' } });
  t.match(of(keys, 'Coming'), { trust: { kind: 'untrusted', why: 'the kernel does not have it' } });
  t.equal(of(keys, 'Kernel'), undefined, 'the image was not read');
  t.end();
});
