import { fstatSync, writeSync } from 'node:fs';

/**
 * Writes to a descriptor at once and whole. process.stdout costs 2 ms to make and, on a pipe, loses what is unwritten at
 * exit; one write(2) has neither fault. A reader that went away ends the process quietly, as SIGPIPE would.
 */
function write(fd: number, data: Buffer): void {
  let from = 0;
  while (from < data.length) {
    try {
      from += writeSync(fd, data, from);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') process.exit(141);
      // A pipe that somebody else set non-blocking: wait a moment for its reader.
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 2);
    }
  }
}
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** Data, to standard output, UTF-8. */
export function print(text: string): void {
  write(1, Buffer.from(text, 'utf8'));
}

/** Machine text (decoded as latin1) to standard output, byte for byte as it came in. */
export function printBytes(text: string): void {
  write(1, Buffer.from(text, 'latin1'));
}

/** Talk, to standard error. */
export function say(text: string): void {
  write(2, Buffer.from(text, 'utf8'));
}

/** Talk that is machine text (latin1), to standard error, byte for byte. */
export function sayBytes(text: string): void {
  write(2, Buffer.from(text, 'latin1'));
}

/** The major number of /dev/null and its kind: character devices that are no terminal. */
const MEMORY_DEVICES = 1;

/**
 * Whether descriptor 1 or 2 is a terminal, and its width. process.stdout is asked only when it may be one: making that
 * stream loads Node's whole network stack, a tenth of a second on a slow machine.
 */
export function streamOf(descriptor: 1 | 2): { readonly isTTY: boolean; readonly columns?: number } {
  const { rdev, mode } = fstatSync(descriptor);
  const isCharacterDevice = (mode & 0o170000) === 0o020000;
  if (!isCharacterDevice || rdev >> 8 === MEMORY_DEVICES) return { isTTY: false };
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  return stream.isTTY ? { isTTY: true, columns: stream.columns } : { isTTY: false };
}
