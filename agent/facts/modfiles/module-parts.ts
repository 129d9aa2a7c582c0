/**
 * Some sections of a compressed module file, without its image in memory: depmod reads thousands of files and needs a tenth of
 * each. The addon unpacks an image in memory that it uses again and hands over the ranges that were asked for.
 */
import { addon, type ModuleParts } from '../../base/addon.ts';
import { PlugdError } from '../../base/error.ts';
import { compressionRow, type Compression } from './compression.ts';
import type { ByteSource } from './elf.ts';

/** The largest sections of nearly all modules; larger ones get a buffer of their own. */
const SLOT = 256 * 1024;
/**
 * The largest file of which parts are taken, and the most that may be unpacked of its image, in bytes: several are in memory at a time.
 * Of an .xz in blocks, as kernel builds make of large modules, only those with the wanted sections count.
 */
export const AHEAD_LIMIT = 32 << 20;
/** Buffers that no open file uses. */
const free: Buffer[] = [];

/**
 * The named sections of an open file, as a source that reads like the whole image: `whole` is asked for what is not among them.
 * Undefined when the file cannot be had in parts (gzip; no addon; damaged): then only the whole image tells.
 */
export async function readModuleParts(
  compression: Compression,
  file: { readonly fd: number; readonly size: number },
  sections: readonly string[],
  whole: () => ByteSource,
): Promise<PartsSource | undefined> {
  if (!compressionRow(compression).inParts || file.size > AHEAD_LIMIT) return undefined;
  const slot = free.pop() ?? Buffer.allocUnsafeSlow(SLOT);
  const answer = await new Promise<ModuleParts | number>((resolve) => {
    try {
      addon().readModulePartsAsync(compression, file.fd, file.size, AHEAD_LIMIT, sections, slot, resolve);
    } catch (error) {
      if (!(error instanceof PlugdError)) throw error;
      resolve(0);
    }
  });
  if (typeof answer !== 'number') return new PartsSource(answer, slot, whole);
  free.push(slot);
  return undefined;
}

/** Ranges of an image. After `close` what was read of it is gone. */
export class PartsSource implements ByteSource {
  readonly size: number;
  readonly #parts: readonly number[];
  readonly #bytes: Buffer;
  readonly #slot: Buffer;
  readonly #getWhole: () => ByteSource;
  #whole: ByteSource | undefined;

  constructor({ size, parts, bytes }: ModuleParts, slot: Buffer, whole: () => ByteSource) {
    this.size = size;
    this.#parts = parts;
    this.#bytes = bytes ?? slot;
    this.#slot = slot;
    this.#getWhole = whole;
  }

  read(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.size);
    let at = 0;
    for (let i = 0; i < this.#parts.length; i += 2) {
      const [start = 0, size = 0] = [this.#parts[i], this.#parts[i + 1]];
      if (offset >= start && end <= start + size) return this.#bytes.subarray(at + offset - start, at + end - start);
      at += size;
    }
    this.#whole ??= this.#getWhole();
    return this.#whole.read(offset, length);
  }

  peek(offset: number, length: number): Buffer {
    return this.read(offset, length);
  }

  close(): void {
    free.push(this.#slot);
  }
}
