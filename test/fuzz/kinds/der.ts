/** DER: what a module's signature and the kernel's certificates are made of. */
import { derInside, derOid, derValues, TAG } from '../../../agent/facts/modfiles/der.ts';
import { Random } from '../../fixtures/random.ts';
import { check, type FuzzKind } from '../kind.ts';

/** A value of a tag, with the shortest length. */
function value(tag: number, ...contents: readonly Buffer[]): Buffer {
  const inside = Buffer.concat(contents);
  const { length } = inside;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), inside]);
}

const oid = (hex: string) => value(TAG.oid, Buffer.from(hex, 'hex'));
const SHA256 = value(TAG.sequence, oid('608648016503040201'), Buffer.from([5, 0]));

/** A PKCS#7 SignedData as sign-file makes it; with a generator, parts of it differ. */
export function signedData(random = new Random(1)): Buffer {
  const name = value(
    TAG.sequence,
    value(TAG.set, value(TAG.sequence, oid('550403'), value(0x0c, Buffer.from(random.text('Build key', 0, 20))))),
  );
  const identity =
    random.below(3) === 0
      ? value(TAG.primitive0, Buffer.alloc(20, 7))
      : value(TAG.sequence, name, value(TAG.integer, Buffer.from([0, 0x81])));
  const signature = value(TAG.octets, Buffer.alloc(random.below(300), 9));
  const info = value(TAG.sequence, value(TAG.integer, Buffer.from([1])), identity, SHA256, SHA256, signature);
  const data = value(
    TAG.sequence,
    value(TAG.integer, Buffer.from([1])),
    value(TAG.set, SHA256),
    value(TAG.sequence, oid('2a864886f70d010701')),
    value(TAG.set, info),
  );
  return value(TAG.sequence, oid('2a864886f70d010702'), value(TAG.context0, data));
}

/** Values in values; mostly whole. */
function compose(random: Random): Buffer {
  const grow = (depth: number): Buffer => {
    const tag = random.of([...Object.values(TAG), random.below(256)]);
    if (depth === 0 || random.below(3) === 0)
      return value(tag, Buffer.from(random.text('\x80\xff\x01A', 0, 20), 'latin1'));
    return value(tag, ...Array.from({ length: random.below(4) }, () => grow(depth - 1)));
  };
  return random.below(2) === 0
    ? signedData(random)
    : Buffer.concat(Array.from({ length: random.below(4) }, () => grow(6)));
}

function read(input: Buffer): void {
  const values = derValues(input);
  if (values === undefined) return;
  check(
    values.reduce((length, { whole }) => length + whole.length, 0) === input.length,
    'whole values cover the bytes',
  );
  // Every level holds less than the one above, so this ends; a level at a time, since a hostile nest is deep.
  let level = values;
  while (level.length > 0) {
    check(
      level.every(({ contents, whole }) => contents.length < whole.length),
      'contents are less than the value',
    );
    for (const one of level) derOid(one);
    level = level.flatMap((one) => derInside(one, one.tag) ?? []);
  }
}

export const kind: FuzzKind = {
  samples: [signedData(), SHA256],
  words: [...Object.values(TAG), 0x80, 0x81, 0x82, 0x84, 0xff].map((byte) => Buffer.from([byte])),
  compose,
  read,
};
