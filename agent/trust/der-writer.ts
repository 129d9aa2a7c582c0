/**
 * Writes DER: the counterpart of agent/facts/modfiles/der.ts. Each function gives one whole value. Pure.
 *
 *     encode(TAG.sequence, encodeOid('1.2.840.113549.1.7.1'))     // 30 0b  06 09 2a 86 48 86 f7 0d 01 07 01
 *
 * Source: ITU-T X.690.
 */
import { TAG } from '../facts/modfiles/der.ts';

/** A value of tag `tag` around `parts`: `encode(TAG.none)` is 05 00. */
export function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOf(length), ...parts]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = minimal(length);
  return Buffer.from([0x80 + bytes.length, ...bytes]);
}

/** A number's bytes, big-endian, without zeros in front. */
function minimal(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}

/** An INTEGER that is not negative: a number, or bytes, big-endian. `encodeInteger(128)` is 02 02 00 80. */
export function encodeInteger(value: number | Uint8Array): Buffer {
  const bytes = Buffer.from(typeof value === 'number' ? minimal(value) : value);
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(1) : bytes.subarray(first);
  // A first bit that is set would make the number negative.
  return encode(TAG.integer, ...((digits[0] ?? 0) >= 0x80 ? [Buffer.alloc(1)] : []), digits);
}

/** An OBJECT IDENTIFIER of its dotted form: `encodeOid('2.5.4.3')` is 06 03 55 04 03. */
export function encodeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const sevens = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      sevens.unshift(0x80 + (left % 128));
    return sevens;
  });
  return encode(TAG.oid, Buffer.from(bytes));
}

/** A BIT STRING of whole bytes, the last `unused` bits of which do not count. */
export function encodeBits(bytes: Uint8Array, unused = 0): Buffer {
  return encode(TAG.bits, Buffer.from([unused]), bytes);
}

/** A time in whole seconds, UTC: UTCTime up to 2049, GeneralizedTime from 2050 on, as RFC 5280 demands of certificates. */
export function encodeTime(time: Date): Buffer {
  const text = `${time.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return time.getUTCFullYear() < 2050
    ? encode(TAG.utcTime, Buffer.from(text.slice(2), 'latin1'))
    : encode(TAG.generalizedTime, Buffer.from(text, 'latin1'));
}
