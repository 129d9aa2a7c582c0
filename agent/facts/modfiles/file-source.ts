/** Reads an open module file part by part. Reads only; elf.ts interprets the bytes. */
import { closeSync, readSync } from 'node:fs';
import { errnoOf, errnoText } from '../../base/errno.ts';
import { PlugdError, reason } from '../../base/error.ts';
import type { ByteSource } from './elf.ts';

/**
 * An open file as a source. All files share one piece of memory for peeks, since a system call or a new buffer costs more than
 * reading some extra kilobytes. The first peek reads a small file whole; a peek at a larger one reads ahead, because callers
 * often ask next for what comes next in a module file.
 */
export class FileSource implements ByteSource {
  readonly size: number;
  readonly #path: string;
  readonly #fd: number;

  /** Errors of its methods: `unreadable`, naming `path`, when the disk fails. */
  constructor(path: string, fd: number, size: number) {
    this.#path = path;
    this.#fd = fd;
    this.size = size;
  }

  read(offset: number, length: number): Buffer {
    return this.#fill(offset, Buffer.allocUnsafe(length));
  }

  peek(offset: number, length: number): Buffer {
    const inWindow = window.owner === this && offset >= window.start && offset + length <= window.end;
    if (!inWindow) this.#load(offset, length);
    const from = offset - window.start;
    return window.bytes.subarray(from, Math.min(from + length, window.end - window.start));
  }

  #load(offset: number, length: number): void {
    const start = this.size <= WHOLE ? 0 : Math.min(offset, this.size);
    const end = Math.max(start, Math.min(this.size, Math.max(offset + length, start + AHEAD)));
    const wanted = this.size <= WHOLE ? this.size : end - start;
    if (window.bytes.length < wanted) window.bytes = Buffer.allocUnsafeSlow(Math.max(wanted, 1 << 18));
    window.owner = undefined;
    const got = this.#fill(start, window.bytes.subarray(0, wanted));
    Object.assign(window, { owner: this, start, end: start + got.length });
  }

  /** Fills `bytes` from the file, as far as it goes. */
  #fill(offset: number, bytes: Buffer): Buffer {
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const got = readSync(this.#fd, bytes, filled, bytes.length - filled, offset + filled);
        if (got === 0) return bytes.subarray(0, filled);
        filled += got;
      }
    } catch (error) {
      const errno = errnoOf(error, undefined);
      const why = errno === undefined ? reason(error) : errnoText(errno);
      throw new PlugdError('unreadable', `${this.#path}: ${why}`, { cause: error });
    }
    return bytes;
  }
}

/** Three quarters of Debian's modules are smaller than this. */
const WHOLE = 96 * 1024;
const AHEAD = 16 * 1024;

/** The shared memory, and which part of which file it holds. */
const window: { owner: FileSource | undefined; start: number; end: number; bytes: Buffer } = {
  owner: undefined,
  start: 0,
  end: 0,
  bytes: Buffer.alloc(0),
};

/** A file that is open; `path` names it for people. */
export interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly size: number;
}

/** The bytes of an open file, which it closes. Errors: `unreadable`. */
export function readWhole({ path, fd, size }: OpenFile): Buffer {
  try {
    return new FileSource(path, fd, size).read(0, size);
  } finally {
    closeSync(fd);
  }
}
