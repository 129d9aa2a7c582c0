import t from 'tap';
import { parseSignatureLists, signatureListOf } from '../../../agent/facts/efi/signature-list.ts';

const OWNER = '605dab50-e046-4300-abb6-3dd810dd8b23';
const X509 = 'a159c0a5e494a74a87b5ab155c2bf072';
const SHA256 = '2616c4c14c509240aca941f936934328';
const list = (type: string, size: number, head: number, each: number, rest: string) => {
  const numbers = Buffer.alloc(12);
  [size, head, each].forEach((number, i) => numbers.writeUInt32LE(number, 4 * i));
  return Buffer.concat([Buffer.from(type, 'hex'), numbers, Buffer.from(rest, 'hex')]);
};
const owner = '11'.repeat(16);

t.test('what is written is read again', (t) => {
  const certificates = [Buffer.from('one'), Buffer.from('another')];
  const { entries, damaged } = parseSignatureLists(signatureListOf(certificates, OWNER));
  t.equal(damaged, false);
  t.same(
    entries,
    certificates.map((data) => ({ type: 'x509', owner: OWNER, data })),
  );
  t.end();
});

t.test('several hashes in a list, and a header that is skipped', (t) => {
  const text = `ffff${owner}${'22'.repeat(32)}${owner}${'33'.repeat(32)}`;
  const { entries, damaged } = parseSignatureLists(list(SHA256, 28 + 2 + 96, 2, 48, text));
  t.equal(damaged, false);
  t.same(
    entries.map(({ type, data }) => `${type} ${data.toString('hex').slice(0, 2)}`),
    ['sha256 22', 'sha256 33'],
  );
  t.equal(entries[0]?.owner, '11111111-1111-1111-1111-111111111111');
  t.end();
});

const good = list(X509, 28 + 18, 0, 18, `${owner}abcd`);
const DAMAGED: Readonly<Record<string, readonly [Buffer, number]>> = {
  'a head that is cut': [Buffer.concat([good, good.subarray(0, 20)]), 1],
  'a list that is cut': [good.subarray(0, 40), 0],
  'a size of nothing': [list(X509, 0, 0, 18, `${owner}abcd`), 0],
  'signatures of nothing': [list(X509, 28 + 18, 0, 0, `${owner}abcd`), 0],
  'signatures without data of their own': [list(X509, 28 + 18, 0, 15, `${owner}abcd`), 0],
  'a size that is no multiple': [list(X509, 28 + 18, 0, 17, `${owner}abcd`), 0],
  'a header beyond the list': [list(X509, 28 + 18, 0xffff_ffff, 18, `${owner}abcd`), 0],
  'the greatest sizes': [list(X509, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, owner), 0],
};
for (const [rule, [bytes, count]] of Object.entries(DAMAGED)) {
  t.test(`damaged: ${rule}`, (t) => {
    const { entries, damaged } = parseSignatureLists(bytes);
    t.equal(damaged, true);
    t.equal(entries.length, count);
    t.end();
  });
}

t.test('no more entries than a variable has room for', (t) => {
  const count = (1 << 16) + 1;
  const { entries, damaged } = parseSignatureLists(list(SHA256, 28 + 16 * count, 0, 16, owner.repeat(count)));
  t.equal(entries.length, 1 << 16);
  t.equal(damaged, true);
  t.same(parseSignatureLists(Buffer.alloc(0)), { entries: [], damaged: false });
  t.end();
});
