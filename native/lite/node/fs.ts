/** node:fs for plugd-lite: the functions that its commands call, typed as Node's. */
import type * as Fs from 'node:fs';
import { host, type HostPath } from '../host.ts';
import { Bytes } from './bytes.ts';
import { done, systemError } from './error.ts';
import { folderEntry, Folder } from './folder.ts';
import { statOf } from './stat.ts';

const O_WRONLY_CREAT_TRUNC = 0o1101;
const O_EXCL = 0o200;

/** open(2)'s flags; the same on every architecture that plugd-lite is built for but O_DIRECTORY and O_NOFOLLOW on arm. */
export const constants = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY: host.machine() === 'aarch64' ? 0o40000 : 0o200000,
  O_NOFOLLOW: host.machine() === 'aarch64' ? 0o100000 : 0o400000,
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4,
} as typeof Fs.constants;

type Encoded = { readonly encoding?: string | null } | string | null | undefined;

function encodingOf(options: Encoded): string | undefined {
  return (typeof options === 'string' ? options : options?.encoding) ?? undefined;
}

/** Names come as latin1; without an encoding they are UTF-8 text. */
function named(name: string, options: Encoded): string {
  return encodingOf(options) === 'latin1' || host.utf8Length(name) === name.length
    ? name
    : Bytes.from(name, 'latin1').toString('utf8');
}

function readFile(file: HostPath | number, options?: Encoded): string | Bytes {
  // Of a file that is open, only reading can fail; callers tell the two apart.
  const data = done(host.readWhole(file), typeof file === 'number' ? 'read' : 'open', file);
  const encoding = encodingOf(options);
  const bytes = new Bytes(data);
  return encoding === undefined ? bytes : bytes.toString(encoding === 'latin1' ? 'latin1' : 'utf8');
}

function list(path: HostPath, options?: Encoded & { readonly withFileTypes?: boolean }): unknown[] {
  const entries = done(host.readFolder(path), 'scandir', path);
  const typed = typeof options === 'object' && options?.withFileTypes === true;
  const found: unknown[] = [];
  for (let i = 0; i < entries.length; i += 2) {
    const name = named(entries[i] as string, options);
    found.push(typed ? folderEntry(name, entries[i + 1] as number, String(path)) : name);
  }
  return found;
}

interface StatOptions {
  readonly bigint?: boolean;
  readonly throwIfNoEntry?: boolean;
}

function stat(file: HostPath | number, link: boolean, call: string, options: StatOptions = {}): unknown {
  const found = host.stat(file, link);
  if (typeof found !== 'number') return statOf(found, options.bigint === true);
  // ENOENT and ENOTDIR.
  if (options.throwIfNoEntry === false && (found === -2 || found === -20)) return undefined;
  throw systemError(found, call, file);
}

function write(fd: number, data: string | Uint8Array, from = 0, length?: number, position?: number | null): number {
  // With text the third argument is a position.
  if (typeof data === 'string') return write(fd, Bytes.from(data), 0, undefined, from);
  return done(host.write(fd, data, from, length ?? data.length - from, position ?? -1), 'write');
}

function writeFile(path: HostPath, data: string | Uint8Array, options?: { flag?: string; mode?: number }): void {
  const flags = O_WRONLY_CREAT_TRUNC | (options?.flag === 'wx' ? O_EXCL : 0);
  const fd = done(host.open(path, flags, options?.mode ?? 0o666), 'open', path);
  try {
    const bytes = typeof data === 'string' ? Bytes.from(data) : data;
    for (let from = 0; from < bytes.length;) from += write(fd, bytes, from);
  } finally {
    host.close(fd);
  }
}

function makeFolders(path: string, mode: number): void {
  const result = host.makeFolder(path, mode);
  if (result === -2 && path.lastIndexOf('/') > 0) {
    makeFolders(path.slice(0, path.lastIndexOf('/')), mode);
    done(host.makeFolder(path, mode), 'mkdir', path);
  } else if (result !== -17 || host.stat(path, false) === -2) done(result, 'mkdir', path);
}

type Functions = Pick<
  typeof Fs,
  | 'accessSync'
  | 'closeSync'
  | 'existsSync'
  | 'fstatSync'
  | 'ftruncateSync'
  | 'lstatSync'
  | 'mkdirSync'
  | 'opendirSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'readlinkSync'
  | 'readSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'symlinkSync'
  | 'writeFileSync'
  | 'writeSync'
> & { readonly realpathSync: (path: string) => string };

/** Node's overloads answer by the options' types; what they say is the tests' to hold. */
const functions: Functions = {
  accessSync: (path, mode = 0) => void done(host.access(path as HostPath, mode), 'access', path),
  closeSync: (fd) => void done(host.close(fd), 'close'),
  existsSync: (path) => host.access(path as HostPath, 0) === 0,
  fstatSync: ((fd: number, options?: StatOptions) => stat(fd, false, 'fstat', options)) as typeof Fs.fstatSync,
  ftruncateSync: (fd, size) => void done(host.truncate(fd, size ?? 0), 'ftruncate'),
  lstatSync: ((path: HostPath, options?: StatOptions) => stat(path, true, 'lstat', options)) as typeof Fs.lstatSync,
  mkdirSync: ((path: string, options?: { recursive?: boolean; mode?: number }) => {
    if (options?.recursive === true) makeFolders(path, options.mode ?? 0o777);
    else done(host.makeFolder(path, options?.mode ?? 0o777), 'mkdir', path);
  }) as typeof Fs.mkdirSync,
  opendirSync: ((path: string) => new Folder(path)) as unknown as typeof Fs.opendirSync,
  openSync: (path, flags, mode) =>
    done(host.open(path as HostPath, Number(flags), Number(mode ?? 0o666)), 'open', path),
  readdirSync: list as unknown as typeof Fs.readdirSync,
  readFileSync: readFile as typeof Fs.readFileSync,
  readlinkSync: ((path: HostPath, options?: Encoded) =>
    named(done(host.readLink(path), 'readlink', path), options)) as typeof Fs.readlinkSync,
  readSync: ((fd: number, into: Uint8Array, from: unknown, length?: number, position?: number | bigint | null) => {
    if (typeof from === 'object' && from !== null) {
      const o = from as { offset?: number; length?: number; position?: number | null };
      return done(
        host.read(fd, into, o.offset ?? 0, o.length ?? into.length - (o.offset ?? 0), o.position ?? -1),
        'read',
      );
    }
    const offset = (from as number | undefined) ?? 0;
    return done(host.read(fd, into, offset, length ?? into.length - offset, Number(position ?? -1)), 'read');
  }) as typeof Fs.readSync,
  realpathSync: (path) => named(done(host.realPath(path), 'realpath', path), undefined),
  renameSync: (from, to) => void done(host.rename(from as HostPath, to as HostPath), 'rename', from),
  rmSync: (path, options) => {
    const result = host.unlink(path as HostPath);
    if (result !== -2 || options?.force !== true) done(result, 'rm', path);
  },
  statSync: ((path: HostPath, options?: StatOptions) => stat(path, false, 'stat', options)) as typeof Fs.statSync,
  symlinkSync: (target, path) => void done(host.link(target as HostPath, path as HostPath), 'symlink', path),
  writeFileSync: writeFile as typeof Fs.writeFileSync,
  writeSync: write as typeof Fs.writeSync,
};

export const {
  accessSync,
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} = functions;
