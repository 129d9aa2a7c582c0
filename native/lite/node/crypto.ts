/**
 * node:crypto: random bytes, and SHA-256 for fingerprints. plugd-lite verifies no signatures: diagnosis says that it cannot, as it does for keys of kinds that
 * plugd does not know.
 */
import { host } from '../host.ts';
import { Bytes } from './bytes.ts';
import { sha256 } from './sha256.ts';

/** `randomBytes(6).toString('hex')`. */
export function randomBytes(size: number): Bytes {
  const bytes = Bytes.alloc(size);
  host.random(bytes);
  return bytes;
}

interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(): Bytes;
  digest(encoding: 'hex'): string;
}

/** `createHash('sha256').update(bytes).digest('hex')`: of one piece, as fingerprints are made. */
export function createHash(algorithm: string): Hash {
  if (algorithm !== 'sha256') return missing();
  let digest = Bytes.from(sha256(new Uint8Array()));
  const hash = {
    update: (bytes: Uint8Array) => {
      digest = Bytes.from(sha256(bytes));
      return hash;
    },
    digest: ((encoding?: 'hex') => (encoding === undefined ? digest : digest.toString(encoding))) as Hash['digest'],
  };
  return hash;
}

function missing(): never {
  throw new Error('plugd-lite has no cryptography');
}

export const createPrivateKey = missing;
export const createPublicKey = missing;
export const sign = missing;
export const verify = missing;
