/**
 * The compressions of module files, one row each: a file's first bytes, its suffix, and who packs and unpacks it. Pure.
 * A further one is a row here, a file like native/compression/xz.cc, and a row in decompress.cc beside it.
 */

/** One compression. */
export interface CompressionRow {
  /** The word of /sys/module/compression. */
  readonly name: string;
  /** A file's first bytes. They alone tell what a file is, never its name, as in kmod. */
  readonly magic: readonly number[];
  /** What follows `.ko` in a file's name. */
  readonly suffix: string;
  /** The C library that the addon opens, and the program that replaces it; undefined where Node decompresses itself. */
  readonly library: string | undefined;
  readonly program: readonly [name: string, ...options: string[]] | undefined;
  /** The program that compresses as `make modules_install` does, from standard input; undefined where Node compresses itself. */
  readonly compressor: readonly [name: string, ...options: string[]] | undefined;
  /** Whether the addon can unpack some sections without the whole image (native/compression/packed_image.h). */
  readonly inParts: boolean;
}

const ROWS = [
  {
    name: 'xz',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    suffix: '.xz',
    library: 'liblzma.so.5',
    program: ['xz', '-dc'],
    compressor: ['xz', '--check=crc32', '--lzma2=dict=1MiB', '--stdout'],
    inParts: true,
  },
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    suffix: '.zst',
    library: 'libzstd.so.1',
    program: ['zstd', '-dcq'],
    compressor: ['zstd', '--quiet', '--stdout'],
    inParts: true,
  },
  {
    name: 'gzip',
    magic: [0x1f, 0x8b],
    suffix: '.gz',
    library: undefined,
    program: undefined,
    compressor: undefined,
    inParts: false,
  },
] as const satisfies readonly CompressionRow[];

/** The compressions a module file may have, by the words of /sys/module/compression. */
export type Compression = (typeof ROWS)[number]['name'];

/** All of them, in the order in which a file is tried. */
export const COMPRESSIONS: readonly Compression[] = ROWS.map(({ name }) => name);

/** Those that the addon decompresses with a C library. */
export type LibraryCompression = Extract<(typeof ROWS)[number], { readonly library: string }>['name'];

/** How many bytes of a file's start `compressionOf` looks at. */
export const MAGIC_LENGTH = Math.max(...ROWS.map(({ magic }) => magic.length));

/** The compression that a file's first bytes show; undefined for none, and for a file shorter than the magic. */
export function compressionOf(head: Uint8Array): Compression | undefined {
  return ROWS.find(({ magic }) => magic.every((byte, i) => head[i] === byte))?.name;
}

/** Its row. */
export function compressionRow(name: Compression): CompressionRow {
  return ROWS.find((row) => row.name === name) ?? ROWS[0];
}

/** What follows `.ko` in a module's file name; '' for one that is not compressed. */
export type ModuleSuffix = '' | (typeof ROWS)[number]['suffix'];

/** What a compressed file's name ends in: `.xz`, `.zst`, `.gz`. */
export const COMPRESSION_SUFFIXES: ReadonlyArray<Exclude<ModuleSuffix, ''>> = ROWS.map(({ suffix }) => suffix);

/** The same with '' first, for a file that may or may not be compressed. */
export const FILE_SUFFIXES: readonly ModuleSuffix[] = ['', ...COMPRESSION_SUFFIXES];
