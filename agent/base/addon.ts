/** The door to the addon: the only file that loads it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PlugdError, reason } from './error.ts';
import { moduleUrl, NATIVE_FOLDERS } from './own-place.ts';

/**
 * The addon's functions: one system call each, answering 0 or -errno, knowing no policy. This file is the addon's only door.
 *
 * Calls that can sleep in the kernel for seconds (the three module calls) run in a task of their own each, never on
 * libuv's pool, and report through `done` on the main thread. Such a call is a child process that shares this one's
 * memory (native/core/module_calls.c says why): no signal reaches it, and when plugd ends, by process.exit or kill -9, the call
 * goes on undisturbed while plugd is gone at once. While calls are in flight the event loop stays alive.
 */
export interface Addon {
  /**
   * finit_module(2) in a task of its own. `params` is latin1 text. `done(result, startedNs, endedNs)`: result 0 or -errno
   * (-EINTR: its task was killed and nobody knows); times from CLOCK_MONOTONIC in ns (as process.hrtime.bigint()), of the
   * call alone. The caller closes `fd` in done.
   */
  finitModule(fd: number, params: string, flags: number, done: InsertionDone): void;
  /** init_module(2), the same; `image` is copied. */
  initModule(image: Uint8Array, params: string, done: InsertionDone): void;
  /** delete_module(2), the same; `flags` are O_NONBLOCK (0o4000) and O_TRUNC (0o1000). */
  deleteModule(name: string, flags: number, done: InsertionDone): void;
  /**
   * The descriptor of this process's kernel uevent socket (netlink protocol 15) bound to `portId`, or -ENOENT. Port ids are
   * unique within one protocol only, and are used again: ask in the turn in which the socket was made.
   */
  netlinkDescriptor(portId: number): number;
  /** SO_RCVBUFFORCE, or SO_RCVBUF where that is not permitted: the size the kernel then reports (bytes, doubled), or -errno. */
  setReceiveBuffer(fd: number, bytes: number): number;
  /** NETLINK_NO_ENOBUFS: overruns are found by SEQNUM gaps instead of an error that would abort the process. */
  setNoEnobufs(fd: number): number;
  /**
   * The whole of an image; `format` is a row of native/compression/decompress.cc: `xz` (multi-block and multi-stream, through
   * liblzma.so.5), `zstd` (multi-frame, libzstd.so.1). Or -errno: EBADMSG corrupt, truncated or
   * followed by something else, ENOSYS no library here, EFBIG more than `limit` bytes come out, ENOMEM.
   */
  decompress(format: string, image: Uint8Array, limit: number): Buffer | number;
  /**
   * The first stream (xz) or frame (zstd) of an image that goes on with something else, and how many bytes it takes; the same
   * errors, and EBADMSG only for what it took.
   */
  decompressFirst(format: string, image: Uint8Array, limit: number): FirstPart | number;
  /**
   * The same in pieces. Each piece is put at the start of `into`; `piece(length)` takes it, and returns false to stop. Returns how many bytes
   * the stream or frame takes, or -errno: those above, and ECANCELED when `piece` stopped.
   */
  decompressInPieces(
    format: string,
    image: Uint8Array,
    limit: number,
    into: Uint8Array,
    piece: (length: number) => boolean,
  ): number;
  /** decompress on libuv's pool; `image` must stay as it is until `done` gets the answer. */
  decompressAsync(format: string, image: Uint8Array, limit: number, done: (result: Buffer | number) => void): void;
  /** decompressFirst, in the same way. */
  decompressFirstAsync(
    format: string,
    image: Uint8Array,
    limit: number,
    done: (result: FirstPart | number) => void,
  ): void;
  /**
   * Named sections of a compressed module file, on libuv's pool: `parts` are offset and length of each range of the unpacked image;
   * their bytes are in `into`, one after the other, or in a buffer of their own if that is too small: the ELF header, the section headers (with 1 KiB in front of them), the section names, and
   * the sections. Of an .xz in several blocks only those are unpacked. Or -errno: -ENOTSUP for anything but one stream of whole ELF
   * headers, which says nothing about the file; EFBIG if that unpacks more than `limit` bytes; ENOSYS no library here; ENOMEM; or what read(2) answers.
   * The caller closes `fd` in done.
   */
  readModulePartsAsync(
    format: string,
    fd: number,
    size: number,
    limit: number,
    sections: readonly string[],
    into: Uint8Array,
    done: (result: ModuleParts | number) => void,
  ): void;
  /** _exit(2): ends the process without taking Node apart, and without its 'exit' listeners. */
  exitNow(status: number): void;
  /** One UTF-8 datagram to a unix socket (NOTIFY_SOCKET; '@' names are abstract), never waiting: 0 or -errno (EAGAIN full). */
  notify(socket: string, message: string): number;
  /** send(2) to a connected socket without waiting: how many bytes it took, or -errno (EAGAIN none now, ENOTSOCK). */
  sendNow(fd: number, bytes: Uint8Array): number;
  /** O_NONBLOCK for an open file, and so for all who share it: 0 or -errno. */
  setNonBlocking(fd: number): number;
  /**
   * openat2(2) with RESOLVE_IN_ROOT: `path` (bytes) is opened as if the folder `root` were the root directory. The descriptor, or
   * -errno: ENOSYS before Linux 5.6; some containers answer EPERM for the call itself.
   */
  openInRoot(root: string, path: Uint8Array, flags: number): number;
  /** fgetxattr(2): an extended attribute of an open file, or -errno: ENODATA there is none, EOPNOTSUPP the file system has none. */
  fileAttribute(fd: number, name: string): Buffer | number;
  /** flock(2), exclusive, without waiting: 0, or -errno (EAGAIN: somebody else holds it). It ends with the descriptor. */
  lockFile(fd: number): number;
  /**
   * The devices that the links in these folders lead to, in the order of the links' names: for each its link's target, the text
   * of its `uevent`, and that of its `modalias` (if `modalias`, and the uevent has no such line; '' otherwise), each ended by
   * a NUL; one more NUL at the end of each folder. latin1. What is no link or has no uevent is left out, a folder that is not
   * there has none.
   */
  readLinkedDevices(folders: readonly string[], modalias: boolean): string;
  /** The same on libuv's pool. */
  readLinkedDevicesAsync(folders: readonly string[], modalias: boolean, done: (text: string) => void): void;
  /**
   * Listens on a unix stream socket at `path` (mode 0600; nothing may be there), without keeping the event loop alive. `line` gets
   * the first line of each connection (latin1, without its end; up to 65,536 bytes), which is all that it may say. Or -errno.
   */
  listenLines(path: string, line: (connection: number, text: string) => void): LineSocket | number;
  /** Sets flags of V8 (`--no-opt`) as node:v8 does, without loading that; false when this Node does not have the function. */
  setV8Flags(flags: string): boolean;
  /** keyctl(KEYCTL_READ): the ids of a keyring's keys, by its own id; or -errno: EACCES not for this user, ENOSYS no keys. */
  readKeyring(id: number): readonly number[] | number;
}

/** What decompressFirst() answers; `consumed`: how many bytes it took. */
export interface FirstPart {
  readonly image: Buffer;
  readonly consumed: number;
}

/** What readModulePartsAsync() answers; `size` is that of the unpacked image. */
export interface ModuleParts {
  readonly size: number;
  readonly parts: readonly number[];
  /** There when `into` was too small. */
  readonly bytes?: Buffer;
}

/** A socket that listenLines() made. */
export interface LineSocket {
  /** latin1 text, at once or not at all: a peer that does not take it is dropped. `last` ends the connection. */
  send(connection: number, text: string, last: boolean): void;
  /** Ends all connections and removes the socket. */
  close(): void;
}

export type InsertionDone = (result: number, startedNs: bigint, endedNs: bigint) => void;

// Beside the bundle (dist/), beside the ESM files (dist/agent/base/), and from the TypeScript sources.
const STEPS = ['../', '../../../', '../../'];
const PLACES = NATIVE_FOLDERS.flatMap((folder) => STEPS.map((steps) => `${steps}${folder}/plugd.node`));

let loaded: Addon | undefined;

/** The addon, loaded at its first use. Errors: `unsupported` when it is not built or does not load on this machine. */
export function addon(): Addon {
  if (loaded !== undefined) return loaded;
  const own = moduleUrl(import.meta.url, 'base/addon.js');
  const require = createRequire(own);
  for (const place of PLACES) {
    const file = fileURLToPath(new URL(place, own));
    if (!existsSync(file)) continue;
    try {
      loaded = require(file) as Addon;
      return loaded;
    } catch (error) {
      throw new PlugdError('unsupported', `${file}: ${reason(error)}`, {
        remedy: 'rebuild it: npm run build:native',
        cause: error,
      });
    }
  }
  throw new PlugdError('unsupported', "plugd's addon (native/build/Release/plugd.node) is not built", {
    remedy: 'npm run build:native',
  });
}

/** The addon, or undefined where it is not built or does not load: for what works without it, too. */
export function addonIfBuilt(): Addon | undefined {
  try {
    return addon();
  } catch {
    return undefined;
  }
}
