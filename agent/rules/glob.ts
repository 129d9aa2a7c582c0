/**
 * Globs that people write: in udev rules, filters and policy files. This file is minimatch's only door.
 *
 * `*` any run of characters, `?` one, `[a-f]` `[!a-f]` one of a set or not, `\x` is x. No braces, no `+(…)`, no comments,
 * no negation. minimatch is made for paths. It differs from fnmatch(3), which udev uses, in three ways: its wildcards
 * never cross a '/', never match the names `.` and `..`, and `*` is at least one character. So '/' becomes a character
 * that no text has, and pattern and text both get another one in front.
 *
 * Most globs never reach minimatch: a text that does not begin as the glob does cannot match.
 */
import { Minimatch } from 'minimatch';
import { PlugdError } from '../base/error.ts';

const SLASH = '\x01';
const BEGIN = '\x02';
const MAGIC = /[*?[\\]/;
const OPTIONS = {
  nobrace: true,
  noext: true,
  noglobstar: true,
  nocomment: true,
  nonegate: true,
  dot: true,
  platform: 'linux',
  optimizationLevel: 0,
} as const;

/** In characters. Real ones have some dozens; minimatch refuses 65,536. */
const LONGEST = 4096;

/** What is wrong with a glob, to tell where it is read; undefined when nothing is. */
export function globFault(pattern: string): string | undefined {
  return isGlob(pattern) && pattern.length > LONGEST
    ? `a glob of ${pattern.length} characters; at most ${LONGEST} can be matched`
    : undefined;
}

/** Whether `text` has wildcards: `mtd*ro`. */
export function isGlob(text: string): boolean {
  return MAGIC.test(text);
}

/**
 * A test for `pattern`: `compileGlob('mtd*ro')('mtd0ro')` is true. `*` crosses '/' and matches nothing too. The test never throws.
 * Errors: `usage` where globFault() finds a fault.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const fault = globFault(pattern);
  if (fault !== undefined) throw new PlugdError('usage', fault);
  if (pattern === '*') return () => true;
  if (pattern === '?*') return (text) => text !== '';
  const magic = pattern.search(MAGIC);
  if (magic < 0) return (text) => text === pattern;
  const prefix = pattern.slice(0, magic);
  if (magic === pattern.length - 1 && pattern.endsWith('*')) return (text) => text.startsWith(prefix);
  let matcher: Minimatch | undefined;
  return (text) => {
    if (!text.startsWith(prefix)) return false;
    matcher ??= new Minimatch(BEGIN + pattern.replaceAll('/', SLASH), OPTIONS);
    return matcher.match(BEGIN + text.replaceAll('/', SLASH));
  };
}
