/** Entries of folders, as node:fs's Dirent and Dir. */
import { host } from '../host.ts';
import { done } from './error.ts';

const DT = { folder: 4, file: 8, link: 10 } as const;

/** One entry; `name` may be replaced, as base/root.ts does. */
export class Entry {
  name: string;
  readonly parentPath: string;
  readonly #type: number;

  constructor(name: string, type: number, parentPath: string) {
    this.name = name;
    this.parentPath = parentPath;
    this.#type = type;
  }

  isDirectory(): boolean {
    return this.#type === DT.folder;
  }

  isFile(): boolean {
    return this.#type === DT.file;
  }

  isSymbolicLink(): boolean {
    return this.#type === DT.link;
  }
}

/** `type` is readdir(3)'s; a file system that says none (0) is asked for each entry. */
export function folderEntry(name: string, type: number, parentPath: string): Entry {
  if (type !== 0) return new Entry(name, type, parentPath);
  const stat = host.stat(`${parentPath}/${name}`, true);
  return new Entry(name, typeof stat === 'number' ? 0 : ((stat[0] ?? 0) & 0o170000) >> 12, parentPath);
}

/** node:fs's Dir, read at once. */
export class Folder {
  readonly #path: string;
  readonly #entries: ReadonlyArray<string | number>;
  #at = 0;

  /** Errors: those of opendir(3). */
  constructor(path: string) {
    this.#path = path;
    this.#entries = done(host.readFolder(path), 'opendir', path);
  }

  readSync(): Entry | null {
    if (this.#at >= this.#entries.length) return null;
    const [name, type] = this.#entries.slice(this.#at, this.#at + 2);
    this.#at += 2;
    return folderEntry(name as string, type as number, this.#path);
  }

  closeSync(): void {}
}
