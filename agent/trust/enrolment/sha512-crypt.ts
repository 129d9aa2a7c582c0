/**
 * The hash of a password as crypt(5) writes it with `$6$`, and as shim's MokManager compares it: the 64 bytes alone.
 *
 *     $6$rounds=5000$SALT$HASH        // rounds=… may be left out: 5000; a digit of HASH is six bits, `./0-9A-Za-z`
 *
 * Source: U. Drepper, "Unix crypt using SHA-256 and SHA-512".
 */
import { createHash } from 'node:crypto';

/** What a hash was made with, and the hash. */
export interface PasswordHash {
  readonly rounds: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ROUNDS = 5000;
/** Bytes of a salt that count, and of a hash. */
const MOST_SALT = 16;
const SIZE = 64;
const CRYPT = /^\$6\$(?:rounds=(\d{4,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{86})$/;

/** Hashes a password: `hashPassword(Buffer.from('geheim'), Buffer.from('saltsalt'))`. It takes some 10 ms. */
export function hashPassword(password: Buffer, salt: Buffer, rounds = ROUNDS): PasswordHash {
  const used = salt.subarray(0, MOST_SALT);
  const mixed = digest(password, used, password);
  const start: Buffer[] = [password, used, filled(mixed, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) start.push((bits & 1) === 1 ? mixed : password);
  let hash = digest(...start);
  const words = filled(digest(...repeated(password, password.length)), password.length);
  const grains = filled(digest(...repeated(used, 16 + (hash[0] ?? 0))), used.length);
  const none = Buffer.alloc(0);
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    const middle = [round % 3 === 0 ? none : grains, round % 7 === 0 ? none : words];
    hash = digest(odd ? words : hash, ...middle, odd ? hash : words);
  }
  return { rounds, salt: used, hash };
}

/** A hash as text: `$6$SALT$HASH`; undefined for another method, or for what is no hash. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, rounds, salt = '', digits] = CRYPT.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const hash = Buffer.alloc(SIZE);
  ORDER.forEach((places, group) => {
    let value = 0;
    for (let i = 3; i >= 0; i--) value = value * 64 + DIGITS.indexOf(digits.charAt(group * 4 + i) || '.');
    places.forEach((place, i) => (hash[place] = (value >> (8 * (places.length - 1 - i))) & 0xff));
  });
  return { rounds: rounds === undefined ? ROUNDS : Number(rounds), salt: Buffer.from(salt, 'latin1'), hash };
}

/** Which three bytes of the hash four digits stand for, the highest first; the last two digits stand for one. */
const ORDER: ReadonlyArray<readonly number[]> = (() => {
  const groups: number[][] = [];
  for (let [a, b, c] = [0, 21, 42]; groups.length < 21; [a, b, c] = [b + 1, c + 1, a + 1]) groups.push([a, b, c]);
  return [...groups, [SIZE - 1]];
})();

function digest(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function repeated(bytes: Buffer, times: number): readonly Buffer[] {
  return Array.from({ length: times }, () => bytes);
}

/** The bytes again and again, `length` of them. */
function filled(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes.length === 0 ? Buffer.alloc(1) : bytes);
}
