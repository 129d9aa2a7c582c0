import { gzipSync } from 'node:zlib';
import t from 'tap';
import { decompressPart } from '../../../agent/facts/modfiles/decompress.ts';

const whole = gzipSync(Buffer.from('a module '.repeat(100)));
const LIMIT = 1 << 20;

t.test('a gzip member ends with its checksum and length, and other bytes may follow', (t) => {
  const more = decompressPart('gzip', Buffer.concat([whole, Buffer.from('07070100')]), LIMIT);
  t.match(more, { kind: 'part', consumed: whole.length });
  for (let cut = 1; cut <= 8; cut++)
    t.match(
      decompressPart('gzip', whole.subarray(0, -cut), LIMIT),
      { kind: 'undecompressable', why: /damaged or truncated/ },
      `cut by ${cut}`,
    );
  const other = Buffer.from(whole);
  other.writeUInt32LE(7, other.length - 4);
  t.match(decompressPart('gzip', other, LIMIT), { kind: 'undecompressable' }, 'another length');
  t.end();
});
