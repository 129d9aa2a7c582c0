/**
 * depmod.d(5): which of several files of one module counts, and where else to look. Parses texts; reads no files.
 *
 *     search updates extra built-in          directories of the tree, most important first
 *     override ixgbe 6.1.* extra             this module is taken from here, if the release matches
 *     external 6.1.* /opt/drivers            a directory outside the tree
 *     exclude .debug kdump                   directory and file names to skip
 *
 * Joining lines, comments and separating words work as in modprobe.d. A release is `*`, or a POSIX extended regular expression that may
 * match anywhere in it. Later lines matter more than earlier ones of their kind; within `search`, earlier words matter more than later
 * ones. The parser puts each in front of a list, and the position in that list is the rank.
 */
import type { ConfigText } from '../facts/config/config-text.ts';
import type { Say } from './message.ts';

/** A place of `search`. Modules of a place with a higher position in the list win. */
export type SearchPlace =
  | { readonly kind: 'directory'; readonly path: string }
  /** Everything that no other place covers. */
  | { readonly kind: 'built-in' }
  /** Each of the external directories. */
  | { readonly kind: 'external' };

/** The rules of all files, each list with the line read last first. */
export interface DepmodConfig {
  readonly searches: readonly SearchPlace[];
  /** `extra/ixgbe`: path in the tree without extension. */
  readonly overrides: readonly string[];
  readonly externals: readonly string[];
  readonly excludes: ReadonlySet<string>;
}

/** The configuration for a kernel release. Without any `search` line it is `search updates`. */
export function parseDepmodConfig(texts: readonly ConfigText[], kernel: string, say: Say): DepmodConfig {
  const searches: SearchPlace[] = [];
  const overrides: string[] = [];
  const externals: string[] = [];
  const excludes = new Set<string>();
  for (const { file, text } of texts) {
    for (const line of logicalLines(text)) {
      const [command, ...words] = line.text.split(/[ \t]+/).filter((word) => word !== '');
      if (command === undefined || line.text.startsWith('#')) continue;
      const [first, second, third] = words;
      const matches = (release: string): boolean => {
        if (matchesRelease(release, kernel)) return true;
        const what = command === 'override' ? 'override kernel' : 'external directory';
        say('info', `${file}:${line.number}: ${what} did not match ${release}`);
        return false;
      };
      if (command === 'search') {
        for (const word of words) searches.unshift(searchPlace(word));
      } else if (command === 'override' && first !== undefined && second !== undefined && third !== undefined) {
        if (matches(second)) overrides.unshift(`${third}/${first}`);
      } else if (command === 'external' && first !== undefined && second !== undefined) {
        if (matches(first)) externals.unshift(second);
      } else if (command === 'exclude') {
        for (const word of words) excludes.add(word);
      } else if (command === 'include' || command === 'make_map_files') {
        say('info', `${file}:${line.number}: command ${command} not implemented yet`);
      } else {
        say('error', `${file}:${line.number}: ignoring bad line starting with '${command}'`);
      }
    }
  }
  if (searches.length === 0) searches.push(searchPlace('updates'));
  return { searches, overrides, externals, excludes };
}

function searchPlace(word: string): SearchPlace {
  return word === 'built-in' || word === 'external' ? { kind: word } : { kind: 'directory', path: word };
}

/** Joins lines at backslash-newline and drops any other backslash. `number` is the last line of a joined one, as kmod counts. */
function* logicalLines(text: string): Generator<{ readonly text: string; readonly number: number }> {
  let number = 0;
  let line = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') {
      at++;
      if (text[at] === '\n') number++;
      else line += text.charAt(at);
    } else if (character === '\n') {
      number++;
      yield { text: line, number };
      line = '';
    } else {
      line += character;
    }
  }
  if (line !== '') yield { text: line, number: number + 1 };
}

/** Whether a release pattern of depmod.d matches: `*`, or a POSIX extended regular expression; an invalid one never does. */
export function matchesRelease(pattern: string, kernel: string): boolean {
  if (pattern === '*') return true;
  try {
    return new RegExp(javascriptPattern(pattern)).test(kernel);
  } catch {
    return false;
  }
}

/** The same expression in JavaScript's syntax: `\` outside a set quotes, inside it stands for itself; `[[:digit:]]` becomes a range. */
function javascriptPattern(posix: string): string {
  let out = '';
  for (let at = 0; at < posix.length; at++) {
    const character = posix.charAt(at);
    if (character === '[') {
      const end = setEnd(posix, at);
      if (end < 0) throw new SyntaxError('an open set');
      out += javascriptSet(posix.slice(at + 1, end));
      at = end;
    } else if (character === '\\') {
      at++;
      if (at === posix.length) throw new SyntaxError('a backslash at the end');
      out += /\w/.test(posix.charAt(at)) ? posix.charAt(at) : `\\${posix.charAt(at)}`;
    } else {
      // Not special in POSIX: a brace or bracket that closes nothing.
      out += character === ']' || character === '}' ? `\\${character}` : character;
    }
    if (character === '{') {
      const bound = /^\{\d*(,\d*)?\}/.exec(posix.slice(at));
      if (bound === null) throw new SyntaxError('a bad bound');
      out = `${out.slice(0, -1)}${bound[0].replace('{,', '{0,')}`;
      at += bound[0].length - 1;
    }
  }
  return out;
}

/** The position of the bracket that closes the set opened at `at`. */
function setEnd(posix: string, at: number): number {
  let i = at + 1;
  if (posix[i] === '^') i++;
  if (posix[i] === ']') i++;
  for (; i < posix.length; i++) {
    if (posix[i] === ']') return i;
    if (posix.startsWith('[:', i)) {
      const close = posix.indexOf(':]', i + 2);
      if (close < 0) return -1;
      i = close + 1;
    }
  }
  return -1;
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

function javascriptSet(members: string): string {
  const negated = members.startsWith('^');
  const body = (negated ? members.slice(1) : members).replaceAll(/\[:(\w+):\]|[\\\][]/g, (found, name?: string) => {
    if (name === undefined) return `\\${found}`;
    const range = CLASSES[name];
    if (range === undefined) throw new SyntaxError(`no class ${name}`);
    return range;
  });
  return `[${negated ? '^' : ''}${body}]`;
}
