/**
 * Writes an archive that the kernel unpacks as part of its first file system ("newc"; facts/initramfs/cpio.ts has the format). Two runs
 * over the same files give the same bytes: no times, no owners. Writes one file, whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { PlugdError, reason } from '../base/error.ts';
import { toMachineText } from '../base/machine-text.ts';

const FOLDER = 0o040755;
const LINK = 0o120777;
const FILE = 0o100644;

/** What an archive holds at a path: bytes, which are read when it is written, or a link's text. */
export interface ArchiveEntry {
  /** Absolute: `/usr/lib/firmware/x.bin`. */
  readonly path: string;
  readonly content:
    | { readonly kind: 'bytes'; readonly read: () => Buffer }
    | { readonly kind: 'link'; readonly target: string };
}

/**
 * Writes the entries, with the folders above them, in the order of their paths. The file may be appended to any initramfs. Errors:
 * `system`, naming the file.
 */
export function writeArchive(file: string, entries: readonly ArchiveEntry[]): void {
  const part = `${file}.${randomBytes(6).toString('hex')}.part`;
  try {
    const fd = openSync(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    try {
      const archive = new Archive(fd);
      for (const entry of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) archive.add(entry);
      archive.end();
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    if (error instanceof PlugdError) throw error;
    throw new PlugdError('system', reason(error), { file, cause: error });
  }
}

class Archive {
  readonly #fd: number;
  readonly #folders = new Set<string>();
  #count = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  add({ path, content }: ArchiveEntry): void {
    const names = path.split('/').slice(1, -1);
    names.forEach((_, i) => this.#folder(names.slice(0, i + 1).join('/')));
    const name = path.slice(1);
    if (content.kind === 'link') this.#entry(name, LINK, Buffer.from(toMachineText(content.target), 'latin1'));
    else this.#entry(name, FILE, content.read());
  }

  end(): void {
    this.#entry('TRAILER!!!', 0, Buffer.alloc(0));
  }

  #folder(name: string): void {
    if (this.#folders.has(name)) return;
    this.#folders.add(name);
    this.#entry(name, FOLDER, Buffer.alloc(0));
  }

  #entry(name: string, mode: number, data: Buffer): void {
    const bytes = Buffer.from(`${toMachineText(name)}\0`, 'latin1');
    const fields = [++this.#count, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, bytes.length, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    for (const part of [Buffer.from(head), bytes, padding(head.length + bytes.length), data, padding(data.length)])
      for (let from = 0; from < part.length;) from += writeSync(this.#fd, part, from);
  }
}

/** What is missing to a multiple of 4 bytes. */
function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
