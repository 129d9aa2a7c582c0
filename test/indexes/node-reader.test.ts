import t from 'tap';
import { HAS_CHILDREN, HAS_PREFIX } from '../../agent/indexes/index-format.ts';
import { NodeReader } from '../../agent/indexes/node-reader.ts';

/** Header, at 12 the prefix `ab`, at 15 the table of `c` to `e` with one hole, at 29 one value `m` of priority 7. */
const WHOLE = Buffer.from(
  `B007F457 00020001 E000000C
   616200
   6365 40000001 00000000 40000002
   00000001 00000007 6D00`.replaceAll(/\s+/g, ''),
  'hex',
);

class Corrupt extends Error {
  readonly offset: number;

  constructor(offset: number, what: string) {
    super(what);
    this.offset = offset;
  }
}

function readerOf(bytes: Buffer): NodeReader {
  return new NodeReader(bytes, (offset, what) => {
    throw new Corrupt(offset, what);
  });
}

/** What a question gives: its value, or `what @offset` when the file is corrupt there. Anything else thrown is a failure. */
function outcome(bytes: Buffer, ask: (reader: NodeReader) => unknown): unknown {
  try {
    return ask(readerOf(bytes));
  } catch (error) {
    if (error instanceof Corrupt) return `${error.message} @${error.offset}`;
    throw error;
  }
}

const QUESTIONS: ReadonlyArray<readonly [rule: string, ask: (reader: NodeReader) => unknown, expected: unknown]> = [
  ['the offset of a reference is its lower 28 bits', (reader) => reader.offset(HAS_PREFIX | 12), 12],
  ['the last byte is inside the file', (reader) => reader.offset(38), 38],
  ['an offset in the header', (reader) => reader.offset(11), 'a reference points outside the file @11'],
  ['offset 0', (reader) => reader.offset(HAS_CHILDREN), 'a reference points outside the file @0'],
  ['an offset past the end', (reader) => reader.offset(39), 'a reference points outside the file @39'],
  ['a table ends behind its references', (reader) => reader.childrenEnd(15), 29],
  ['a table that begins at the last byte', (reader) => reader.childrenEnd(38), 'a table of children is cut off @38'],
  ['a table that begins past the end', (reader) => reader.childrenEnd(50), 'a table of children is cut off @50'],
  ['a table upside down', (reader) => reader.childrenEnd(13), 'a table of children is cut off @13'],
  ['a reference', (reader) => reader.reference(17), 0x40000001],
  ['a hole is 0', (reader) => reader.reference(21), 0],
  ['a reference is signed: its highest flag is negative', (reader) => reader.reference(8), HAS_PREFIX | 0x6000000c],
  ['a count', (reader) => reader.number(29), 1],
  ['a number is unsigned', (reader) => reader.number(0), 0xb007f457],
  ['a number at the last four bytes', (reader) => reader.number(35), 0x00076d00],
  ['a number that ends past the end', (reader) => reader.number(36), 'the file ends inside a value @36'],
  ['a string ends at its NUL', (reader) => reader.stringEnd(37), 38],
  ['an empty string ends where it begins', (reader) => reader.stringEnd(14), 14],
  ['a string past the end', (reader) => reader.stringEnd(39), 'the file ends inside a string @39'],
  ['text is latin1', (reader) => reader.text(0, 3), '\xb0\x07\xf4'],
  ['the prefix of a node', (reader) => reader.prefix(HAS_PREFIX | 12), 'ab'],
  ['no prefix without its flag', (reader) => reader.prefix(12), ''],
  ['a prefix past the end', (reader) => reader.prefix(HAS_PREFIX | 99), 'a reference points outside the file @99'],
];
t.test('each part, and each offset checked', (t) => {
  for (const [rule, ask, expected] of QUESTIONS) t.equal(outcome(WHOLE, ask), expected, rule);
  t.end();
});

// What is inside a cut file must be the same as in the whole one, the rest must be reported; no read past the end goes unnoticed.
const NEEDED: ReadonlyArray<readonly [rule: string, ask: (reader: NodeReader) => unknown, bytes: number]> = [
  ['a reference', (reader) => reader.offset(HAS_PREFIX | 12), 13],
  ['a prefix', (reader) => reader.prefix(HAS_PREFIX | 12), 15],
  ['a table', (reader) => reader.childrenEnd(15), 29],
  ['a count', (reader) => reader.number(29), 33],
  ['a priority', (reader) => reader.number(33), 37],
  ['a value', (reader) => reader.stringEnd(37), 39],
];
for (const [rule, ask, needed] of NEEDED) {
  t.test(`cut off at every length: ${rule}`, (t) => {
    for (let length = 0; length <= WHOLE.length; length++) {
      const found = outcome(WHOLE.subarray(0, length), ask);
      if (length >= needed) t.equal(found, outcome(WHOLE, ask), `${length} bytes`);
      else t.match(found, /@/, `${length} bytes`);
    }
    t.end();
  });
}

t.test('bytes that begin inside a larger buffer are read from their own beginning', (t) => {
  const inside = Buffer.concat([Buffer.from('xxxxx'), WHOLE]).subarray(5);
  t.equal(readerOf(inside).number(0), 0xb007f457);
  t.equal(readerOf(inside).reference(17), 0x40000001);
  t.end();
});
