import type { Random } from '../fixtures/random.ts';
import type { FuzzKind } from './kind.ts';

/** No input is longer: what costs time must show below this size, and a run has thousands of inputs. */
export const LONGEST_INPUT = 1 << 18;

/** Numbers at which readers that count wrong go wrong. */
const NUMBERS = [0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** The next input of a kind: made by its grammar, or a sample, each mutated up to eight times. The same for equal `random`. */
export function nextInput(kind: FuzzKind, random: Random): Buffer {
  const composed = kind.compose !== undefined && (kind.samples.length === 0 || random.below(2) === 0);
  let input = composed ? kind.compose(random) : kind.samples.length > 0 ? random.of(kind.samples) : Buffer.alloc(0);
  // Some stay as the grammar makes them.
  const count = composed && random.below(3) === 0 ? 0 : 1 + random.below(8);
  for (let i = 0; i < count; i++) input = random.of(MUTATIONS)(input, random, kind);
  return input.subarray(0, LONGEST_INPUT);
}

type Mutation = (input: Buffer, random: Random, kind: FuzzKind) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(input, random) {
    return changed(input, (copy) => {
      const at = random.below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    });
  },
  function setByte(input, random) {
    return changed(input, (copy) => {
      copy[random.below(copy.length)] = random.below(256);
    });
  },
  function setNumber(input, random) {
    if (input.length < 4) return input;
    return changed(input, (copy) => {
      const value = random.below(3) === 0 ? random.below(copy.length + 8) : random.of(NUMBERS);
      const at = random.below(copy.length - 3);
      const aligned = random.below(2) === 0 ? at : at & ~3;
      if (random.below(2) === 0) copy.writeUInt32LE(value, aligned);
      else copy.writeUInt32BE(value, aligned);
    });
  },
  function truncate(input, random) {
    return input.subarray(0, random.below(input.length + 1));
  },
  function remove(input, random) {
    const [from, to] = range(input, random);
    return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
  },
  function repeat(input, random) {
    const [from, to] = range(input, random);
    const times = random.below(8) === 0 ? 1 + random.below(1000) : 1 + random.below(4);
    const part = input.subarray(from, to);
    const most = Math.max(0, Math.floor((LONGEST_INPUT - input.length) / Math.max(1, part.length)));
    const repeated = Array.from({ length: Math.min(times, most) }, () => part);
    return Buffer.concat([input.subarray(0, to), ...repeated, input.subarray(to)]);
  },
  function move(input, random) {
    const [from, to] = range(input, random);
    const rest = Buffer.concat([input.subarray(0, from), input.subarray(to)]);
    const at = random.below(rest.length + 1);
    return Buffer.concat([rest.subarray(0, at), input.subarray(from, to), rest.subarray(at)]);
  },
  function insertWord(input, random, { words }) {
    if (words.length === 0) return input;
    const word = random.of(words);
    return inserted(input, random, typeof word === 'string' ? Buffer.from(word, 'latin1') : word);
  },
  function insertBytes(input, random) {
    const length = 1 + random.below(random.below(4) === 0 ? 300 : 8);
    return inserted(input, random, Buffer.from(Array.from({ length }, () => random.below(256))));
  },
  function splice(input, random, { samples }) {
    if (samples.length === 0) return input;
    const other = random.of(samples);
    const [from, to] = range(other, random);
    return inserted(input, random, other.subarray(from, to));
  },
];

function changed(input: Buffer, change: (copy: Buffer) => void): Buffer {
  if (input.length === 0) return input;
  const copy = Buffer.from(input);
  change(copy);
  return copy;
}

function range(input: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(input.length + 1);
  // Mostly short ones, so that what is around them stays.
  const most = random.below(4) === 0 ? input.length - from : Math.min(16, input.length - from);
  return [from, from + random.below(most + 1)];
}

function inserted(input: Buffer, random: Random, part: Buffer): Buffer {
  const at = random.below(input.length + 1);
  const over = random.below(2) === 0 ? at : Math.min(input.length, at + part.length);
  return Buffer.concat([input.subarray(0, at), part, input.subarray(over)]);
}

/**
 * The shortest input found that still fails in the same way: pieces are left out, halves first, while `fails` says yes. `tries` limits
 * the work.
 */
export function minimised(input: Buffer, fails: (input: Buffer) => boolean, tries = 2000): Buffer {
  let best = input;
  let left = tries;
  for (let piece = best.length >> 1; piece >= 1; piece >>= 1) {
    for (let at = 0; at < best.length && left > 0;) {
      left--;
      const candidate = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]);
      if (fails(candidate)) best = candidate;
      else at += piece;
    }
  }
  return best;
}
