/**
 * The order of kmod's hash tables. depmod writes modules and symbols in the order of its tables: by bucket, and within one by name.
 * Where modules.order says nothing, that is the order of modules.dep, and so the priority of each module in the indexes. Byte-identical
 * indexes therefore need the same hash. Pure.
 *
 * It is Paul Hsieh's SuperFastHash (http://www.azillionmonkeys.com/qed/hash.html), which reads 16-bit words in the machine's byte order.
 * This one is little-endian; kmod on a big-endian machine has another order.
 */

/** The hash of latin1 text as an unsigned 32-bit number. */
export function superfastHash(text: string): number {
  const { length } = text;
  const word = (at: number): number => text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8);
  let hash = length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    hash = (hash + word(at)) | 0;
    hash = (hash << 16) ^ (word(at + 2) << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }
  switch (length - at) {
    case 3:
      hash = (hash + word(at)) | 0;
      hash ^= hash << 16;
      hash ^= signed(text.charCodeAt(at + 2)) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + word(at)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + signed(text.charCodeAt(at))) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
      break;
    default:
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  hash = (hash + (hash >>> 6)) | 0;
  return hash >>> 0;
}

/** A C char above 127 is negative on x86; names of modules and symbols are ASCII, where it makes no difference. */
function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** The items in the order of a table of `buckets` (a power of two) that holds them by `name`. */
export function hashOrder<Item>(items: readonly Item[], name: (item: Item) => string, buckets: number): Item[] {
  const table: Array<Array<{ readonly item: Item; readonly key: string }>> = Array.from({ length: buckets }, () => []);
  for (const item of items) {
    const key = name(item);
    table[superfastHash(key) & (buckets - 1)]?.push({ item, key });
  }
  for (const bucket of table) bucket.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return table.flatMap((bucket) => bucket.map(({ item }) => item));
}

/** depmod's table of modules. */
export const MODULE_BUCKETS = 512;
/** depmod's table of symbols. */
export const SYMBOL_BUCKETS = 2048;
