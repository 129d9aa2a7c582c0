/**
 * node:crypto: random bytes only. plugd-lite verifies no signatures: diagnosis says that it cannot, as it does for keys of kinds that
 * plugd does not know.
 */
import { host } from '../host.ts';
import { Bytes } from './bytes.ts';

/** `randomBytes(6).toString('hex')`. */
export function randomBytes(size: number): Bytes {
  const bytes = Bytes.alloc(size);
  host.random(bytes);
  return bytes;
}

function missing(): never {
  throw new Error('plugd-lite has no cryptography');
}

export const createHash = missing;
export const createPrivateKey = missing;
export const createPublicKey = missing;
export const sign = missing;
export const verify = missing;
