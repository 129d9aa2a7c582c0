import t from 'tap';
import { hashOrder, superfastHash } from '../../agent/depmod/superfast-hash.ts';

t.test('known values', (t) => {
  // From the C function of http://www.azillionmonkeys.com/qed/hash.html on x86.
  const rows: ReadonlyArray<readonly [text: string, hash: number]> = [
    ['', 0],
    ['a', 291415938],
    ['ab', 1366002500],
    ['abc', 3535673738],
    ['abcd', 3671636187],
    ['crc16', 1713465510],
    ['snd_hda_intel', 1849698465],
    ['x\xff', 3371177469],
    ['xy\xff', 1109866879],
    ['abcdefghijklmnop', 432356250],
  ];
  for (const [text, hash] of rows) t.equal(superfastHash(text), hash, JSON.stringify(text));
  t.end();
});

t.test('by bucket, then by name', (t) => {
  const order = hashOrder(['b', 'a', 'c'], (name) => name, 1);
  t.same(order, ['a', 'b', 'c'], 'one bucket');
  // Their last two bits are 2, 0, 2 and 2.
  const names = ['a', 'ab', 'abc', 'crc16'];
  t.same(
    hashOrder(names, (name) => name, 4),
    ['ab', 'a', 'abc', 'crc16'],
  );
  t.end();
});
