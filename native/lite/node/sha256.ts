/** SHA-256 (FIPS 180-4), for the fingerprints of certificates: a few kilobytes when something has failed. */

/** The first `count` primes. */
function primes(count: number): readonly number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}

/** The first 32 bits behind the point. */
function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32);
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The bytes with their end: a one, zeros, and the number of bits. */
function padded(bytes: Uint8Array): DataView {
  const whole = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  const view = new DataView(whole.buffer);
  view.setBigUint64(whole.length - 8, BigInt(bytes.length) * 8n);
  return view;
}

/** Its 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const numbers = primes(64);
  const rounds = numbers.map((prime) => fraction(Math.cbrt(prime)));
  const state = Uint32Array.from(numbers.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const text = padded(bytes);
  const words = new Uint32Array(64);
  const word = (i: number) => words[i] ?? 0;
  for (let at = 0; at < text.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = text.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [near, far] = [word(i - 2), word(i - 15)];
      const one = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
      const other = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
      words[i] = word(i - 16) + other + word(i - 7) + one;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
    for (let i = 0; i < 64; i++) {
      const choice = (e & f) ^ (~e & g);
      const first = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + (rounds[i] ?? 0) + word(i);
      const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] = (state[i] ?? 0) + value));
  }
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  state.forEach((value, i) => view.setUint32(4 * i, value));
  return digest;
}
