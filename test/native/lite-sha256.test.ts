import { createHash } from 'node:crypto';
import t from 'tap';
import { sha256 } from '../../native/lite/node/sha256.ts';

t.test("plugd-lite's SHA-256 is Node's, at every length around a block's end", (t) => {
  for (const length of [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 4096]) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 167 + length) % 256));
    t.equal(
      Buffer.from(sha256(bytes)).toString('hex'),
      createHash('sha256').update(bytes).digest('hex'),
      `${length} bytes`,
    );
  }
  t.end();
});
