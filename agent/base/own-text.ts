/**
 * A copy of machine text (latin1) that stands alone. V8 makes a slice of 13 characters or more a reference into the string
 * that it was cut from, so a modalias that is kept would keep the whole datagram it came in: 1.4 KB instead of 40 bytes.
 */
export function ownText<T extends string>(text: T): T {
  return Buffer.from(text, 'latin1').toString('latin1') as T;
}
