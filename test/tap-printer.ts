/** Makes one line of each test file's TAP, and shows what failed in full. */

/** Assertions by how they ended. */
export interface Counts {
  pass: number;
  fail: number;
  skip: number;
}

/**
 * Reads the TAP 14 of whole files: prints a line for each, failing assertions with their diagnostics and the names of the tests
 * around them, skipped tests with their reasons, and comments.
 *
 *     # Subtest: truncated
 *         not ok 1 - should be equal
 *           ---
 *           diff: …
 *           ...
 *     not ok 1 - truncated # time=3.588ms
 *     # { total: 9, pass: 5, fail: 3, skip: 1 }
 */
export class TapPrinter {
  /** The tests around the present line, outermost first: name, and the failures counted before it began. */
  #around: { name: string; failedBefore: number }[] = [];
  #file: Counts = { pass: 0, fail: 0, skip: 0 };
  #diagnostics: 'outside' | 'hidden' | 'shown' = 'outside';
  #explain = false;
  readonly #print: (line: string) => void;
  /** Of all files. */
  readonly total: Counts = { pass: 0, fail: 0, skip: 0 };
  /** How long each file took, in milliseconds. */
  readonly times = new Map<string, number>();

  constructor(print: (line: string) => void = console.log) {
    this.#print = print;
  }

  /**
   * A file that has ended: what it wrote, and its exit status or the signal that ended it. One that asserts nothing, or fails
   * without a word, counts as a failure.
   */
  file(name: string, lines: readonly string[], status: string, ms: number): void {
    this.#file = { pass: 0, fail: 0, skip: 0 };
    this.#around = [{ name, failedBefore: 0 }];
    this.#diagnostics = 'outside';
    for (const line of lines) this.#line(`    ${line}`);
    const { pass, skip } = this.#file;
    let why: string | undefined;
    if (pass + skip + this.#file.fail === 0) why = 'it asserts nothing';
    else if (status !== '0' && this.#file.fail === 0) why = 'its assertions passed';
    if (why !== undefined) {
      this.#print(`\nFAILED ${name}: it ended with ${status}; ${why}`);
      this.#file.fail++;
    }
    this.times.set(name, ms);
    const { fail } = this.#file;
    const counts = Object.entries({ passed: pass, failed: fail, skipped: skip })
      .filter(([word, count]) => count > 0 || word === 'passed')
      .map(([word, count]) => `${count} ${word}`);
    this.#print(`${fail > 0 ? 'FAILED' : 'ok    '} ${name}  ${counts.join(', ')}  ${Math.round(ms)}ms`);
    this.total.pass += pass;
    this.total.fail += fail;
    this.total.skip += skip;
  }

  #line(line: string): void {
    if (this.#diagnostics !== 'outside') {
      // Where tap itself was says nothing about a failure.
      if (this.#diagnostics === 'shown' && !line.includes('dist/node_modules/tap/')) this.#print(line);
      if (line.trim() === '...') this.#diagnostics = 'outside';
      return;
    }
    const subtest = /^( *)# Subtest: (.*)$/.exec(line);
    const point = /^( *)(not )?ok \d+(?: - (.*))?$/.exec(line);
    if (subtest !== null) {
      this.#around.length = Math.min(this.#around.length, (subtest[1] ?? '').length / 4);
      this.#around.push({ name: subtest[2] ?? '', failedBefore: this.#file.fail });
    } else if (point !== null) {
      const failed = point[2] !== undefined;
      this.#point((point[1] ?? '').length / 4, failed, point[3] ?? '');
    } else if (/^ +---$/.test(line)) {
      this.#diagnostics = this.#explain ? 'shown' : 'hidden';
    } else if (/^ *Bail out!|^ +# (?!time=|\{ total)/.test(line)) {
      this.#print(line.trim());
    }
  }

  /** An assertion, or the end of a subtest, or at depth 0 of a file. */
  #point(depth: number, failed: boolean, text: string): void {
    const subtest = this.#around[depth];
    const [, name = '', note = ''] = /^(.*?)(?: # (.*))?$/.exec(text) ?? [];
    const skipped = /^(SKIP|TODO)\b\s*(.*)$/i.exec(note);
    // A subtest that failed only because something in it did has been explained already.
    this.#explain = failed && skipped === null && (subtest === undefined || subtest.failedBefore === this.#file.fail);
    const path = [...this.#around.slice(0, depth).map((one) => one.name), name].join(' > ');
    if (this.#explain) this.#print(`\nFAILED ${path}`);
    if (skipped !== null) this.#print(`skipped: ${path}: ${skipped[2] ?? ''}`);
    if (skipped !== null) this.#file.skip++;
    else if (this.#explain) this.#file.fail++;
    else if (subtest === undefined) this.#file.pass++;
    this.#around.length = Math.min(this.#around.length, depth);
  }
}
