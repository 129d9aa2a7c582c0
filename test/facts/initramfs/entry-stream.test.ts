import t from 'tap';
import { EntryStream } from '../../../agent/facts/initramfs/entry-stream.ts';

/** An entry as the kernel reads it; `fields` replaces some of its numbers, by their place. */
function entry(name: string, contents: string, fields: Readonly<Record<number, number>> = {}): Buffer {
  const numbers = [1, 0o100644, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, name.length + 1, 0];
  for (const [place, number] of Object.entries(fields)) numbers[Number(place)] = number;
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const padded = (text: string) => text + '\0'.repeat((4 - (text.length % 4)) % 4);
  return Buffer.from(padded(head) + padded(contents), 'latin1');
}

const TRAILER = entry('TRAILER!!!', '');
const WHOLE = Buffer.concat([
  entry('a', 'x'.repeat(301)),
  entry('folder/b', ''),
  TRAILER,
  Buffer.alloc(24),
  entry('c', 'yz'),
  TRAILER,
]);

function inPieces(bytes: Buffer, size: number, limit = 1 << 20): { entries: string[]; fault: string | undefined } {
  const entries: string[] = [];
  const stream = new EntryStream(limit, ({ name, contents }) =>
    entries.push(`${name}: ${contents.toString('latin1')}`),
  );
  const piece = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    // The memory of a piece is used again, as the decompressor does.
    const length = bytes.copy(piece, 0, at, at + size);
    if (!stream.push(piece.subarray(0, length))) break;
  }
  return { entries, fault: stream.end() };
}

t.test('pieces of every size give the same entries', (t) => {
  const expected = { entries: [`a: ${'x'.repeat(301)}`, 'folder/b: ', 'c: yz'], fault: undefined };
  for (let size = 1; size <= WHOLE.length; size++) t.same(inPieces(WHOLE, size), expected, `${size} bytes`);
  t.end();
});

const FAULTS: ReadonlyArray<readonly [rule: string, bytes: Buffer, entries: number, fault: RegExp]> = [
  ['nothing but text', Buffer.from('hello '.repeat(40)), 0, /without a cpio archive/],
  ['a few characters', Buffer.from('hello'), 0, /without a cpio archive/],
  ['text behind an archive', Buffer.concat([WHOLE, Buffer.from('hello '.repeat(40))]), 3, /without a cpio archive/],
  ['the end inside a header', WHOLE.subarray(0, 60), 0, /damaged header/],
  ['the end inside the contents', WHOLE.subarray(0, 300), 0, /ends too early/],
  ['a name of no length', entry('a', '', { 11: 0 }), 0, /damaged header/],
  ['a name without end', entry('a', '', { 11: 5000 }), 0, /damaged header/],
  ['contents beyond all limits', entry('a', '', { 6: 0xffffffff }), 0, /ends too early/],
  [
    'digits that are none',
    Buffer.from(entry('a', '').toString('latin1').replace('0000', 'zzzz'), 'latin1'),
    0,
    /damaged header/,
  ],
];
for (const [rule, bytes, entries, fault] of FAULTS) {
  t.test(`what is wrong is said, and what comes before counts: ${rule}`, (t) => {
    for (const size of [1, 7, 109, 110, 111, bytes.length]) {
      const ended = inPieces(bytes, size);
      t.match(ended.fault, fault, `in pieces of ${size}`);
      t.equal(ended.entries.length, entries);
    }
    t.end();
  });
}
