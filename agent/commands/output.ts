import { writeSync } from 'node:fs';

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
