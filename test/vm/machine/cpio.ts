/**
 * Writes archives in the "new ASCII" cpio format that the kernel unpacks as its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst). An entry, each field eight hexadecimal digits:
 *
 *     070701 ino mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check
 *     name NUL, padded to 4 bytes; data, padded to 4 bytes
 *
 * The last entry is named `TRAILER!!!`. Archives may follow each other in one file, each beginning at a multiple of 4 bytes; later ones
 * replace files of earlier ones.
 */
import { closeSync, fstatSync, openSync, readFileSync, readdirSync, readlinkSync, lstatSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = 0o040755;
const SYMLINK = 0o120777;
const CHARACTER = 0o020600;
const REGULAR = 0o100000;

/** What is missing to a multiple of 4 bytes. */
function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}

/** One archive appended to a file. Folders above an entry are made by themselves; an entry given twice is written once, the first. */
export class CpioWriter {
  readonly #fd: number;
  readonly #seen = new Set<string>();
  #ino = 1;

  constructor(file: string) {
    this.#fd = openSync(file, 'a');
    const rest = fstatSync(this.#fd).size % 4;
    if (rest > 0) writeSync(this.#fd, Buffer.alloc(4 - rest));
  }

  #entry(name: string, mode: number, data: Uint8Array, device: readonly [number, number] = [0, 0]): void {
    const bytes = Buffer.from(`${name}\0`);
    const fields = [this.#ino++, mode, 0, 0, 1, 0, data.length, 0, 0, device[0], device[1], bytes.length, 0];
    const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
    const parts = [head, bytes, padding(head.length + bytes.length), data, padding(data.length)];
    let rest: Uint8Array = Buffer.concat(parts);
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd, rest));
  }

  /** True the first time; makes the folders above. */
  #first(name: string): boolean {
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    const cut = name.lastIndexOf('/');
    if (cut > 0) this.folder(name.slice(0, cut));
    return true;
  }

  /** A folder; `name` without a slash at its start, as everywhere here. */
  folder(name: string): void {
    if (this.#first(name)) this.#entry(name, DIRECTORY, new Uint8Array());
  }

  /** A symbolic link at `name` to `target`. */
  link(name: string, target: string): void {
    if (this.#first(name)) this.#entry(name, SYMLINK, Buffer.from(target));
  }

  /** A file with this content. */
  file(name: string, data: string | Uint8Array, mode = 0o644): void {
    if (this.#first(name)) this.#entry(name, REGULAR | mode, Buffer.from(data));
  }

  /** A character device. */
  device(name: string, major: number, minor: number): void {
    if (this.#first(name)) this.#entry(name, CHARACTER, new Uint8Array(), [major, minor]);
  }

  /**
   * A file, link or whole folder of this machine, placed at `name`; `rename` changes a path below it, or drops it with
   * undefined. Sockets, pipes and devices are left out.
   */
  copy(source: string, name: string, rename: (path: string) => string | undefined = (path) => path): void {
    const stat = lstatSync(source);
    const target = rename(name);
    if (target === undefined) return;
    if (stat.isSymbolicLink()) this.link(target, readlinkSync(source));
    else if (stat.isFile()) this.file(target, readFileSync(source), stat.mode & 0o7777);
    else if (stat.isDirectory()) {
      if (target !== '') this.folder(target);
      for (const child of readdirSync(source).toSorted()) {
        this.copy(join(source, child), name === '' ? child : `${name}/${child}`, rename);
      }
    }
  }

  /** Ends the archive. */
  end(): void {
    this.#entry('TRAILER!!!', 0, new Uint8Array());
    closeSync(this.#fd);
  }
}
