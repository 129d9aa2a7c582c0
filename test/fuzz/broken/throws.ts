/** A reader that fails on one byte, wherever it stands, and answers another with a PlugdError, as it may. */
import { PlugdError } from '../../../agent/base/error.ts';
import type { FuzzKind } from '../kind.ts';

export const kind: FuzzKind = {
  samples: [Buffer.from('abcdefgh'.repeat(20))],
  words: ['!', '?'],
  read(input) {
    if (input.includes('!')) throw new RangeError('out of range');
    if (input.includes('?')) throw new PlugdError('usage', 'an answer');
  },
};
