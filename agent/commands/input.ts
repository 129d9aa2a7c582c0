import { readSync } from 'node:fs';

/** Lines longer than this are cut: no name is, and memory stays bounded whatever comes in. */
const LONGEST_LINE = 1 << 16;

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/**
 * The lines of a descriptor as machine text (latin1), in groups: as many as one read brings, at most 64 KiB, so that
 * whoever answers a group at once answers each line when it comes. A last line without a newline counts. A line over
 * 64 KiB comes cut to that. Reading blocks: the caller has nothing else to do. Errors: those of read(2).
 */
export function* lineGroups(fd: number): Generator<readonly string[], void, undefined> {
  const buffer = Buffer.allocUnsafe(1 << 16);
  let rest = '';
  for (;;) {
    const count = read(fd, buffer);
    if (count === 0) break;
    const lines = buffer.toString('latin1', 0, count).split('\n');
    lines[0] = rest.length < LONGEST_LINE ? (rest + lines[0]).slice(0, LONGEST_LINE) : rest;
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest];
}

function read(fd: number, buffer: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, buffer);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EOF') return 0;
      // A pipe or terminal that somebody else set non-blocking: wait a moment for its writer.
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 2);
    }
  }
}
