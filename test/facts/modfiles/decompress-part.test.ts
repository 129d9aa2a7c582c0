import { gzipSync } from 'node:zlib';
import t from 'tap';
import {
  decompress,
  decompressAsync,
  decompressPart,
  decompressPartAsync,
} from '../../../agent/facts/modfiles/decompress.ts';

const whole = gzipSync(Buffer.from('a module '.repeat(100)));
const LIMIT = 1 << 20;

t.test('a gzip member ends with its checksum and length, and other bytes may follow', async (t) => {
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
  t.same(await decompressPartAsync('gzip', whole, LIMIT), decompressPart('gzip', whole, LIMIT));
  t.same(await decompressPartAsync('xz', whole, LIMIT), decompressPart('xz', whole, LIMIT), 'not of that compression');
});

t.test('whole gzip files: checksum and length count, and what follows the last member does not', async (t) => {
  const changed = (at: number) => {
    const copy = Buffer.from(whole);
    copy[copy.length + at] = (copy[copy.length + at] ?? 0) ^ 1;
    return copy;
  };
  const rows: Readonly<Record<string, readonly [file: Buffer, times: number | undefined]>> = {
    'one member': [whole, 1],
    'two members': [Buffer.concat([whole, whole]), 2],
    'zeros behind it': [Buffer.concat([whole, Buffer.alloc(16)]), 1],
    'text behind it': [Buffer.concat([whole, Buffer.from('hello')]), 1],
    'text behind two': [Buffer.concat([whole, whole, Buffer.from('hello')]), 2],
    'half a magic behind it': [Buffer.concat([whole, Buffer.from([0x1f])]), 1],
    'another checksum': [changed(-8), undefined],
    'another checksum, and text': [Buffer.concat([changed(-5), Buffer.from('hello')]), undefined],
    'another length': [changed(-4), undefined],
    'another checksum of the first of two': [Buffer.concat([changed(-8), whole]), undefined],
    'a second member that is cut': [Buffer.concat([whole, whole.subarray(0, -3)]), undefined],
    'a second member of which only the magic is there': [Buffer.concat([whole, whole.subarray(0, 2)]), undefined],
    'cut in its checksum': [whole.subarray(0, -6), undefined],
  };
  for (const [name, [file, times]] of Object.entries(rows))
    for (const [how, answer] of [
      ['at once', decompress('gzip', file)],
      ['later', await decompressAsync('gzip', file)],
    ] as const) {
      if (times === undefined)
        t.match(answer, { kind: 'undecompressable', why: 'damaged or truncated gzip data' }, `${name}, ${how}`);
      else t.equal(answer.kind === 'image' ? answer.image.length : -1, 900 * times, `${name}, ${how}`);
    }
});
