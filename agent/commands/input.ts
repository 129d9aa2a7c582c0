/** Reads lines from standard input, as bytes. Blocks, and keeps at most 64 KiB of a line. */
import { readSync } from 'node:fs';
import { whenReady } from '../base/blocking.ts';

/** Longer lines are cut: no name is that long, and memory stays bounded for any input. */
export const LONGEST_LINE = 1 << 16;
/** One read takes at most so much. A pipe gives 64 KiB. */
const MOST_READ = 1 << 18;
const LINE_FEED = 0x0a;

/**
 * The lines of a descriptor, in blocks of whole lines, each with its line feed: as many as one read brings. `for (const block of
 * lineBlocks(0))`. A caller that answers each block at once thus answers each line as it comes. A last line without a line feed gets one.
 * A block is valid until the next one; a line in it may be longer than LONGEST_LINE, and may then lack its end. Reading blocks: the
 * caller has nothing else to do. Errors: those of read(2).
 */
export function* lineBlocks(fd: number): Generator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafe(LONGEST_LINE + MOST_READ);
  // Bytes of a line whose end is yet to come.
  let kept = 0;
  for (;;) {
    const count = whenReady(() => readSync(fd, buffer, kept, MOST_READ, null));
    if (count === 0) break;
    const filled = kept + count;
    const end = buffer.subarray(0, filled).lastIndexOf(LINE_FEED) + 1;
    if (end > 0) yield buffer.subarray(0, end);
    // Of a line that is longer, the rest is dropped up to its end.
    kept = Math.min(filled - end, LONGEST_LINE);
    buffer.copyWithin(0, end, end + kept);
  }
  if (kept === 0) return;
  buffer[kept] = LINE_FEED;
  yield buffer.subarray(0, kept + 1);
}
