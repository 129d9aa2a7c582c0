/**
 * Why compressed bytes cannot be unpacked. One cause is the window that a header asks for: how many bytes of its output a decompressor must
 * keep. Pure. Sources: the .xz file format, 1.1.0 (Block Header, LZMA2); RFC 8878 (Window_Descriptor).
 */
import { ERRNO, errnoText } from '../../base/errno.ts';
import { compressionRow, type Compression } from './compression.ts';

/** Bytes that could not be decompressed; `why` names the compression. */
export interface Undecompressable {
  readonly kind: 'undecompressable';
  readonly why: string;
  readonly errno: number;
}

/** The answer for bytes that could not be decompressed. `error` is a positive errno, `limit` the most bytes that may come out. */
export function failed(compression: Compression, error: number, limit: number, bytes: Uint8Array): Undecompressable {
  const window = windowSize(compression, bytes);
  const most = MOST_WINDOW[compression] ?? Infinity;
  // libzstd has no error of its own for it.
  if ((error === ERRNO.ENOMEM || error === ERRNO.EBADMSG) && window !== undefined && window > most) {
    const [needed, allowed] = [window, most].map((size) => Math.ceil(size / (1 << 20)));
    const why = `the ${compression} data needs a window of ${needed} MiB, and plugd allows ${allowed}`;
    return { kind: 'undecompressable', why, errno: ERRNO.ENOMEM };
  }
  const errno = error;
  const why =
    errno === ERRNO.EBADMSG
      ? `damaged or truncated ${compression} data`
      : errno === ERRNO.EFBIG
        ? `more than ${Math.floor(limit / (1 << 20))} MiB when decompressed`
        : errno === ERRNO.ENOSYS
          ? `no ${compression} decompressor here (${libraryText(compression)}the program ${compression})`
          : `the ${compression} data could not be decompressed: ${errnoText(errno).toLowerCase()}`;
  return { kind: 'undecompressable', why, errno };
}

function libraryText(compression: Compression): string {
  const { library } = compressionRow(compression);
  return library === undefined ? '' : `${library}, or `;
}

/** The largest window that plugd allows, in bytes, where a header can ask for more: native/compression/xz.cc, and libzstd's own limit for streams. */
export const MOST_WINDOW: Readonly<Partial<Record<Compression, number>>> = { xz: 160 << 20, zstd: 128 << 20 };

/** The window of the first stream or frame; undefined where the header does not tell it, and where it is fixed (gzip: 32 KiB). */
export function windowSize(compression: Compression, bytes: Uint8Array): number | undefined {
  if (compression === 'xz') return ofXz(bytes);
  return compression === 'zstd' ? ofZstd(bytes) : undefined;
}

const LZMA2 = 0x21;

function ofXz(bytes: Uint8Array): number | undefined {
  // A header of 12 bytes; of the block's: its size, flags, two optional lengths, then the filters.
  const flags = bytes[13] ?? 0;
  let at = 14;
  const number = () => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  for (const flag of [0x40, 0x80]) if ((flags & flag) !== 0) number();
  for (let filter = 0; filter <= (flags & 3); filter++) {
    const id = number();
    const length = number();
    const bits = bytes[at] ?? 0;
    if (id === LZMA2)
      return bits > 40 ? undefined : bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
    at += length;
  }
  return undefined;
}

function ofZstd(bytes: Uint8Array): number | undefined {
  const flags = bytes[4] ?? 0;
  // A frame in one segment has no window of its own: its contents are it.
  if ((flags & 0x20) !== 0) return contentSize(bytes, flags);
  const descriptor = bytes[5] ?? 0;
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Frame_Content_Size of a frame in one segment: it stands behind the dictionary's number. */
function contentSize(bytes: Uint8Array, flags: number): number | undefined {
  const start = 5 + ([0, 1, 2, 4][flags & 3] ?? 0);
  const length = 1 << (flags >> 6);
  if (start + length > bytes.length) return undefined;
  let size = length === 2 ? 256 : 0;
  for (let i = 0; i < length; i++) size += (bytes[start + i] ?? 0) * 2 ** (8 * i);
  return size;
}
