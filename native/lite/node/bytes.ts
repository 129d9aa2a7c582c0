/**
 * Buffer without Node: the methods that plugd calls. plugd's code is typed with Node's Buffer; what is missing here fails when the
 * program is built (a lost import) or in the tests of its commands.
 */
import { host } from '../host.ts';

type Encoding = 'latin1' | 'utf8' | 'hex' | undefined | null;

function encoded(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
  if (encoding === 'hex')
    return new Uint8Array((text.match(/[\da-f]{2}/gi) ?? []).map((pair) => Number.parseInt(pair, 16)));
  return new Uint8Array(encoding === 'latin1' ? host.encodeLatin1(text) : host.encodeUtf8(text));
}

/** From this size on memory is not the engine's. */
const LARGE = 32_768;

/** Bytes with Buffer's methods: `Bytes.from('a', 'latin1')`. */
export class Bytes extends Uint8Array<ArrayBuffer> {
  static override from(source: unknown, second?: unknown, length?: number): Bytes {
    if (typeof source === 'string') {
      const { buffer } = encoded(source, second as Encoding);
      return new Bytes(buffer);
    }
    if (source instanceof ArrayBuffer) {
      return second === undefined ? new Bytes(source) : new Bytes(source, second as number, length);
    }
    const values = source as ArrayLike<number>;
    const bytes = new Bytes(new ArrayBuffer(values.length));
    bytes.set(values);
    return bytes;
  }

  static alloc(size: number): Bytes {
    return new Bytes(new ArrayBuffer(size));
  }

  static allocUnsafe(size: number): Bytes {
    return new Bytes(size < LARGE ? new ArrayBuffer(size) : host.allocate(size));
  }

  static allocUnsafeSlow(size: number): Bytes {
    return new Bytes(new ArrayBuffer(size));
  }

  static isBuffer(value: unknown): boolean {
    return value instanceof Bytes;
  }

  static byteLength(text: string): number {
    return host.utf8Length(text);
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    return host.compare(a, b);
  }

  static concat(parts: readonly Uint8Array[], total?: number): Bytes {
    const whole = Bytes.alloc(total ?? parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      if (at >= whole.length) break;
      const fitting = part.length > whole.length - at ? part.subarray(0, whole.length - at) : part;
      whole.set(fitting, at);
      at += fitting.length;
    }
    return whole;
  }

  override toString(encoding?: Encoding, from = 0, to = this.length): string {
    if (encoding === 'latin1') return host.latin1(this, from, to);
    if (encoding !== 'hex') return host.utf8(this, from, to);
    let text = '';
    for (let i = from; i < Math.min(to, this.length); i++) text += (this[i] ?? 0).toString(16).padStart(2, '0');
    return text;
  }

  /** Latin1 text only, as plugd writes it: `write('abc', 0, 'latin1')`. */
  write(text: string, at: number, _encoding: 'latin1'): number {
    return host.putLatin1(this, at, text);
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && host.compare(this, other) === 0;
  }

  compare(other: Uint8Array): number {
    return host.compare(this, other);
  }

  copy(target: Uint8Array, at = 0, from = 0, to = this.length): number {
    const part = this.subarray(from, Math.min(to, from + target.length - at));
    target.set(part, at);
    return part.length;
  }

  override indexOf(wanted: number | string | Uint8Array, from = 0): number {
    if (typeof wanted === 'number') return super.indexOf(wanted, from);
    return host.find(this, typeof wanted === 'string' ? encoded(wanted, 'utf8') : wanted, from);
  }

  override includes(wanted: number | string | Uint8Array, from = 0): boolean {
    return this.indexOf(wanted, from) >= 0;
  }

  readUIntBE(at: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this[at + i] ?? 0);
    return value;
  }

  readUInt32BE(at = 0): number {
    return this.#view(at, 4).getUint32(0);
  }

  readUInt32LE(at = 0): number {
    return this.#view(at, 4).getUint32(0, true);
  }

  writeInt32BE(value: number, at = 0): number {
    this.#view(at, 4).setInt32(0, value);
    return at + 4;
  }

  writeUInt32BE(value: number, at = 0): number {
    this.#view(at, 4).setUint32(0, value);
    return at + 4;
  }

  writeUInt32LE(value: number, at = 0): number {
    this.#view(at, 4).setUint32(0, value, true);
    return at + 4;
  }

  /** Outside the bytes it throws a RangeError, as Buffer's methods do. */
  #view(at: number, size: number): DataView {
    return new DataView(this.buffer, this.byteOffset + at, at + size > this.length ? -1 : size);
  }
}
