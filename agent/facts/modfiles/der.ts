/**
 * DER, as far as module signatures and certificates need it: nested values of tag, length and contents. Pure.
 *
 *     30 0d  06 09 2a 86 48 86 f7 0d 01 07 02  05 00
 *     SEQUENCE of 13 bytes: OBJECT IDENTIFIER of 9 bytes, NULL
 *
 * A length below 128 is one byte; else 0x80 + n, then n bytes big-endian. Source: ITU-T X.690.
 */

/** One value: `tag` is the whole first byte (0x30 SEQUENCE, 0x02 INTEGER, 0xa0 [0]). */
export interface DerValue {
  readonly tag: number;
  readonly contents: Buffer;
  /** The value with its tag and length. */
  readonly whole: Buffer;
}

/** Tags by name. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  none: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context1: 0xa1,
  context3: 0xa3,
  primitive0: 0x80,
} as const;

/** The value at the start of `bytes`, or at offset `at`; undefined when it is incomplete. Other bytes may follow it. */
export function derFirst(bytes: Buffer, at = 0): DerValue | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    // Indefinite lengths are not DER; four bytes can count more than any signature has.
    if (count === 0 || count > 4 || start + count > bytes.length) return undefined;
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  if (start + length > bytes.length) return undefined;
  return { tag, contents: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** The consecutive values in `bytes`; undefined when one is incomplete. */
export function derValues(bytes: Buffer): readonly DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const value = derFirst(bytes, at);
    if (value === undefined) return undefined;
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** The values inside a value; undefined unless it has that tag. */
export function derInside(value: DerValue | undefined, tag: number): readonly DerValue[] | undefined {
  return value?.tag === tag ? derValues(value.contents) : undefined;
}

/** An object identifier in dotted form: `2.16.840.1.101.3.4.2.1`; '' for any other value. */
export function derOid(value: DerValue | undefined): string {
  if (value?.tag !== TAG.oid) return '';
  const parts: number[] = [];
  let part = 0;
  for (const byte of value.contents) {
    part = part * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (parts.length === 0)
      parts.push(Math.min(2, Math.floor(part / 40)), part - 40 * Math.min(2, Math.floor(part / 40)));
    else parts.push(part);
    part = 0;
  }
  return parts.join('.');
}
