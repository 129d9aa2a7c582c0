/** Inserts one module: finit_module(2). Never kills an init; the scheduler decides when. */
import { closeSync, constants, readFileSync, readSync } from 'node:fs';
import { addon, type InsertionDone } from '../base/addon.ts';
import { ERRNO, errnoOf } from '../base/errno.ts';
import { openInRoot } from '../base/root.ts';
import { compressionOf, MAGIC_LENGTH, type Compression } from '../facts/modfiles/compression.ts';
import { decompressAsync } from '../facts/modfiles/decompress.ts';
import { forcedImage, type Force } from './forced-image.ts';

/** One module to insert. */
export interface InsertionRequest {
  /** The tree that links stay in (see base/root.ts); '' for the live machine. */
  readonly root: string;
  /** The module file; what its name ends in plays no part. */
  readonly path: string;
  /** `param=value` words separated by blanks, as the kernel takes them; latin1. */
  readonly params: string;
  readonly force?: Force;
  /** The word of /sys/module/compression: what this kernel decompresses itself. Undefined: nothing. */
  readonly kernelCompression: string | undefined;
}

/** What happened. Times are CLOCK_MONOTONIC ns of the system call that decided; undefined if none was made. */
export type Insertion =
  | { readonly kind: 'inserted'; readonly call: InsertionCall }
  /** EEXIST: it was loaded before, or by somebody else meanwhile. */
  | { readonly kind: 'already-loaded'; readonly call: InsertionCall }
  | {
      readonly kind: 'refused';
      /** Positive: of open(2), of the decompression (EBADMSG, EFBIG, ENOSYS, ENOMEM), or the kernel's own. */
      readonly errno: number;
      readonly during: 'open' | 'decompress' | 'insert';
      /** A sentence where the errno alone does not say it: `damaged or truncated xz data`. */
      readonly why: string | undefined;
      readonly call: InsertionCall | undefined;
    };

/** The system call that decided. */
export interface InsertionCall {
  readonly name: 'finit_module' | 'init_module';
  readonly startedNs: bigint;
  readonly endedNs: bigint;
  /** Who decompressed the file; undefined when it is not compressed. */
  readonly decompressedBy: 'kernel' | 'plugd' | undefined;
}

const IGNORE_MODVERSIONS = 1;
const IGNORE_VERMAGIC = 2;
const COMPRESSED_FILE = 4;

/** The kernel's words for what is no regular file, for a file that is no ELF, and for a call that it has not. */
const LOOKED_INTO: ReadonlySet<number> = new Set([ERRNO.EINVAL, ERRNO.ENOEXEC, ERRNO.ENOSYS]);

/**
 * Inserts one module. Never throws for what the file or the kernel do; the call runs in a task of its own, so an init that
 * hangs keeps only its own promise waiting. Errors: `unsupported` when the addon is not built.
 *
 * The kernel gets the file (finit_module), compressed if it says that it knows that compression, else the image that
 * plugd decompressed (init_module). A kernel that cannot decompress a file after all (EINVAL: an .xz with a CRC64 check;
 * ENOSYS, EOPNOTSUPP: built without) gets the image too. kmod gives up there; see docs/differences.md.
 */
export async function insertModule(request: InsertionRequest): Promise<Insertion> {
  // O_NONBLOCK: a fifo in the module's place would wait for a writer.
  const fd = openInRoot(request.root, request.path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (fd < 0) return refused('open', -fd);
  try {
    const { force } = request;
    if (request.path.endsWith('.ko') && force?.modversions !== true && force?.vermagic !== true) {
      // Nearly always what its name says, and a look first would be one more read for each module of a boot.
      const insertion = await call('finit_module', undefined, (done) => {
        addon().finitModule(fd, request.params, 0, done);
      });
      if (insertion.kind !== 'refused' || !LOOKED_INTO.has(insertion.errno)) return insertion;
      const compression = readCompression(fd);
      if (compression !== undefined) return await insertOpened(fd, compression, request);
      return insertion.errno === ERRNO.ENOSYS ? await insertImage(fd, undefined, request) : insertion;
    }
    return await insertOpened(fd, readCompression(fd), request);
  } catch (error) {
    // A directory (EISDIR), a disk that fails (EIO).
    if ((error as { syscall?: unknown }).syscall !== 'read') throw error;
    return refused('open', errnoOf(error, ERRNO.EINVAL));
  } finally {
    closeSync(fd);
  }
}

function readCompression(fd: number): Compression | undefined {
  const head = new Uint8Array(MAGIC_LENGTH);
  readSync(fd, head, 0, MAGIC_LENGTH, 0);
  return compressionOf(head);
}

async function insertOpened(
  fd: number,
  compression: Compression | undefined,
  request: InsertionRequest,
): Promise<Insertion> {
  const { params, force } = request;
  const flags =
    (force?.modversions === true ? IGNORE_MODVERSIONS : 0) | (force?.vermagic === true ? IGNORE_VERMAGIC : 0);
  if (compression === undefined || compression === request.kernelCompression) {
    const by = compression === undefined ? undefined : 'kernel';
    const insertion = await call('finit_module', by, (done) => {
      addon().finitModule(fd, params, flags | (by === undefined ? 0 : COMPRESSED_FILE), done);
    });
    if (insertion.kind !== 'refused') return insertion;
    const retry = by === undefined ? [ERRNO.ENOSYS] : [ERRNO.EINVAL, ERRNO.ENOSYS, ERRNO.EOPNOTSUPP];
    if (!retry.includes(insertion.errno)) return insertion;
  }
  return insertImage(fd, compression, request);
}

async function insertImage(
  fd: number,
  compression: Compression | undefined,
  { params, force }: InsertionRequest,
): Promise<Insertion> {
  let image: Buffer = readFileSync(fd);
  if (compression !== undefined) {
    const unpacked = await decompressAsync(compression, image);
    if (unpacked.kind === 'undecompressable') return refused('decompress', unpacked.errno, unpacked.why);
    image = unpacked.image;
  }
  if (force?.modversions === true || force?.vermagic === true) image = forcedImage(image, force);
  return call('init_module', compression === undefined ? undefined : 'plugd', (done) => {
    addon().initModule(image, params, done);
  });
}

function call(
  name: InsertionCall['name'],
  decompressedBy: InsertionCall['decompressedBy'],
  start: (done: InsertionDone) => void,
): Promise<Insertion> {
  return new Promise((resolve) => {
    start((result, startedNs, endedNs) => {
      const made: InsertionCall = { name, startedNs, endedNs, decompressedBy };
      if (result === 0) resolve({ kind: 'inserted', call: made });
      else if (result === -ERRNO.EEXIST) resolve({ kind: 'already-loaded', call: made });
      else resolve({ kind: 'refused', errno: -result, during: 'insert', why: undefined, call: made });
    });
  });
}

function refused(during: 'open' | 'decompress', errno: number, why?: string): Insertion {
  return { kind: 'refused', errno, during, why, call: undefined };
}
