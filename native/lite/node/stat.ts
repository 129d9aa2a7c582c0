/** What stat(2) says, with the methods of node:fs's Stats. */
import type { HostStat } from '../host.ts';

const S_IFMT = 0o170000;

/** `statOf(host.stat('/x', false), false).isFile()`; with `bigint` the numbers are bigints, and there is mtimeNs. */
export class Stat {
  readonly #kind: number;
  readonly mode: number | bigint;
  readonly size: number | bigint;
  readonly ino: number | bigint;
  readonly mtimeMs: number | bigint;
  readonly mtimeNs: bigint;
  readonly rdev: number | bigint;
  readonly uid: number | bigint;
  readonly gid: number | bigint;
  readonly dev: number | bigint;
  readonly nlink: number | bigint;

  constructor(values: HostStat, bigint: boolean) {
    const [mode = 0, size = 0, ino = 0, seconds = 0, nanoseconds = 0, rdev = 0, uid = 0, gid = 0, dev = 0, nlink = 0] =
      values;
    const number = bigint ? (value: number) => BigInt(value) : (value: number) => value;
    this.#kind = mode & S_IFMT;
    this.mode = number(mode);
    this.size = number(size);
    this.ino = number(ino);
    this.rdev = number(rdev);
    this.uid = number(uid);
    this.gid = number(gid);
    this.dev = number(dev);
    this.nlink = number(nlink);
    this.mtimeNs = bigint ? BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds) : 0n;
    this.mtimeMs = bigint ? this.mtimeNs / 1_000_000n : seconds * 1000 + nanoseconds / 1e6;
  }

  isDirectory(): boolean {
    return this.#kind === 0o040000;
  }

  isFile(): boolean {
    return this.#kind === 0o100000;
  }

  isSymbolicLink(): boolean {
    return this.#kind === 0o120000;
  }

  isFIFO(): boolean {
    return this.#kind === 0o010000;
  }

  isSocket(): boolean {
    return this.#kind === 0o140000;
  }

  isCharacterDevice(): boolean {
    return this.#kind === 0o020000;
  }

  isBlockDevice(): boolean {
    return this.#kind === 0o060000;
  }
}

/** The same as a function. */
export function statOf(values: HostStat, bigint: boolean): Stat {
  return new Stat(values, bigint);
}
