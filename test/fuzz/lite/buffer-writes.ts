/** plugd-lite's Buffer with what the kinds' samples are written with, and it has no use for itself: before the kinds are evaluated. */
import { Bytes } from '../../../native/lite/node/bytes.ts';

Object.assign(Bytes.prototype, {
  writeBigUInt64LE(this: Bytes, value: bigint, at = 0): number {
    new DataView(this.buffer, this.byteOffset + at, 8).setBigUint64(0, value, true);
    return at + 8;
  },
});
Object.assign(Error, { captureStackTrace: () => undefined });

export { Bytes } from '../../../native/lite/node/bytes.ts';
