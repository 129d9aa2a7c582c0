/** Where the TAP of one test file ends in that of several. */

/** How the subtest behind a file's own is called, before the file's path. */
export const END = 'the end of ';

/** How one file ended: its lines of TAP, `0` or why it counts as failed, and how long it took in milliseconds. */
export interface FileEnd {
  readonly file: string;
  readonly lines: readonly string[];
  readonly status: string;
  readonly ms: number;
}

/** Parts the lines of a program that runs `files`, each with the millisecond at which it came. */
export class FileEnds {
  readonly #files: readonly string[];
  readonly #ended: FileEnd[] = [];
  #lines: string[] = [];
  #began = 0;
  #between = false;

  constructor(files: readonly string[]) {
    this.#files = files;
  }

  line(text: string, ms: number): void {
    const file = this.#files[this.#ended.length];
    if (file !== undefined && text === `# Subtest: ${END}${file}`) {
      this.#ended.push({ file, lines: this.#lines, status: '0', ms: ms - this.#began });
      this.#lines = [];
      this.#began = ms;
      this.#between = true;
    }
    if (!this.#between) this.#lines.push(text);
    // The last line of that subtest is the only one that is not indented.
    else if (/^(not )?ok /.test(text)) this.#between = false;
  }

  /**
   * What became of each file, once the program has ended. Its status is that of the file at which it ended: of one that failed, when it ran
   * all of them.
   */
  end(status: string, ms: number): readonly FileEnd[] {
    const [next, ...others] = this.#files.slice(this.#ended.length);
    if (next === undefined) {
      const failed = this.#ended.some(({ lines }) => lines.some((line) => /^ *not ok /.test(line)));
      const last = this.#ended.pop();
      return last === undefined ? [] : [...this.#ended, { ...last, status: failed ? '0' : status }];
    }
    return [
      ...this.#ended,
      { file: next, lines: this.#lines, status, ms: ms - this.#began },
      ...others.map((file) => ({ file, lines: [], status: `${status}, before it began`, ms: 0 })),
    ];
  }
}
