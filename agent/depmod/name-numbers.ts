/**
 * Numbers for names: the first name is 0, each new one the next. A tree's modules name twenty thousand symbols four hundred thousand
 * times, so this compares names as bytes where they lie, and makes a string only of a name that a caller asks for. No I/O.
 *
 * It is a hash table with open addressing, at least half empty, and the bytes of all names one after another.
 */
export class NameNumbers {
  #slots = new Int32Array(1 << 16).fill(-1);
  #hashes = new Int32Array(1 << 15);
  #starts = new Int32Array((1 << 15) + 1);
  #bytes = new Uint8Array(1 << 19);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The number of the name that begins at `start` and ends at the next NUL (or where the bytes end). */
  number(bytes: Uint8Array, start: number): number {
    let hash = 0;
    let end = start;
    for (let byte = bytes[end]; byte !== undefined && byte !== 0; byte = bytes[++end]) {
      hash = (Math.imul(hash, 0x01000193) ^ byte) | 0;
    }
    let slot = this.#home(hash);
    for (let found = this.#slots[slot] ?? -1; found >= 0; found = this.#slots[slot] ?? -1) {
      if (this.#hashes[found] === hash && this.#equals(found, bytes, start, end)) return found;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    return this.#add(hash, bytes.subarray(start, end));
  }

  /** The name of a number, latin1. */
  name(number: number): string {
    const start = this.#starts[number] ?? 0;
    return Buffer.from(this.#bytes.buffer, start, (this.#starts[number + 1] ?? 0) - start).toString('latin1');
  }

  #equals(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#starts[number] ?? 0;
    if ((this.#starts[number + 1] ?? 0) - own !== end - start) return false;
    for (let i = start; i < end; i++) if (bytes[i] !== this.#bytes[own + i - start]) return false;
    return true;
  }

  #add(hash: number, name: Uint8Array): number {
    const number = this.#count++;
    if (this.#count * 2 > this.#slots.length) this.#growTable();
    const start = this.#starts[number] ?? 0;
    if (start + name.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, start + name.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(name, start);
    this.#starts[number + 1] = start + name.length;
    this.#hashes[number] = hash;
    this.#put(number, hash);
    return number;
  }

  /** Where the search for a hash begins. */
  #home(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.#slots.length - 1);
  }

  #put(number: number, hash: number): void {
    let slot = this.#home(hash);
    while ((this.#slots[slot] ?? -1) >= 0) slot = (slot + 1) & (this.#slots.length - 1);
    this.#slots[slot] = number;
  }

  #growTable(): void {
    const hashes = new Int32Array(this.#slots.length);
    hashes.set(this.#hashes);
    const starts = new Int32Array(this.#slots.length + 1);
    starts.set(this.#starts);
    this.#hashes = hashes;
    this.#starts = starts;
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let number = 0; number < this.#count - 1; number++) this.#put(number, hashes[number] ?? 0);
  }
}
