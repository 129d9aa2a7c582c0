/**
 * POSIX extended regular expressions as JavaScript's, where both say the same. Whether a pattern is found anywhere in a text does not
 * depend on which match is preferred, so only the syntax differs. What glibc or JavaScript takes otherwise (classes by name, GNU's
 * escapes, intervals, repeated repetitions) is left to the shell. Pure.
 */

/** One step of a pattern: a literal, an escaped sign, a bracket without classes, an anchor, a group's ends, or a repetition. */
const TOKEN = /[\w\s\-/:,@%&=<>!#~"';+*?.^$|()]|\\[.\-+*?^$|(){}[\]/\\]|\[\^?(?:\]|[^\][\\^])[^\][\\]*\]/y;

/** Each repetition that can take the same signs multiplies the ways to try. Patterns of packages have two or three. */
const MOST_REPETITIONS = 6;

/**
 * Whether the pattern is found in the text; undefined when the shell must say. Patterns whose time could grow beyond measure (a repeated
 * group with repetitions or alternatives inside) are among these.
 */
export function matchesExtended(pattern: string, text: string): boolean | undefined {
  const source = translated(pattern);
  if (source === undefined) return undefined;
  try {
    return new RegExp(source).test(text);
  } catch {
    return undefined; // A range that is upside down.
  }
}

function translated(pattern: string): string | undefined {
  let source = '';
  /** What came before: nothing that could be repeated, something that can, or a repetition. */
  let before: 'start' | 'item' | 'repeated' = 'start';
  /** For each open group whether it has a repetition or an alternative inside. */
  const open: boolean[] = [];
  let closed = false;
  let repetitions = 0;
  for (let at = 0; at < pattern.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(pattern)?.[0];
    if (token === undefined) return undefined;
    const isRepetition = token === '*' || token === '+' || token === '?';
    if (isRepetition) {
      if (before !== 'item' || (closed && token !== '?') || ++repetitions > MOST_REPETITIONS) return undefined;
      open.fill(true);
    }
    if (token === '|') {
      if (before === 'start') return undefined;
      open.fill(true);
    }
    closed = false;
    if (token === '(') open.push(false);
    if (token === ')') {
      const inner = open.pop();
      if (inner === undefined || before === 'start') return undefined;
      closed = inner;
    }
    const opens = token === '(' || token === '|' || token === '^';
    before = opens ? 'start' : isRepetition || token === '$' ? 'repeated' : 'item';
    source += token.startsWith('[') ? bracket(token) : token;
  }
  const dangling = pattern !== '' && before === 'start' && !pattern.endsWith('^');
  return open.length > 0 || dangling ? undefined : source;
}

/** `[]a-z]`: a bracket that comes first is one of the set. */
function bracket(token: string): string {
  const [, not = '', set = ''] = /^\[(\^?)([^]*)\]$/.exec(token) ?? [];
  return `[${not}${set.replaceAll(/[\]^]/g, String.raw`\$&`)}]`;
}
