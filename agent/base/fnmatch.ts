/**
 * fnmatch(3) with flags 0 in the C locale, on latin1 text: what modprobe.d patterns and module aliases mean.
 *
 * `*` any run (also of '/' and a leading '.'), `?` one byte, `[…]` one byte of a set: members, ranges `a-f`, `[:digit:]`
 * classes, `!` or `^` first negates, `]` first is a member, `\x` is x. `\x` outside is x too. A `[` that is never closed
 * is an ordinary character; a `\` at the end of a pattern matches nothing. Where glibc's two readings of a malformed
 * bracket disagree (`[0-[=a=]`), here it is read one way; no normalised pattern has such brackets.
 */
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BACKSLASH = 0x5c;
const DASH = 0x2d;

/** True when `text` matches `pattern`: `fnmatch('pci:v*sv*', 'pci:v00008086sv00')`. Time is at most pattern × text, never exponential. */
export function fnmatch(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where to go on when a guess fails: behind the last star, which takes one byte more. Earlier stars never need
  // another try, since the last one can take whatever they could.
  let starPattern = -1;
  let starText = 0;
  for (;;) {
    if (p < pattern.length && pattern.charCodeAt(p) === STAR) {
      starPattern = ++p;
      starText = t;
      continue;
    }
    if (t === text.length) return p === pattern.length || restIsStars(pattern, p);
    const next = p < pattern.length ? matchOne(pattern, p, text.charCodeAt(t)) : -1;
    if (next >= 0) {
      p = next;
      t++;
    } else {
      if (starPattern < 0) return false;
      p = starPattern;
      t = ++starText;
    }
  }
}

/** True when `pattern` holds none of fnmatch's special characters, so that only the same text matches. */
export function isLiteral(pattern: string): boolean {
  return !/[*?[\\]/.test(pattern);
}

function restIsStars(pattern: string, from: number): boolean {
  for (let i = from; i < pattern.length; i++) if (pattern.charCodeAt(i) !== STAR) return false;
  return true;
}

/** The pattern position after one element (not a star) that accepts `code`, or -1. */
function matchOne(pattern: string, p: number, code: number): number {
  const c = pattern.charCodeAt(p);
  if (c === QUESTION) return p + 1;
  if (c === BACKSLASH) return pattern.charCodeAt(p + 1) === code ? p + 2 : -1;
  if (c === OPEN) {
    const end = bracketEnd(pattern, p);
    if (end > 0) return bracketAccepts(pattern, p, code) ? end : -1;
  }
  return c === code ? p + 1 : -1;
}

/** The position behind the `]` that closes the `[` at `open`: `bracketEnd('x[]a]y', 1)` is 5; -1 when none does. */
export function bracketEnd(pattern: string, open: number): number {
  let i = open + 1;
  const first = pattern.charCodeAt(i);
  if (first === 0x21 || first === 0x5e) i++;
  for (let begin = true; i < pattern.length; begin = false) {
    const c = pattern.charCodeAt(i);
    if (c === CLOSE && !begin) return i + 1;
    const end = memberEnd(pattern, i);
    i = canBeginRange(pattern, i, end) ? rangeEnd(pattern, end + 1) : end;
  }
  return -1;
}

/** True when the closed bracket at `open` accepts the byte: `bracketAccepts('[!0-9]', 0, 0x61)`. */
export function bracketAccepts(pattern: string, open: number, code: number): boolean {
  let i = open + 1;
  const first = pattern.charCodeAt(i);
  const negated = first === 0x21 || first === 0x5e;
  if (negated) i++;
  for (let begin = true; i < pattern.length; begin = false) {
    const c = pattern.charCodeAt(i);
    if (c === CLOSE && !begin) return negated;
    const end = memberEnd(pattern, i);
    const name = className(pattern, i, end);
    if (name !== undefined) {
      const test = CLASSES[name];
      if (test === undefined) return false;
      if (test(code)) return !negated;
      i = end;
      continue;
    }
    const low = memberCode(pattern, i, end);
    if (canBeginRange(pattern, i, end)) {
      i = rangeEnd(pattern, end + 1);
      if (low <= code && code <= memberCode(pattern, end + 1, i)) return !negated;
    } else {
      i = end;
      if (low === code) return !negated;
    }
  }
  return false;
}

/** True when the member [i, end) is the beginning of a range: not a class, and `-` and something but the closing `]` follow. */
function canBeginRange(pattern: string, i: number, end: number): boolean {
  if (pattern.charCodeAt(end) !== DASH || end + 1 >= pattern.length || pattern.charCodeAt(end + 1) === CLOSE)
    return false;
  return end - i < 4 || pattern.charAt(i + 1) === '.';
}

/** The position behind the member at `i`: `a`, `\a`, `[:alpha:]`, `[=a=]`, `[.a.]`. */
function memberEnd(pattern: string, i: number): number {
  const c = pattern.charCodeAt(i);
  if (c === BACKSLASH) return i + 2;
  if (c !== OPEN) return i + 1;
  const kind = pattern.charAt(i + 1);
  if (kind === ':') {
    let end = i + 2;
    while (isLower(pattern.charCodeAt(end))) end++;
    return pattern.startsWith(':]', end) ? end + 2 : i + 1;
  }
  if (kind === '=' || kind === '.') return pattern.startsWith(`${kind}]`, i + 3) ? i + 5 : i + 1;
  return i + 1;
}

/** As memberEnd, for the end of a range: there `[:` and `[=` are an opening bracket and what follows. */
function rangeEnd(pattern: string, i: number): number {
  return pattern.charCodeAt(i) === OPEN && pattern.charAt(i + 1) !== '.' ? i + 1 : memberEnd(pattern, i);
}

function className(pattern: string, i: number, end: number): string | undefined {
  return end > i + 3 && pattern.charAt(i + 1) === ':' ? pattern.slice(i + 2, end - 2) : undefined;
}

function memberCode(pattern: string, i: number, end: number): number {
  const length = end - i;
  return pattern.charCodeAt(length === 1 ? i : length === 2 ? i + 1 : i + 2);
}

const isLower = (c: number): boolean => c >= 0x61 && c <= 0x7a;
const isUpper = (c: number): boolean => c >= 0x41 && c <= 0x5a;
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isAlpha = (c: number): boolean => isLower(c) || isUpper(c);
const isGraph = (c: number): boolean => c > 0x20 && c < 0x7f;

/** The C locale's character classes. */
const CLASSES: Readonly<Record<string, ((c: number) => boolean) | undefined>> = {
  __proto__: null as never,
  alnum: (c) => isAlpha(c) || isDigit(c),
  alpha: isAlpha,
  blank: (c) => c === 0x20 || c === 0x09,
  cntrl: (c) => c < 0x20 || c === 0x7f,
  digit: isDigit,
  graph: isGraph,
  lower: isLower,
  print: (c) => isGraph(c) || c === 0x20,
  punct: (c) => isGraph(c) && !isAlpha(c) && !isDigit(c),
  space: (c) => c === 0x20 || (c >= 0x09 && c <= 0x0d),
  upper: isUpper,
  xdigit: (c) => isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66),
};
