/** A reader that takes 64 MiB for an input with `!`. */
import type { FuzzKind } from '../kind.ts';

let last = Buffer.alloc(0);

export const kind: FuzzKind = {
  samples: [Buffer.from('abcdefgh')],
  words: ['!'],
  read(input) {
    if (input.includes('!')) last = Buffer.alloc(64 << 20, 1);
    if (last.length === 1) throw new Error('never; keeps the memory in use');
  },
};
