/**
 * Runs the compiled tests with tap and closes with the line `N passed, N failed`.
 *
 *     node dist/test/run.js [--unit] [--flow] [--oracle] [--vm] [--coverage] [FILE…]
 *
 * Without arguments all four parts, in this order: `unit` (every folder but those of the others; under a minute), `flow` (whole
 * runs of commands and agents on fixture roots: the folders `flow` and `daemon`), `oracle` (against
 * Debian's kmod), `vm` (a real kernel in QEMU). FILE is a test's source or compiled path. With `--coverage` V8 counts what runs in
 * `unit` and `flow`; when both run as a whole, a floor of coverage.ts that does not hold is a failure.
 *
 * tap writes TAP; this turns it into one line a file, and prints what failed in full, and at the end which files were slowest.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { COUNTS, readCoverage, summary } from './coverage.ts';
import { needCommands } from './fixtures/commands.ts';

const PART_NAMES = ['unit', 'flow', 'oracle', 'vm'] as const;
type Part = (typeof PART_NAMES)[number];

interface Counts {
  pass: number;
  fail: number;
  skip: number;
}

/** So many of the slowest files are named. */
const SLOWEST = 10;

const root = resolve(import.meta.dirname, '../..');
const tests = join(root, 'dist/test');

/**
 * What a part needs beyond what its tests fetch themselves, how many of its files run at once on two CPUs, and the seconds
 * after which tap gives a file up. A virtual machine has two CPUs itself, so those run one by one.
 */
const PARTS: Readonly<Record<Part, { commands: readonly string[]; jobs: number; timeout: number }>> = {
  unit: { commands: ['unshare'], jobs: 2, timeout: 120 },
  flow: { commands: ['unshare'], jobs: 2, timeout: 600 },
  oracle: { commands: ['kmod', 'gcc', '/usr/include/stdio.h', '/usr/include/libkmod.h'], jobs: 2, timeout: 1200 },
  vm: { commands: ['qemu-system-x86_64', 'setpriv', 'gcc', '/usr/include/stdio.h'], jobs: 1, timeout: 1800 },
};

/** The parts whose coverage is counted. The others run other programs, or run plugd where its counts cannot be had. */
const COUNTED: readonly Part[] = ['unit', 'flow'];

function partOf(file: string): Part {
  const room = relative(tests, file).split('/')[0];
  if (room === 'daemon') return 'flow';
  return PART_NAMES.find((part) => part === room) ?? 'unit';
}

function findTests(): string[] {
  return (
    readdirSync(tests, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.js'))
      // A compiled test whose source was removed or renamed is no test any more.
      .filter((name) => existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
      .map((name) => join(tests, name))
      .toSorted()
  );
}

/** `test/match/trie.test.ts` or its compiled path, as the compiled absolute path. */
function compiled(file: string): string {
  const path = resolve(file).replace(/\.ts$/, '.js');
  return path.startsWith(`${tests}/`) ? path : join(tests, relative(join(root, 'test'), path));
}

/** NODE_OPTIONS may hold loaders, NODE_EXTRA_CA_CERTS costs 50 ms at every start of the hundreds that tests make. */
function environment(part: Part): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  delete env['NODE_EXTRA_CA_CERTS'];
  if (counting && COUNTED.includes(part)) env['NODE_V8_COVERAGE'] = COUNTS;
  return env;
}

/**
 * Follows a stream of TAP 14: prints a line for each file as it ends, failing assertions with their diagnostics and the names of
 * the tests around them, skipped tests with their reasons, and comments; keeps tap's own closing counts.
 *
 *     # Subtest: dist/test/match/trie.test.js
 *         # Subtest: truncated
 *             not ok 1 - should be equal
 *               ---
 *               diff: …
 *               ...
 *         not ok 1 - truncated # time=3.588ms
 *     not ok 1 - dist/test/match/trie.test.js # time=85.933ms
 *     # { total: 9, pass: 5, fail: 3, skip: 1 }
 */
class TapPrinter {
  /** The tests around the present line, outermost first: name, and the failures counted before it began. */
  readonly #around: { name: string; failedBefore: number }[] = [];
  readonly #file: Counts = { pass: 0, fail: 0, skip: 0 };
  #diagnostics: 'outside' | 'hidden' | 'shown' = 'outside';
  #explain = false;
  counts: Counts | undefined;
  /** How long each file took, in milliseconds. */
  readonly times = new Map<string, number>();

  line(line: string): void {
    if (this.#diagnostics !== 'outside') {
      if (this.#diagnostics === 'shown') console.log(line);
      if (line.trim() === '...') this.#diagnostics = 'outside';
      return;
    }
    const subtest = /^( *)# Subtest: (.*)$/.exec(line);
    const point = /^( *)(not )?ok \d+(?: - (.*))?$/.exec(line);
    const total = /^# \{ total: \d+(.*) \}$/.exec(line)?.[1];
    if (subtest !== null) {
      this.#around.length = Math.min(this.#around.length, (subtest[1] ?? '').length / 4);
      this.#around.push({ name: subtest[2] ?? '', failedBefore: this.#file.fail });
    } else if (point !== null) {
      const failed = point[2] !== undefined;
      this.#point((point[1] ?? '').length / 4, failed, point[3] ?? '');
    } else if (/^ +---$/.test(line)) {
      this.#diagnostics = this.#explain ? 'shown' : 'hidden';
    } else if (/^ *Bail out!|^ +# (?!time=)/.test(line)) {
      console.log(line.trim());
    } else if (total !== undefined) {
      const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(total)?.[1] ?? 0);
      this.counts = { pass: count('pass'), fail: count('fail'), skip: count('skip') + count('todo') };
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
    if (this.#explain) console.log(`\nFAILED ${path}`);
    if (skipped !== null) console.log(`skipped: ${path}: ${skipped[2] ?? ''}`);
    if (skipped !== null) this.#file.skip++;
    else if (this.#explain) this.#file.fail++;
    else if (subtest === undefined) this.#file.pass++;
    this.#around.length = Math.min(this.#around.length, depth);
    if (depth > 0) return;
    this.times.set(name, Number(/time=([\d.]+)ms/.exec(note)?.[1] ?? 0));
    const counts = Object.entries({ passed: this.#file.pass, failed: this.#file.fail, skipped: this.#file.skip })
      .filter(([word, count]) => count > 0 || word === 'passed')
      .map(([word, count]) => `${count} ${word}`);
    console.log(`${failed ? 'FAILED' : 'ok    '} ${name}  ${counts.join(', ')}  ${note.replace('time=', '')}`);
    this.#file.pass = this.#file.fail = this.#file.skip = 0;
  }
}

interface PartResult {
  readonly counts: Counts;
  readonly times: ReadonlyMap<string, number>;
}

async function runPart(part: Part, files: readonly string[]): Promise<PartResult> {
  const { commands, jobs, timeout } = PARTS[part];
  const ready = await needCommands(commands);
  if (ready.kind === 'missing') console.log(`# ${part}: ${ready.sentence}`);
  const tap = join(root, 'node_modules/tap/dist/esm/run.mjs');
  const args = ['run', '--disable-coverage', '--reporter=tap', `--jobs=${jobs}`, `--timeout=${timeout}`];
  const child = spawn(process.execPath, [tap, ...args, ...files.map((file) => relative(root, file))], {
    cwd: root,
    env: environment(part),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number>((done) => {
    child.once('close', (code) => done(code ?? 1));
    child.once('error', (error) => {
      console.error(error.message);
      done(1);
    });
  });
  const printer = new TapPrinter();
  for await (const line of createInterface({ input: child.stdout })) printer.line(line);
  const status = await ended;
  const counts = printer.counts ?? { pass: 0, fail: 0, skip: 0 };
  // tap can fail without counting a failure: a file that printed nothing, a crash of the runner itself.
  if (status !== 0 && counts.fail === 0) counts.fail = 1;
  return { counts, times: printer.times };
}

/** The slowest files, one a line, when there are more than fit in sight. */
function slowest(times: ReadonlyMap<string, number>): readonly string[] {
  if (times.size <= SLOWEST) return [];
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SLOWEST)
    .map(([file, ms]) => `#${(ms / 1000).toFixed(1).padStart(7)} s  ${file.replace(/^dist\/|\.js$/g, '')}.ts`);
}

const wanted = process.argv.slice(2);
const counting = wanted.includes('--coverage');
const unknown = wanted.filter((word) => word.startsWith('-') && !/^--(unit|flow|oracle|vm|coverage)$/.test(word));
const parts = PART_NAMES.filter((part) => wanted.includes(`--${part}`));
const named = wanted.filter((word) => !word.startsWith('-')).map(compiled);
const absent = named.filter((file) => !existsSync(file));
if (unknown.length > 0 || absent.length > 0) {
  console.error(`usage: node dist/test/run.js [--unit] [--flow] [--oracle] [--vm] [--coverage] [FILE…]`);
  for (const word of [...unknown, ...absent]) console.error(`not an option and not a test: ${word}`);
  process.exit(64);
}
const files = named.length > 0 ? named : findTests();
if (counting) rmSync(COUNTS, { recursive: true, force: true });
const times = new Map<string, number>();
const total: Counts = { pass: 0, fail: 0, skip: 0 };
for (const part of parts.length > 0 ? parts : PART_NAMES) {
  const own = files.filter((file) => partOf(file) === part);
  if (own.length === 0) continue;
  const started = Date.now();
  const { counts, times: ofPart } = await runPart(part, own);
  for (const [file, ms] of ofPart) times.set(file, ms);
  console.log(`# ${part}: ${own.length} files in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  total.pass += counts.pass;
  total.fail += counts.fail;
  total.skip += counts.skip;
}
if (counting) {
  const { table, failures } = summary(readCoverage(COUNTS));
  console.log(`# coverage of unit and flow, in percent:\n${table.map((row) => `# ${row}`).join('\n')}\n`);
  // A part alone, or some files, cannot reach the floors.
  const whole = named.length === 0 && (parts.length === 0 || COUNTED.every((part) => parts.includes(part)));
  for (const failure of whole ? failures : []) console.log(`FAILED coverage of ${failure}\n`);
  if (whole) total.fail += failures.length;
}
const slow = slowest(times);
if (slow.length > 0) console.log(`# the slowest files:\n${slow.join('\n')}\n`);
console.log(`${total.pass} passed, ${total.fail} failed${total.skip > 0 ? `, ${total.skip} skipped` : ''}`);
process.exitCode = total.fail > 0 || total.pass === 0 ? 1 : 0;
