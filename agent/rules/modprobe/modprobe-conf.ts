/**
 * The grammar of modprobe.d files, of modules.softdep and of modules.weakdep, as libkmod reads them:
 *
 * - A backslash before a newline joins two lines with nothing in between. Before any other character it is dropped and
 *   the character kept, so no backslash ever reaches an install command.
 * - `#` makes a comment only as the very first character of the (joined) line. Empty lines are skipped.
 * - The first word is the directive, case counts. Only blanks and TABs separate words: a carriage return is
 *   part of its word. There are no quotes. The line ends at a NUL.
 * - Words beyond those that a directive takes are ignored; install, remove, options, softdep and weakdep take the raw rest.
 * - '-' becomes '_' in names and patterns, except inside [brackets], which must be closed.
 *
 *     blacklist pcspkr
 *     options snd-hda-intel power_save=1 \
 *         model=auto
 *     softdep vfio-pci pre: vfio post: kvmgt
 *
 * Sources: modprobe.d(5); libkmod's kmod_config_parse and shared/util's freadline_wrapped, and how both behave when they run.
 */
import { lookupKey, type Place } from '../../base/names.ts';
import { FileProblems, type Problem } from '../../base/problem.ts';
import { nearestWord } from '../../base/spelling.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { GrowingConfig, RuleList, RuleTypes } from './config.ts';
import { DIRECTIVE_NAMES, DIRECTIVES, RULE_LISTS, type DirectiveLine } from './directives.ts';

/** Adds the rules and problems of one file to `config`. */
export function parseModprobeConf({ file, text }: ConfigText, config: GrowingConfig): void {
  const problems = new FileProblems(file, config.problems);
  const joins = text.includes('\\');
  let start = 0;
  let number = 1;
  while (start < text.length) {
    // Comments are most of a usual file; where nothing joins lines they end at the newline.
    const first = text[start];
    if (!joins && (first === '#' || first === '\n')) {
      start = text.indexOf('\n', start) + 1;
      if (start === 0) break;
      number++;
      continue;
    }
    const line = new Line(file, text, start, number, problems);
    line.read(config);
    start = line.next;
    number = line.nextNumber;
  }
  problems.end();
  const dos = text.includes('\r') ? text.search(/\r(\n|$)/) : -1;
  if (dos < 0) return;
  const before = text.slice(0, dos).split('\n');
  config.problems.push({
    file,
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
    severity: 'warning',
    code: 'ignored',
    message:
      'a carriage return ends this line and is read as part of its last word; write the file with plain newlines',
  });
}

/** The list that each directive's word fills. */
const LISTS: ReadonlyMap<string, RuleList> = new Map(
  RULE_LISTS.filter((list) => DIRECTIVES[list].form !== undefined).map((list) => [DIRECTIVES[list].name, list]),
);

function readRule<List extends RuleList>(list: List, line: DirectiveLine, rules: Array<RuleTypes[List]>): void {
  const rule = DIRECTIVES[list].read?.(line);
  if (rule !== undefined) rules.push(rule);
}

/** A logical line, read word by word. */
class Line implements DirectiveLine {
  readonly place: Place;
  /** Offset and number of the line after this one. */
  readonly next: number;
  readonly nextNumber: number;
  readonly #problems: FileProblems;
  readonly #source: string;
  readonly #start: number;
  readonly #text: string;
  /** Source offsets of the characters that joining dropped, ascending. */
  readonly #dropped: number[] = [];
  #form = '';
  #at = 0;

  constructor(file: string, source: string, start: number, number: number, problems: FileProblems) {
    this.place = { file, line: number };
    this.#problems = problems;
    this.#source = source;
    this.#start = start;
    const newline = source.indexOf('\n', start);
    const end = newline < 0 ? source.length : newline;
    const whole = source.slice(start, end);
    if (!whole.includes('\\')) {
      this.next = end + 1;
      this.nextNumber = number + 1;
      this.#text = beforeNul(whole);
      return;
    }
    let text = '';
    let from = start;
    let at = start;
    let joined = 0;
    for (; at < source.length && source[at] !== '\n'; at++) {
      if (source[at] !== '\\') continue;
      text += source.slice(from, at);
      this.#dropped.push(at++);
      if (source[at] === '\n') {
        this.#dropped.push(at);
        joined++;
        from = at + 1;
      } else {
        from = at;
      }
    }
    this.#text = beforeNul(text + source.slice(from, at));
    this.next = at + 1;
    this.nextNumber = number + 1 + joined;
  }

  read(config: GrowingConfig): void {
    if (this.#text === '' || this.#text.startsWith('#')) return;
    const word = this.#word();
    if (word === undefined) return;
    const list = LISTS.get(word.text);
    if (list === undefined) {
      this.#problems.add(() => {
        const { message, ...more } = unknownDirective(word.text);
        return { ...this.#problem(message, word.at), ...more, word: word.text };
      });
      return;
    }
    const blank = blankIn(this.#text);
    if (blank !== undefined) this.complain(blank.message, blank.at, { severity: 'warning', code: 'ignored' });
    this.#form = DIRECTIVES[list].form ?? '';
    readRule(list, this, config[list]);
  }

  name(): string | undefined {
    const word = this.#word();
    if (word === undefined) {
      this.complain(`a word is missing; expected ${this.#form}`, this.#text.length);
      return undefined;
    }
    const key = lookupKey(word.text);
    if (key === undefined) this.complain(`a bracket of '${word.text}' has no partner; expected ${this.#form}`, word.at);
    return key;
  }

  nameAndRest(): ReturnType<DirectiveLine['nameAndRest']> {
    const name = this.name();
    if (name === undefined) return undefined;
    const rest = this.#text.slice(this.#at);
    if (rest !== '') return { name, rest, at: this.#at };
    this.complain(`nothing stands after '${name}'; expected ${this.#form}`, this.#text.length);
    return undefined;
  }

  nothingMore(): void {
    const word = this.#word();
    if (word === undefined || word.text.startsWith('#')) return;
    this.complain(`'${word.text}' and what follows is ignored; expected ${this.#form}`, word.at, {
      severity: 'warning',
      code: 'ignored',
    });
  }

  complain(message: string, at: number, more: Partial<Pick<Problem, 'severity' | 'code' | 'word'>> = {}): void {
    this.#problems.add(() => ({ ...this.#problem(message, at), ...more }));
  }

  #problem(message: string, at: number): Problem {
    let offset = this.#start + at;
    for (const dropped of this.#dropped) {
      if (dropped > offset) break;
      offset++;
    }
    let line = this.place.line;
    let lineStart = this.#start;
    for (
      let i = this.#source.indexOf('\n', lineStart);
      i >= 0 && i < offset;
      i = this.#source.indexOf('\n', lineStart)
    ) {
      line++;
      lineStart = i + 1;
    }
    const { file } = this.place;
    const column = offset - lineStart + 1;
    return { file, line, column, severity: 'error', code: 'malformed', message };
  }

  #word(): { readonly text: string; readonly at: number } | undefined {
    const text = this.#text;
    let at = this.#at;
    while (text[at] === ' ' || text[at] === '\t') at++;
    if (at >= text.length) return undefined;
    // A look at each character would cost plugd-lite more than all else that is done with a line.
    const [blank, tab] = [text.indexOf(' ', at), text.indexOf('\t', at)];
    const end = Math.min(blank < 0 ? text.length : blank, tab < 0 ? text.length : tab);
    this.#at = end + 1;
    return { text: text.slice(at, end), at };
  }
}

/** What is wrong with the first word of a line. */
function unknownDirective(word: string): Pick<Problem, 'code' | 'message'> & Partial<Pick<Problem, 'severity'>> {
  if (word.startsWith('#')) return { code: 'malformed', message: 'a comment must begin in the first column' };
  if (word.startsWith(BYTE_ORDER_MARK)) {
    const message = 'a byte order mark hides the first word of this file; save the file without one';
    return { code: 'byte-order-mark', message };
  }
  const blank = blankIn(word);
  if (blank !== undefined) return { code: 'malformed', message: blank.message };
  const expected = `expected ${DIRECTIVE_NAMES.slice(0, -1).join(', ')} or ${DIRECTIVE_NAMES.at(-1)}`;
  const code = 'unknown-directive';
  if (word === 'include' || word === 'config') return { code, message: `'${word}' is no longer read; ${expected}` };
  if (word === 'allow_unsupported_modules') {
    // A file of every SUSE has this line, so it is no fault of the administrator.
    const message = `only SUSE's own modprobe knows '${word}'; like upstream's, plugd loads unsupported modules too`;
    return { code: 'ignored', severity: 'warning', message };
  }
  const lower = word.toLowerCase();
  if (DIRECTIVE_NAMES.includes(lower)) return { code, message: `'${word}' must be written '${lower}'` };
  const meant = nearestWord(word, DIRECTIVE_NAMES);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { code, message: `'${word}' is not a directive; ${expected}${hint}` };
}

/** Blanks that separate no words, as they come with text copied from web pages and word processors: in UTF-8. */
const BLANKS = /\xC2\xA0|\xE2\x80[\x80-\x8B\xAF]|\xE2\x81\xA0|\xE3\x80\x80/;

/** The first such blank of a text, and what is wrong with it; undefined when there is none. */
function blankIn(text: string): { readonly at: number; readonly message: string } | undefined {
  const found = Buffer.byteLength(text) === text.length ? null : BLANKS.exec(text);
  if (found === null) return undefined;
  const code = Buffer.from(found[0], 'latin1').toString().codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const kind = code === 0xa0 ? 'a no-break space' : 'a special blank';
  return { at: found.index, message: `${kind} (${name}) separates no words, it is part of one; write a plain blank` };
}

/** U+FEFF in UTF-8, as some editors of other systems write it in front of a file. */
const BYTE_ORDER_MARK = '\xEF\xBB\xBF';

function beforeNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}
