/**
 * The archives in a compressed part of an image, as its bytes come: between two pieces it holds one entry at most. The kernel accepts no
 * further compression there. Pure.
 */
import {
  align,
  DAMAGED_HEADER,
  ENDS_EARLY,
  entryShape,
  HEADER,
  isEntry,
  visitEntry,
  type CpioEntry,
  type EntryShape,
} from './cpio-entry.ts';

/** The memory for an entry whose header claims more is made as its bytes come. */
const FIRST_ROOM = 4 << 20;
const NO_ARCHIVE = 'a compressed part without a cpio archive';

/** Takes pieces with push(), then end(). */
export class EntryStream {
  readonly #limit: number;
  readonly #visit: (entry: CpioEntry) => void;
  /** The first `#length` bytes of an entry that goes on; it is used again. */
  #held = Buffer.alloc(0);
  #length = 0;
  /** How many bytes it takes to go on: first its header, then all of it. */
  #needed = 0;
  #shape: EntryShape | undefined;
  /** Where in the part it begins. */
  #start = 0;
  /** Where in the part the piece begins. */
  #base = 0;
  /** Padding that is to come. */
  #padding = 0;
  #fault: string | undefined;

  /** `limit`: the most bytes of the whole part. An entry that claims more is damaged. */
  constructor(limit: number, visit: (entry: CpioEntry) => void) {
    this.#limit = limit;
    this.#visit = visit;
  }

  /** The first fault. Bytes after it do not count. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Takes the next bytes; false when something is wrong. */
  push(piece: Buffer): boolean {
    for (let at = 0; at < piece.length;) {
      const used = this.#take(piece, at);
      if (typeof used === 'string') {
        this.#fault = used;
        return false;
      }
      at += used;
    }
    this.#base += piece.length;
    return true;
  }

  /** What is wrong with the part as a whole, when all of it has come. */
  end(): string | undefined {
    if (this.#fault !== undefined || this.#length === 0) return this.#fault;
    if (!isEntry(this.#held.subarray(0, this.#length), 0)) return NO_ARCHIVE;
    return this.#length < HEADER ? DAMAGED_HEADER : ENDS_EARLY;
  }

  /** Takes bytes at `at`: how many, or what is wrong. */
  #take(piece: Buffer, at: number): number | string {
    if (this.#padding > 0) {
      const passed = Math.min(this.#padding, piece.length - at);
      this.#padding -= passed;
      return passed;
    }
    if (this.#length > 0) return this.#goOn(piece, at);
    // Zeros stand between archives.
    if (piece[at] === 0) return 1;
    this.#start = this.#base + at;
    this.#needed = HEADER;
    this.#shape = undefined;
    const rest = piece.length - at;
    if (rest < HEADER) return this.#goOn(piece, at);
    const shape = this.#shapeAt(piece, at);
    if (typeof shape === 'string') return shape;
    const size = shape.end - at;
    if (size > rest) return this.#goOn(piece, at);
    visitEntry(piece, at, shape, this.#visit);
    return this.#passed(size);
  }

  #shapeAt(bytes: Buffer, at: number): EntryShape | string {
    if (!isEntry(bytes, at)) return NO_ARCHIVE;
    const shape = entryShape(bytes, at, this.#start);
    return typeof shape !== 'string' && shape.end - at > this.#limit ? ENDS_EARLY : shape;
  }

  /** Adds bytes to the entry that is held. */
  #goOn(piece: Buffer, at: number): number | string {
    const used = Math.min(this.#needed - this.#length, piece.length - at);
    this.#makeRoom(this.#length + used);
    piece.copy(this.#held, this.#length, at, at + used);
    this.#length += used;
    if (this.#length < this.#needed) return used;
    if (this.#shape === undefined) {
      const shape = this.#shapeAt(this.#held, 0);
      if (typeof shape === 'string') return shape;
      this.#shape = shape;
      this.#needed = shape.end;
      if (this.#length < this.#needed) return used;
    }
    visitEntry(this.#held, 0, this.#shape, this.#visit);
    this.#length = 0;
    this.#passed(this.#needed);
    return used;
  }

  #makeRoom(size: number): void {
    if (size <= this.#held.length) return;
    const room = Math.max(size, Math.min(this.#needed, Math.max(FIRST_ROOM, 2 * this.#held.length)));
    const grown = Buffer.allocUnsafe(room);
    this.#held.copy(grown, 0, 0, this.#length);
    this.#held = grown;
  }

  /** An entry of that size is done; its padding counts from the part's beginning. */
  #passed(size: number): number {
    const end = this.#start + size;
    this.#padding = align(end) - end;
    return size;
  }
}
