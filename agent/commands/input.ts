/** Reads lines from standard input. Blocks, and keeps at most 64 KiB of a line. */
import { readSync } from 'node:fs';
import { whenReady } from '../base/blocking.ts';

/** Longer lines are cut: no name is that long, and memory stays bounded for any input. */
const LONGEST_LINE = 1 << 16;

/**
 * The lines of a descriptor as machine text (latin1), in groups: as many as one read brings, at most 64 KiB. A caller that answers each
 * group at once thus answers each line as it comes. A last line without a newline counts. A line over 64 KiB is cut to that length.
 * Reading blocks: the caller has nothing else to do. Errors: those of read(2).
 */
export function* lineGroups(fd: number): Generator<readonly string[], void, undefined> {
  const buffer = Buffer.allocUnsafe(1 << 16);
  let rest = '';
  for (;;) {
    const count = whenReady(() => readSync(fd, buffer));
    if (count === 0) break;
    const lines = buffer.toString('latin1', 0, count).split('\n');
    lines[0] = rest.length < LONGEST_LINE ? (rest + lines[0]).slice(0, LONGEST_LINE) : rest;
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest];
}
