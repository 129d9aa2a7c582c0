/**
 * Decompresses module files and parts of images, never beyond a limit. gzip is node:zlib's work; the rest is the addon's, with C
 * libraries. Where those libraries are missing, it runs the programs (compression.ts has a row for each).
 */
import type * as ChildProcess from 'node:child_process';
import { createRequire } from 'node:module';
import type * as Zlib from 'node:zlib';
import { addon, type FirstPart } from '../../base/addon.ts';
import { ERRNO } from '../../base/errno.ts';
import { fsCode, PlugdError } from '../../base/error.ts';
import {
  compressionOf,
  compressionRow,
  MAGIC_LENGTH,
  type Compression,
  type LibraryCompression,
} from './compression.ts';
import { failed, type Undecompressable } from './undecompressable.ts';
import { moduleUrl } from '../../base/own-place.ts';

/**
 * The largest module image plugd handles, in bytes. The largest real modules (amdgpu, with debug information) are near 400 MB; a
 * small hostile file can claim any size.
 */
export const IMAGE_LIMIT = 512 * 1024 * 1024;

/** The whole image, or why there is none: `errno` is EBADMSG (corrupt), EFBIG (over the limit), ENOSYS (no decompressor), ENOMEM. */
export type Decompressed = { readonly kind: 'image'; readonly image: Buffer } | Undecompressable;

/** Decompresses a whole file in memory; at most `limit` bytes may come out. */
export function decompress(compression: Compression, file: Uint8Array, limit: number = IMAGE_LIMIT): Decompressed {
  return compression === 'gzip' ? gunzip(file, limit) : unpack(compression, file, limit);
}

/** The first part of some bytes, and its length in the compressed bytes; the same errors as for a whole file. */
export type DecompressedPart =
  | { readonly kind: 'part'; readonly image: Buffer; readonly consumed: number }
  | Undecompressable;

/** Decompresses the first stream, frame or member; other bytes may follow it (an initramfs image). */
export function decompressPart(compression: Compression, bytes: Uint8Array, limit: number): DecompressedPart {
  if (compression === 'gzip') return gunzipPart(bytes, limit);
  let first: FirstPart | number;
  try {
    first = addon().decompressFirst(compression, bytes, limit);
  } catch (error) {
    if (!(error instanceof PlugdError)) throw error;
    first = -ERRNO.ENOSYS;
  }
  return firstPart(compression, bytes, limit, first);
}

/** The same on libuv's pool, but for gzip. `bytes` must not change until it is done. */
export async function decompressPartAsync(
  compression: Compression,
  bytes: Uint8Array,
  limit: number,
): Promise<DecompressedPart> {
  if (compression === 'gzip') return gunzipPart(bytes, limit);
  const first = await new Promise<FirstPart | number>((resolve) => {
    try {
      addon().decompressFirstAsync(compression, bytes, limit, resolve);
    } catch (error) {
      if (!(error instanceof PlugdError)) throw error;
      resolve(-ERRNO.ENOSYS);
    }
  });
  return firstPart(compression, bytes, limit, first);
}

function firstPart(
  compression: Compression,
  bytes: Uint8Array,
  limit: number,
  first: FirstPart | number,
): DecompressedPart {
  return typeof first === 'number' ? failed(compression, -first, limit, bytes) : { kind: 'part', ...first };
}

/** decompress() without blocking: on libuv's pool, several at a time. `file` must not change until it is done. */
export async function decompressAsync(
  compression: Compression,
  file: Uint8Array,
  limit: number = IMAGE_LIMIT,
): Promise<Decompressed> {
  if (compression === 'gzip') return gunzipAsync(file, limit);
  const answer = await new Promise<Buffer | number>((resolve) => {
    try {
      addon().decompressAsync(compression, file, limit, resolve);
    } catch (error) {
      if (!(error instanceof PlugdError)) throw error;
      resolve(-ERRNO.ENOSYS);
    }
  });
  return result(compression, file, limit, answer);
}

// Loaded lazily: zlib takes 3 ms to load, child_process 2, and most commands never need them.
const load = createRequire(moduleUrl(import.meta.url, 'facts/modfiles/decompress.js'));

function gunzip(file: Uint8Array, limit: number): Decompressed {
  const { gunzipSync } = load('node:zlib') as typeof Zlib;
  try {
    return { kind: 'image', image: gunzipSync(file, { maxOutputLength: limit }) };
  } catch (error) {
    return gunzipMembers(error, file, limit);
  }
}

/** After an error: tries the members alone, if something else follows them. */
function gunzipMembers(error: unknown, file: Uint8Array, limit: number): Decompressed {
  // A file that is too large stays so, and another try would take its memory again.
  const length = fsCode(error) === TOO_LARGE ? undefined : membersLength(file, limit);
  return length === undefined ? gzipFailed(error, limit) : gunzip(file.subarray(0, length), limit);
}

/**
 * The length of the members at the start of a gzip file, if something else follows them. gzip and kmod ignore that rest; Node's zlib takes
 * it for a damaged member.
 */
function membersLength(file: Uint8Array, limit: number): number | undefined {
  let end = 0;
  while (compressionOf(file.subarray(end, end + MAGIC_LENGTH)) === 'gzip') {
    const part = gunzipPart(file.subarray(end), limit);
    if (part.kind !== 'part') return undefined;
    end += part.consumed;
  }
  return end > 0 && end < file.length ? end : undefined;
}

/**
 * One member of a gzip file. zlib reads members to the end and takes anything that follows for another one, so this function
 * reads the header itself and passes on only the deflated data. Source: RFC 1952.
 */
function gunzipPart(bytes: Uint8Array, limit: number): DecompressedPart {
  const start = gzipHeaderLength(bytes);
  if (start === undefined) return failed('gzip', ERRNO.EBADMSG, limit, bytes);
  const { inflateRawSync } = load('node:zlib') as typeof Zlib;
  try {
    const options = { maxOutputLength: limit, info: true };
    const { buffer, engine } = inflateRawSync(bytes.subarray(start), options) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    // A checksum and the length follow, 4 bytes each.
    const end = start + engine.bytesWritten + 8;
    if (end > bytes.length || readLength(bytes, end - 4) !== buffer.length % 2 ** 32)
      return failed('gzip', ERRNO.EBADMSG, limit, bytes);
    return { kind: 'part', image: buffer, consumed: end };
  } catch (error) {
    return gzipFailed(error, limit);
  }
}

function readLength(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}

/** Where the deflated data of a gzip member begins; undefined when there is no such member. */
function gzipHeaderLength(bytes: Uint8Array): number | undefined {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  // The original name and a comment end with a NUL each.
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if ((flags & 2) !== 0) at += 2;
  return bytes[2] === 8 && at < bytes.length ? at : undefined;
}

async function gunzipAsync(file: Uint8Array, limit: number): Promise<Decompressed> {
  const { gunzip: start } = load('node:zlib') as typeof Zlib;
  return new Promise((resolve) => {
    start(file, { maxOutputLength: limit }, (error, image) =>
      // Damaged files are rare, so this may block.
      resolve(error === null ? { kind: 'image', image } : gunzipMembers(error, file, limit)),
    );
  });
}

const NOTHING = new Uint8Array();
const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE';

function gzipFailed(error: unknown, limit: number): Undecompressable {
  const code = fsCode(error);
  // Not Node's zlib: plugd-lite runs the program.
  const errno = code === TOO_LARGE ? ERRNO.EFBIG : code === 'ENOENT' ? ERRNO.ENOSYS : ERRNO.EBADMSG;
  return failed('gzip', errno, limit, NOTHING);
}

function unpack(compression: LibraryCompression, file: Uint8Array, limit: number): Decompressed {
  let answer: Buffer | number = -ERRNO.ENOSYS;
  try {
    answer = addon().decompress(compression, file, limit);
  } catch (error) {
    // The programs work without the addon.
    if (!(error instanceof PlugdError)) throw error;
  }
  return result(compression, file, limit, answer);
}

function result(
  compression: LibraryCompression,
  file: Uint8Array,
  limit: number,
  answer: Buffer | number,
): Decompressed {
  if (answer === -ERRNO.ENOSYS) return unpackByProgram(compression, file, limit);
  return typeof answer === 'number' ? failed(compression, -answer, limit, file) : { kind: 'image', image: answer };
}

/** The same by running the row's program (`xz -dc`), which reads the file from standard input; for machines without the libraries. */
export function unpackByProgram(compression: LibraryCompression, file: Uint8Array, limit: number): Decompressed {
  const { spawnSync } = load('node:child_process') as typeof ChildProcess;
  const [program = compression, ...options] = compressionRow(compression).program ?? [];
  const run = spawnSync(program, options, {
    input: file,
    maxBuffer: limit,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const code = fsCode(run.error);
  if (code === 'ENOBUFS') return failed(compression, ERRNO.EFBIG, limit, file);
  if (code === 'ENOENT') return failed(compression, ERRNO.ENOSYS, limit, file);
  // EPIPE alone only says that the program stopped reading; its exit status says the rest.
  return run.status === 0 ? { kind: 'image', image: run.stdout } : failed(compression, ERRNO.EBADMSG, limit, file);
}
