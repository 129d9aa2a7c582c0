/**
 * Answers lines, and remembers answers: machines have many devices of a kind, so most lines of a long list were there before. It works on
 * bytes, since making a string of each line costs more than finding its answer again.
 */
import { LONGEST_LINE } from './input.ts';

const LINE_FEED = 0x0a;

/** Longer lines and answers are not remembered. */
const LONGEST_REMEMBERED = 1 << 12;
/** When this many bytes of lines and answers are remembered, all are forgotten: some 30,000 lines. */
const MOST_BYTES = 1 << 22;
/** A power of two, and more than lines that fit. */
const SLOTS = 1 << 16;
/** After so many slots a line takes the place of another, so that lines made to collide cost no more than others. */
const MOST_PROBES = 8;
/** Answers are written when there is this much, and at each block's end. */
const MUCH = 1 << 18;

/** Where remembered lines stand: for each slot the line's hash, its offset in the memory, its length, and its answer's length. */
const FIELDS = 4;

/** What lines are answered with, and where the answers go. */
export interface LineAnswers {
  /** The bytes that answer a line (latin1, without its line feed); they need not stay valid. */
  readonly answer: (line: string) => Uint8Array;
  /** Takes answers, in the lines' order. The bytes are valid only during the call. */
  readonly write: (answers: Buffer) => void;
}

/** The lines of a stream and their answers: `new AnsweredLines({ answer, write }).take(block)`. */
export class AnsweredLines {
  readonly #answers: LineAnswers;
  #slots = new Int32Array(0);
  /** Each line, and behind it its answer. Byte 0 is nobody's: an offset of 0 is an empty slot. */
  #memory = Buffer.alloc(0);
  #words = new DataView(this.#memory.buffer, 0, 0);
  #used = 1;
  #out = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  constructor(answers: LineAnswers) {
    this.#answers = answers;
  }

  /** Answers each line of a block: whole lines, each with its line feed. Of a line over 64 KiB the rest is left out. */
  take(block: Uint8Array): void {
    const words = new DataView(block.buffer, block.byteOffset, block.length);
    for (let from = 0; from < block.length;) {
      const end = block.indexOf(LINE_FEED, from);
      const to = Math.min(end, from + LONGEST_LINE);
      let hash = to - from;
      let at = from;
      for (; at + 4 <= to; at += 4) hash = mixed(hash, words.getInt32(at));
      for (; at < to; at++) hash = mixed(hash, block[at] as number);
      this.#answer(words, from, to, hash ^ (hash >>> 15));
      if (this.#length >= MUCH) this.#flush();
      from = end + 1;
    }
    this.#flush();
  }

  #flush(): void {
    if (this.#length > 0) this.#answers.write(this.#out.subarray(0, this.#length));
    this.#length = 0;
  }

  #answer(block: DataView, from: number, to: number, hash: number): void {
    const length = to - from;
    const slots = this.#slots;
    let slot = FIELDS * (hash & (SLOTS - 1));
    for (let probes = 0; probes < MOST_PROBES; probes++) {
      const at = slots[slot + 1];
      if (at === undefined || at === 0) break;
      if (slots[slot] === hash && slots[slot + 2] === length && this.#isAt(at, block, from, to)) {
        this.#copy(at + length, slots[slot + 3] as number);
        return;
      }
      if (probes < MOST_PROBES - 1) slot = (slot + FIELDS) & (FIELDS * SLOTS - 1);
    }
    const line = Buffer.from(block.buffer, block.byteOffset + from, length);
    const answer = this.#answers.answer(line.toString('latin1'));
    const end = this.#room(answer.length);
    this.#out.set(answer, this.#length);
    this.#length = end;
    if (length + answer.length <= LONGEST_REMEMBERED) this.#remember(slot, hash, line, answer);
  }

  #isAt(at: number, block: DataView, from: number, to: number): boolean {
    const memory = this.#words;
    let i = from;
    let j = at;
    for (; i + 4 <= to; i += 4, j += 4) if (memory.getInt32(j) !== block.getInt32(i)) return false;
    for (; i < to; i++, j++) if (memory.getUint8(j) !== block.getUint8(i)) return false;
    return true;
  }

  #copy(from: number, length: number): void {
    const end = this.#room(length);
    this.#memory.copy(this.#out, this.#length, from, from + length);
    this.#length = end;
  }

  /** Makes room for so many bytes more; the length with them. */
  #room(more: number): number {
    const end = this.#length + more;
    if (end > this.#out.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#out.length));
      larger.set(this.#out.subarray(0, this.#length));
      this.#out = larger;
    }
    return end;
  }

  #remember(slot: number, hash: number, line: Uint8Array, answer: Uint8Array): void {
    const end = this.#used + line.length + answer.length;
    if (end > MOST_BYTES) {
      this.#slots.fill(0);
      this.#used = 1;
      this.#remember(slot, hash, line, answer);
      return;
    }
    if (this.#slots.length === 0) this.#slots = new Int32Array(FIELDS * SLOTS);
    if (end > this.#memory.length) {
      const larger = Buffer.allocUnsafe(Math.min(MOST_BYTES, Math.max(1 << 16, 2 * end)));
      larger.set(this.#memory.subarray(0, this.#used));
      this.#memory = larger;
      this.#words = new DataView(larger.buffer, larger.byteOffset, larger.length);
    }
    this.#slots.set([hash, this.#used, line.length, answer.length], slot);
    this.#memory.set(line, this.#used);
    this.#memory.set(answer, this.#used + line.length);
    this.#used = end;
  }
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 13);
}
