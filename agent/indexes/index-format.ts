/**
 * kmod's index files (`modules.alias.bin` and its four siblings), as depmod writes them. Each holds one radix trie.
 *
 *     B0 07 F4 57   magic
 *     00 02 00 01   version: major 2, minor 1; readers check the major half only
 *     E0 13 A4 7B   reference to the root
 *
 * All numbers are 32 bits, big-endian. A reference is four flag bits and a 28-bit file offset; offset 0 means no node. The
 * flags tell which parts the node at that offset has, in this order:
 *
 *     0x8 prefix     bytes up to a NUL: the edge's label after the byte that led here
 *     0x2 children   first byte, last byte, then last-first+1 references (0 where there is no child)
 *     0x4 values     count, then for each a priority and a NUL-terminated string
 *
 * As an example, the node of `pci:v00001AF4d*sv*sd*bc*sc*i*` → `virtio_pci` in Debian's amd64 index. Its parent's table leads to
 * it by `F`, the first byte that sets it apart; the rest of the key is its prefix:
 *
 *     34 64 2A 73 76 2A 73 64 2A 62 63 2A 73 63 2A 69 2A 00   "4d*sv*sd*bc*sc*i*"
 *     00 00 00 01                                             one value
 *     00 00 01 90  76 69 72 74 69 6F 5F 70 63 69 00           priority 400, "virtio_pci"
 *
 * kmod up to 33 writes children before their parent (root last), 34 and later writes the parent first (root at 12). Readers
 * follow references, so both work. Keys are 7-bit. An empty index is the 12-byte header whose root reference is 12, past the
 * end; where depmod had nothing to read (no modules.builtin) it leaves a file of zero bytes. Source: kmod libkmod-index.c and
 * depmod.c, and dumps of Debian's files.
 */
export const INDEX_MAGIC = 0xb007f457;
export const INDEX_MAJOR = 2;
export const INDEX_VERSION = 0x0002_0001;
export const INDEX_HEADER = 12;

/** Flag bits of a reference, as a signed 32-bit number. */
export const HAS_PREFIX = 0x8000_0000 | 0;
export const HAS_VALUES = 0x4000_0000;
export const HAS_CHILDREN = 0x2000_0000;
export const OFFSET_BITS = 0x0fff_ffff;

/**
 * No pattern needs a chain of this many nodes, because kmod cuts names at 4,095 bytes. A deeper file has a cycle or was made to
 * exhaust its reader.
 */
export const MAX_DEPTH = 0x8000;

/** One value found for a key: the module, its position in modules.order (0 in the builtin indexes), the pattern that led to it. */
export interface TrieMatch {
  readonly value: string;
  readonly priority: number;
  /** The index's own key, normalised: `pci:v00008086d00001E31sv*sd*bc*sc*i*`. */
  readonly pattern: string;
}
