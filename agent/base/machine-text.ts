/**
 * Machine text is what the kernel, module files and configuration hold. plugd reads it as latin1, so one character is one
 * byte and text that is not UTF-8 stays as it came. Ordinary text is what Node, JSON and people use: paths, words of the
 * command line. Text of ASCII only is the same in both.
 */

/** Well-formed UTF-8 of two to four bytes, or one stray byte. Source: The Unicode Standard, table 3-7. */
const SEQUENCE =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** What `fromMachineText` makes of a stray byte. With `u`, halves of a surrogate pair do not match. */
const STRAY = /([\udc80-\udcff])/u;
const STRAY_OFFSET = 0xdc00;

/** Whether each character is a byte in UTF-8, too. */
function isAscii(text: string): boolean {
  // Counting is the engine's; an expression that looks at each character was a sixth of what plugd-lite does in a coldplug.
  return Buffer.byteLength(text) === text.length;
}

/** Ordinary text as machine text: `é` → `Ã©`. The inverse of `fromMachineText`. */
export function toMachineText(text: string): string {
  if (isAscii(text)) return text;
  return text
    .split(STRAY)
    .map((part, i) =>
      i % 2 === 1
        ? String.fromCharCode(part.charCodeAt(0) - STRAY_OFFSET)
        : Buffer.from(part, 'utf8').toString('latin1'),
    )
    .join('');
}

/**
 * Machine text as ordinary text: `Ã©` → `é`. Nothing is lost: a byte that is not part of UTF-8 becomes a lone surrogate,
 * U+DC80 to U+DCFF, which `toMachineText` turns back into that byte (as Python does for file names, PEP 383).
 */
export function fromMachineText(text: string): string {
  if (isAscii(text)) return text;
  return text.replaceAll(SEQUENCE, (bytes) =>
    bytes.length === 1
      ? String.fromCharCode(STRAY_OFFSET + bytes.charCodeAt(0))
      : Buffer.from(bytes, 'latin1').toString('utf8'),
  );
}

/** A path in machine text as node:fs takes it: bytes, unless it is ASCII. */
export function nativePath(path: string): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, 'latin1');
}

/**
 * A copy of machine text that stands alone. V8 makes a slice of 13 characters or more a reference into the string it was cut
 * from, so a modalias that is kept would keep its whole datagram: 1.4 KB instead of 40 bytes.
 */
export function ownText<T extends string>(text: T): T {
  return Buffer.from(text, 'latin1').toString('latin1') as T;
}
