import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Host } from '../../../agent/base/host.ts';
import { EFI_GUID, readEfiVariable } from '../../../agent/facts/efi/efi-variables.ts';
import { parseSignatureLists } from '../../../agent/facts/efi/signature-list.ts';
import { passwordValue, requestEnrolment } from '../../../agent/trust/enrolment/mok-request.ts';
import { hashPassword } from '../../../agent/trust/enrolment/sha512-crypt.ts';

const PASSWORD = hashPassword(Buffer.from('geheim'), Buffer.from('saltsalt'));
const CERTIFICATE = Buffer.from('3003020101', 'hex');

function hostAt(sysfs: string): Host {
  return { root: '', sysfs } as Host;
}

t.test("the password's variable is laid out as shim reads it", (t) => {
  const value = passwordValue(PASSWORD);
  t.equal(value.length, 172);
  t.equal(value.readUInt16LE(0), 4, 'SHA-512');
  t.equal(value.readBigUInt64LE(2), 5000n);
  t.equal(value.readUInt16LE(10), 8);
  t.equal(value.toString('latin1', 12, 20), 'saltsalt');
  t.ok(value.subarray(44, 108).equals(PASSWORD.hash));
  t.ok(value.subarray(108).every((byte) => byte === 0));
  t.end();
});

t.test('a request is two new variables', (t) => {
  const sysfs = t.testdir({ firmware: { efi: { efivars: { 'SecureBoot-x': '' } } } });
  const host = hostAt(sysfs);
  t.same(requestEnrolment(host, CERTIFICATE, PASSWORD), { kind: 'asked' });
  const { entries } = parseSignatureLists(readEfiVariable(host, 'shim', 'MokNew') ?? Buffer.alloc(0));
  t.match(entries, [{ type: 'x509', owner: EFI_GUID.shim }]);
  t.ok(entries[0]?.data.equals(CERTIFICATE));
  t.ok(readEfiVariable(host, 'shim', 'MokAuth')?.equals(passwordValue(PASSWORD)));
  const raw = readFileSync(join(sysfs, `firmware/efi/efivars/MokNew-${EFI_GUID.shim}`));
  t.equal(raw.readUInt32LE(0), 7, 'kept, and seen at boot and by the system');
  t.same(requestEnrolment(host, CERTIFICATE, PASSWORD), { kind: 'waiting', names: ['MokAuth', 'MokNew'] });
  t.end();
});

t.test('what cannot be written is said', (t) => {
  t.match(requestEnrolment(hostAt('/nowhere'), CERTIFICATE, PASSWORD), { kind: 'failed', why: /mount -t efivarfs/ });
  t.end();
});
