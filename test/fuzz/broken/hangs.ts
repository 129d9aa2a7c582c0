/** A reader that does not end when an input has `!`. */
import type { FuzzKind } from '../kind.ts';

export const kind: FuzzKind = {
  samples: [Buffer.from('abcdefgh')],
  words: ['!'],
  read(input) {
    while (input.includes('!')) {
      // Forever.
    }
  },
};
