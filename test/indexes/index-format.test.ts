import t from 'tap';
import * as format from '../../agent/indexes/index-format.ts';
import { INDEX_HEADER, OFFSET_BITS } from '../../agent/indexes/index-format.ts';
import { IndexTrie } from '../../agent/indexes/trie.ts';
import { indexBytes, type Row } from '../fixtures/index.ts';

const PATTERN = 'pci:v00001AF4d*sv*sd*bc*sc*i*';
/** The node of the essay in index-format.ts, byte by byte. */
const ESSAY = Buffer.from(
  '34 64 2A 73 76 2A 73 64 2A 62 63 2A 73 63 2A 69 2A 00 00 00 00 01 00 00 01 90 76 69 72 74 69 6F 5F 70 63 69 00'
    .split(' ')
    .map((byte) => Number.parseInt(byte, 16)),
);

t.test("the writer writes the essay's node, and a reader finds it", (t) => {
  const rows: readonly Row[] = [
    [PATTERN, 'virtio_pci', 400],
    ['pci:v00001AC1d*sv*sd*bc*sc*i*', 'other', 1],
  ];
  for (const layout of ['children-first', 'parent-first'] as const) {
    const bytes = indexBytes(rows, layout);
    t.ok(bytes.includes(ESSAY), layout);
    t.equal(new IndexTrie(bytes, 'x').exact(PATTERN), 'virtio_pci', layout);
  }
  t.end();
});

t.test("the essay's header", (t) => {
  const bytes = indexBytes([]);
  t.equal(bytes.length, INDEX_HEADER);
  t.equal(bytes.readUInt32BE(0), format.INDEX_MAGIC);
  t.equal(bytes.readUInt32BE(4), format.INDEX_VERSION);
  t.equal(bytes.readUInt16BE(4), format.INDEX_MAJOR, 'the major half comes first');
  t.equal(bytes.readUInt32BE(8), INDEX_HEADER, 'the root of an empty index is past the end');
  t.end();
});

const FLAGS = [
  ['0x8 prefix', format.HAS_PREFIX, 0x8],
  ['0x2 children', format.HAS_CHILDREN, 0x2],
  ['0x4 values', format.HAS_VALUES, 0x4],
] as const;
for (const [rule, flag, digit] of FLAGS) {
  t.test(`${rule} is the first hex digit of a reference`, (t) => {
    t.equal(flag >>> 28, digit);
    t.equal(flag & OFFSET_BITS, 0, 'no bit of the offset');
    t.equal(flag | 0, flag, 'a signed number, as DataView.getInt32 gives');
    t.end();
  });
}

t.test('the deepest real key fits below MAX_DEPTH', (t) => {
  const deep = Array.from({ length: 4095 }, (_, i): Row => ['?'.repeat(i + 1), 'm', 0]);
  t.ok(format.MAX_DEPTH > 4095);
  t.equal([...new IndexTrie(indexBytes(deep), 'x').entries()].length, 4095);
  t.end();
});
