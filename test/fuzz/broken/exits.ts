/** A reader that takes the whole process with it when an input has `!`, as native code can. */
import type { FuzzKind } from '../kind.ts';

export const kind: FuzzKind = {
  samples: [Buffer.from('abcdefgh')],
  words: ['!'],
  read(input) {
    if (input.includes('!')) process.kill(process.pid, 'SIGSEGV');
    // The signal comes when it likes.
    while (input.includes('!')) {
      // Forever.
    }
  },
};
