/** How two fnmatch patterns stand to each other, for rules about aliases, which are patterns themselves. */
import { bracketAccepts, bracketEnd, fnmatch, isLiteral } from './fnmatch.ts';

/**
 * - `covers`: the first pattern matches every text that the second one matches.
 * - `overlaps`: some text matches both; whether the first covers the second is not certain.
 * - `apart`: no text matches both.
 */
export type PatternRelation = 'covers' | 'overlaps' | 'apart';

/** `relatePatterns('pci:v0000AAAAd*', 'pci:v0000AAAAd00000001sv*')` is `covers`; the other way round it is `overlaps`. */
export function relatePatterns(pattern: string, other: string): PatternRelation {
  if (isLiteral(other)) return fnmatch(pattern, other) ? 'covers' : 'apart';
  const length = Math.min(plainLength(pattern), plainLength(other));
  if (pattern.slice(0, length) !== other.slice(0, length)) return 'apart';
  const all = elements(pattern);
  const others = elements(other);
  // `[[:none:]]`, or a backslash at the end: nothing matches.
  if (all.includes('') || others.includes('')) return 'apart';
  if (covers(all, others)) return 'covers';
  return overlaps(all, others) ? 'overlaps' : 'apart';
}

/** How many characters at the beginning stand for themselves. */
function plainLength(pattern: string): number {
  const special = pattern.search(/[*?[\\]/);
  return special < 0 ? pattern.length : special;
}

const STAR = Symbol('*');
/** The bytes that one position accepts, as text; or any run of bytes. */
type Element = string | typeof STAR;
const ANY = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));

/** The elements of a pattern, read as fnmatch reads it. */
function elements(pattern: string): readonly Element[] {
  const found: Element[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    const end = c === '[' ? bracketEnd(pattern, i) : -1;
    if (c === '*') {
      if (found.at(-1) !== STAR) found.push(STAR);
    } else if (c === '?') {
      found.push(ANY);
    } else if (end > 0) {
      const open = i;
      found.push(
        ANY.split('')
          .filter((byte) => bracketAccepts(pattern, open, byte.charCodeAt(0)))
          .join(''),
      );
      i = end - 1;
    } else if (c === '\\') {
      found.push(pattern.charAt(++i));
    } else {
      found.push(c);
    }
  }
  return found;
}

/** Matches `all` against `others` as fnmatch matches text: a star of `others` is taken only by a star of `all`. */
function covers(all: readonly Element[], others: readonly Element[]): boolean {
  let a = 0;
  let o = 0;
  let star = -1;
  let from = 0;
  for (;;) {
    const element = all[a];
    if (element === STAR) {
      star = ++a;
      from = o;
      continue;
    }
    const other = others[o];
    if (other === undefined && element === undefined) return true;
    if (element !== undefined && other !== undefined && other !== STAR && isWithin(other, element)) {
      a++;
      o++;
      continue;
    }
    if (star < 0 || from >= others.length) return false;
    a = star;
    o = ++from;
  }
}

/** Whether a text matches both, by the pairs of positions that are left to match. */
function overlaps(all: readonly Element[], others: readonly Element[]): boolean {
  // match[o]: whether the rests of both, from the element at hand and from o, have a text in common.
  let below: boolean[] = [];
  for (let a = all.length; a >= 0; a--) {
    const match: boolean[] = [];
    for (let o = others.length; o >= 0; o--) {
      const element = all[a];
      const other = others[o];
      const skipA = below[o] ?? false;
      const skipO = match[o + 1] ?? false;
      if (element === undefined && other === undefined) match[o] = true;
      else if (element === STAR || other === STAR) match[o] = skipA || skipO;
      else match[o] = element !== undefined && other !== undefined && meet(element, other) && (below[o + 1] ?? false);
    }
    below = match;
  }
  return below[0] ?? false;
}

function isWithin(part: string, whole: string): boolean {
  return part === whole || (part.length <= whole.length && part.split('').every((byte) => whole.includes(byte)));
}

function meet(a: string, b: string): boolean {
  return a.split('').some((byte) => b.includes(byte));
}
