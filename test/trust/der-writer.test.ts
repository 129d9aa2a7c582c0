import t from 'tap';
import { derFirst, derOid, derValues, TAG } from '../../agent/facts/modfiles/der.ts';
import { encode, encodeBits, encodeInteger, encodeOid, encodeTime } from '../../agent/trust/der-writer.ts';

const VALUES: Readonly<Record<string, readonly [Buffer, string]>> = {
  'a value without contents': [encode(TAG.none), '0500'],
  'a length of 127 is one byte': [encode(TAG.octets, Buffer.alloc(127)).subarray(0, 3), '047f00'],
  'a length of 128 is 81 80': [encode(TAG.octets, Buffer.alloc(128)).subarray(0, 3), '048180'],
  'a length of 256 is 82 01 00': [encode(TAG.octets, Buffer.alloc(200), Buffer.alloc(56)).subarray(0, 4), '04820100'],
  zero: [encodeInteger(0), '020100'],
  'a first bit that is set gets a zero': [encodeInteger(128), '02020080'],
  'bytes lose their zeros': [encodeInteger(Buffer.from('00007f01', 'hex')), '02027f01'],
  'no bytes are zero': [encodeInteger(Buffer.alloc(0)), '020100'],
  'an object identifier': [encodeOid('2.5.4.3'), '0603550403'],
  'one with large parts': [encodeOid('1.2.840.113549.1.7.2'), '06092a864886f70d010702'],
  'one whose first part is 2': [encodeOid('2.16.840.1.101.3.4.2.1'), '0609608648016503040201'],
  bits: [encodeBits(Buffer.from([0x80]), 7), '03020780'],
  'a time before 2050': [
    encodeTime(new Date('2049-12-31T23:59:59.9Z')),
    `170d${Buffer.from('491231235959Z').toString('hex')}`,
  ],
  'a time after it': [
    encodeTime(new Date('2050-01-01T00:00:00Z')),
    `180f${Buffer.from('20500101000000Z').toString('hex')}`,
  ],
};

for (const [rule, [value, hex]] of Object.entries(VALUES)) {
  t.test(rule, (t) => {
    t.equal(value.toString('hex'), hex);
    t.end();
  });
}

t.test('the reader reads what the writer writes', (t) => {
  for (const oid of ['0.9.2342.19200300.100.1.25', '1.2.156.10197.1.401', '1.3.6.1.4.1.2312.16.1.2', '2.5.29.37']) {
    t.equal(derOid(derFirst(encodeOid(oid))), oid);
  }
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const contents = Buffer.alloc(length, 7);
    const [first, second] = derValues(Buffer.concat([encode(TAG.octets, contents), encodeInteger(length)])) ?? [];
    t.same(first?.contents, contents);
    t.equal(Number(`0x${second?.contents.toString('hex')}`), length);
  }
  t.end();
});
