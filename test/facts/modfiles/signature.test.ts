import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRNO } from '../../../agent/base/errno.ts';
import { derInside, derOid, derValues, TAG } from '../../../agent/facts/modfiles/der.ts';
import { openModuleFile } from '../../../agent/facts/modfiles/module-file.ts';
import { readSignature, type DamagedSignature, type ModuleSignature } from '../../../agent/facts/modfiles/signature.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { signedByStranger, withoutSignature } from '../../fixtures/faulty-module.ts';

const MARK = '~Module signature appended~\n';
const plain = moduleImage({ modinfo: ['license=GPL'] });
const path = join(t.testdir({}), 'x.ko');
const tools = await needCommands(['openssl']);
const skip = tools.kind === 'missing' ? tools.sentence : false;

function read(image: Buffer): ModuleSignature | DamagedSignature | undefined {
  writeFileSync(path, image);
  const file = openModuleFile('', path);
  if (file.kind !== 'module') throw new Error(file.why);
  const signature = readSignature(file);
  file.close();
  return signature;
}

/** An old signature (Linux 3.7 to 4.2): fields instead of PKCS#7. */
function old(idType: number, hash: number, signer: string, key: Buffer, value: Buffer): Buffer {
  const info = Buffer.from([1, hash, idType, signer.length, key.length, 0, 0, 0, 0, 0, 0, 0]);
  info.writeUInt32BE(value.length, 8);
  return Buffer.concat([plain, Buffer.from(signer), key, value, info, Buffer.from(MARK)]);
}

t.test('no signature', (t) => {
  t.equal(read(plain), undefined);
  t.end();
});

t.test('a signature as sign-file makes it', { skip }, (t) => {
  const image = signedByStranger(plain, 'Some Signer');
  const signature = read(image);
  t.match(signature, {
    kind: 'signature',
    idType: 'PKCS#7',
    signer: 'Some Signer',
    hash: 'sha256',
    length: image.length - plain.length,
  });
  if (signature?.kind !== 'signature') {
    t.end();
    return;
  }
  t.equal(signature.value.length, 256, 'RSA of 2048 bits');
  t.ok(signature.keyId.length >= 8 && signature.keyId.length <= 21, 'a serial number');
  t.same(withoutSignature(image), plain);
  // openssl reads the same serial number out of it.
  const der = image.subarray(plain.length, image.length - MARK.length - 12);
  const text = execFileSync('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER'], {
    input: der,
    encoding: 'utf8',
  });
  const serial = /serialNumber: (?:0x)?([0-9A-F]+)/i.exec(text)?.[1] ?? '';
  t.equal(
    signature.keyId.toString('hex').replace(/^0+/, ''),
    BigInt(/^\d+$/.test(serial) && !/0x/i.test(text) ? serial : `0x${serial}`).toString(16),
  );
  t.end();
});

t.test('old kinds of signatures', (t) => {
  const value = Buffer.alloc(64, 7);
  const key = Buffer.from('0102ff', 'hex');
  t.match(read(old(1, 4, 'Old Key', key, value)), {
    kind: 'signature',
    idType: 'X509',
    signer: 'Old Key',
    hash: 'sha256',
    value,
    keyId: key,
  });
  t.match(read(old(0, 2, 'x', key, value)), { idType: 'PGP', hash: 'sha1' });
  t.match(read(old(9, 2, 'x', key, value)), { kind: 'damaged', why: /unknown kind/ });
  t.end();
});

t.test('damaged signatures are said to be so', { skip }, (t) => {
  const image = signedByStranger(plain, 'Some Signer');
  const changed = (at: number, byte: number) => {
    const copy = Buffer.from(image);
    copy[copy.length - at] = byte;
    return read(copy);
  };
  const info = MARK.length + 12;
  t.match(changed(info, 1), { kind: 'damaged', why: 'fields that must be 0 are not' });
  t.match(changed(MARK.length + 4, 0x7f), { kind: 'damaged', why: 'its length field exceeds the file' });
  t.match(changed(MARK.length + 5, 1), { kind: 'damaged', why: 'fields that must be 0 are not' }, 'padding');
  t.match(changed(MARK.length + 2, 0xff), { kind: 'damaged', why: 'its length field exceeds the file' });
  t.match(changed(MARK.length + 1, 0), { kind: 'damaged', why: /not a PKCS#7/ });
  t.match(read(Buffer.concat([plain, Buffer.alloc(12), Buffer.from(MARK)])), { kind: 'damaged' });
  // Every byte of the DER wrong in turn: an answer each time.
  const kinds = new Set<string>();
  for (let at = plain.length; at < image.length - info; at++) {
    const copy = Buffer.from(image);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    kinds.add(read(copy)?.kind ?? 'none');
  }
  t.same([...kinds].toSorted(), ['damaged', 'signature']);
  t.end();
});

/** mod_check_sig of kernel/module_signature.c looks at the length first, then at the kind. */
t.test('what the kernel calls it', (t) => {
  const info = (type: number, length: number) => {
    const bytes = Buffer.alloc(12);
    bytes[2] = type;
    bytes.writeUInt32BE(length, 8);
    return read(Buffer.concat([plain, Buffer.from('x'), bytes, Buffer.from(MARK)]));
  };
  const rows: ReadonlyArray<readonly [rule: string, type: number, length: number, errno: number]> = [
    ['longer than the file', 2, plain.length + 200, ERRNO.EBADMSG],
    ['longer than the file, of an unknown kind', 9, plain.length + 200, ERRNO.EBADMSG],
    ['longer than any', 2, 0xffffffff, ERRNO.EBADMSG],
    ['no bytes', 2, 0, ERRNO.EBADMSG],
    ['no PKCS#7', 2, 1, ERRNO.EBADMSG],
    ['an unknown kind', 9, 1, ERRNO.ENOPKG],
  ];
  for (const [rule, type, length, errno] of rows) t.match(info(type, length), { kind: 'damaged', errno }, rule);
  t.end();
});

t.test('DER', (t) => {
  const parse = (hex: string) => derValues(Buffer.from(hex, 'hex'));
  t.equal(parse('3003020105')?.[0]?.tag, TAG.sequence);
  t.same(derInside(parse('3003020105')?.[0], TAG.sequence)?.[0]?.contents, Buffer.from([5]));
  t.equal(derInside(parse('3003020105')?.[0], TAG.set), undefined, 'another tag');
  t.equal(derOid(parse('06092a864886f70d010702')?.[0]), '1.2.840.113549.1.7.2');
  t.equal(derOid(parse('0603550403')?.[0]), '2.5.4.3');
  t.equal(derOid(parse('060288 37'.replace(' ', ''))?.[0]), '2.999');
  t.equal(derOid(parse('020105')?.[0]), '');
  t.equal(parse(`0482 0100${'00'.repeat(256)}`.replace(' ', ''))?.[0]?.contents.length, 256);
  for (const bad of ['30', '3005020105', '3080', '3085ffffffffff', '1f0100', '3084ffffffff'])
    t.equal(parse(bad), undefined, bad);
  t.same(parse(''), []);
  t.end();
});
