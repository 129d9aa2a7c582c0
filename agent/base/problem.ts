/**
 * What is wrong with a file that plugd reads: a line of configuration, a damaged index. Everything else in the file, and all
 * other files, still count.
 */
import type { Place } from './names.ts';
import { placeText } from './words.ts';

/** Every kind of problem, and what it means. docs/common.schema.json has them from here (`npm run schemas`). */
export const PROBLEM_CODES = {
  unreadable: 'the file cannot be read',
  'unknown-directive': 'the line begins with a word that is no directive',
  'byte-order-mark': 'U+FEFF stands before the first word, which is then no directive',
  malformed: 'a line, or a part of it, does not have the form that is expected',
  ignored: 'the line counts, but not all of it, or not as its author will have meant',
  unsupported: 'the line is right, and plugd cannot evaluate it',
  damaged: 'an index is cut off or is no index',
  missing: 'neither an index nor its text is there',
} as const;

/** The kind of a problem; programs compare this, never the message. */
export type ProblemCode = keyof typeof PROBLEM_CODES;

/** One problem. */
export interface Problem extends Place {
  /** The physical line of what is wrong, 1 is the first; 0: the whole file. */
  readonly line: number;
  /** Where it begins in the line, 1 is the first column; 0: the whole line or file. */
  readonly column: number;
  /** `error`: what is wrong does not count. `warning`: it counts, but not as its author will have meant it. */
  readonly severity: 'error' | 'warning';
  readonly code: ProblemCode;
  /** What is wrong and what is expected; machine text. */
  readonly message: string;
  /** The word that is wrong, as written, where the problem is one word; machine text. */
  readonly word?: string | undefined;
}

/** `/etc/modprobe.d/a.conf:3:9: 'blaklist' is not a directive; …`, as machine text. */
export function problemText(problem: Problem): string {
  const column = problem.line === 0 || problem.column === 0 ? '' : `:${problem.column}`;
  return `${placeText(problem)}${column}: ${problem.message}`;
}

/** How many problems of one file are told: a file that is no configuration at all has one in every line. */
const MOST_PROBLEMS = 1000;

/**
 * Collects the problems of one file in `list`: the first thousand, and one more that counts the rest.
 *
 *     new FileProblems('/etc/modprobe.d/a.conf', problems).add(() => problem)
 */
export class FileProblems {
  readonly #file: string;
  readonly #list: Problem[];
  #count = 0;

  constructor(file: string, list: Problem[]) {
    this.#file = file;
    this.#list = list;
  }

  /** Adds what `make` answers; does not call it when the problem is not kept. */
  add(make: () => Problem): void {
    if (++this.#count <= MOST_PROBLEMS) this.#list.push(make());
  }

  /** The file has been read: says how many problems are left out, if any are. */
  end(): void {
    const more = this.#count - MOST_PROBLEMS;
    if (more <= 0) return;
    const message = `${more} more ${more === 1 ? 'line of this file is' : 'lines of this file are'} wrong`;
    this.#list.push({ file: this.#file, line: 0, column: 0, severity: 'error', code: 'malformed', message });
  }
}
