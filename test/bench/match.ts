/**
 * Lookups a second of plugd's matcher and of libkmod, on the same names in the same run, in turn: A B A B …
 *
 *     npm run bench:match [-- --rounds N --seconds S]
 *
 * Both are warm and search the indexes that Debian's depmod wrote, without configuration files. Every answer is compared
 * first, modules and their order; one disagreement makes the exit status 1. Names are made from the alias patterns by a seeded
 * generator, are those patterns themselves, and, when PLUGD_CORPUS names a folder with modaliases.txt, come from real machines.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openHost } from '../../agent/base/host.ts';
import { createMatcher, type Matcher } from '../../agent/match/matcher.ts';
import { openTree } from '../../agent/load/tree.ts';
import { aliasPatterns, namesFor } from '../fixtures/alias-strings.ts';
import { debianTree, type DebianTree } from '../fixtures/debian.ts';
import { kmodLookup, timedLookups, type KmodLookup, type TimedLookups } from '../fixtures/kmod-lookup.ts';
import { Random } from '../fixtures/random.ts';
import { median, ratios, ratioText } from './statistics.ts';

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '0.5' } },
  allowPositionals: true,
});
const corpus = process.env['PLUGD_CORPUS'];

function matcherOf(root: string, kernel: string): Matcher {
  return createMatcher(openTree(openHost({ root, kernel })).indexes, { aliases: [], commands: [] });
}

function modulesOf(matcher: Matcher, name: string): string {
  const lookup = matcher.lookup(name);
  return lookup.kind === 'found' ? lookup.candidates.map(({ module }) => module).join(',') : '';
}

/** One line `SECONDS` on standard input, one answer as kmod-lookup's. */
async function work(root: string, kernel: string, file: string): Promise<void> {
  const matcher = matcherOf(root, kernel);
  const names = readFileSync(file, 'latin1').split('\n').slice(0, -1);
  const round = (): number => {
    let found = 0;
    for (const name of names) {
      const lookup = matcher.lookup(name);
      if (lookup.kind === 'found') found += lookup.candidates.length;
    }
    return found;
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const begun = process.hrtime.bigint();
    const before = process.cpuUsage();
    const until = begun + BigInt(Math.round(Number(line) * 1e9));
    let lookups = 0;
    let found = 0;
    do {
      found += round();
      lookups += names.length;
    } while (process.hrtime.bigint() < until);
    const spent = process.hrtime.bigint() - begun;
    const { user, system } = process.cpuUsage(before);
    console.log(`${lookups} ${spent} ${1000 * (user + system)} ${found} ${process.resourceUsage().maxRSS}`);
  }
}

/** plugd in a process of its own, as libkmod is. */
class Worker {
  readonly #child;
  readonly #lines;

  constructor(tree: DebianTree, file: string) {
    const args = [import.meta.filename, tree.root, tree.kernel, file];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async time(seconds: number): Promise<TimedLookups> {
    this.#child.stdin.write(`${seconds}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the worker ended');
    return timedLookups(line.value);
  }

  close(): void {
    this.#child.stdin.end();
  }
}

interface Subject {
  readonly name: string;
  readonly tree: DebianTree;
  readonly names: readonly string[];
  /** How many of the names are timed: libkmod needs 2 ms for one device tree name. */
  readonly timed: number;
  readonly goal?: number;
}

function subjectsOf(architecture: string, tree: DebianTree): Subject[] {
  const patterns = aliasPatterns(tree);
  const made = namesFor(patterns, 1);
  const goal = architecture === 'amd64' ? 8 : undefined;
  const subject = (what: string, names: readonly string[], timed: number, goal?: number): Subject => ({
    name: `${architecture} ${what}`,
    tree,
    names,
    timed,
    ...(goal === undefined ? {} : { goal }),
  });
  const isDeviceTree = (name: string): boolean => name.startsWith('of:N');
  const subjects = [subject('made names', made, 5000, goal), subject('alias patterns', patterns, 5000, goal)];
  if (architecture === 'arm64') subjects.push(subject('of: names', made.filter(isDeviceTree), 300, 200));
  if (corpus !== undefined) {
    const real = readFileSync(join(corpus, 'modaliases.txt'), 'latin1').split('\n').slice(0, -1);
    subjects.push(subject('real names', real, 5000, goal));
    if (architecture === 'arm64') subjects.push(subject('real of: names', real.filter(isDeviceTree), 300, 200));
  }
  return subjects;
}

/** Some of the names, everywhere from the list. */
function sample(names: readonly string[], count: number): string[] {
  const random = new Random(2);
  const left = [...names];
  return Array.from({ length: Math.min(count, names.length) }, () => {
    const at = random.below(left.length);
    const name = left[at] as string;
    left[at] = left.at(-1) as string;
    left.pop();
    return name;
  });
}

function disagreements(kmod: KmodLookup, { tree, names }: Subject): number {
  const matcher = matcherOf(tree.root, tree.kernel);
  const theirs = kmod.answers(tree, names);
  const wrong = names.filter((name, i) => theirs[i] !== `${name}\t${modulesOf(matcher, name)}`);
  for (const name of wrong.slice(0, 5))
    console.log(`differs: ${JSON.stringify(name)}: plugd ${modulesOf(matcher, name)}`);
  return wrong.length;
}

async function measure(kmod: KmodLookup, subject: Subject, file: string): Promise<void> {
  const { name, tree, goal } = subject;
  const names = sample(subject.names, subject.timed);
  writeFileSync(file, Buffer.from(names.map((line) => `${line}\n`).join(''), 'latin1'));
  const worker = new Worker(tree, file);
  const seconds = Number(values.seconds);
  await worker.time(Math.max(1, 2 * seconds));
  const plugd: TimedLookups[] = [];
  const libkmod: TimedLookups[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    libkmod.push(await kmod.time(tree, names, seconds));
    plugd.push(await worker.time(seconds));
  }
  worker.close();
  const rate = (runs: readonly TimedLookups[]) => runs.map((run) => (run.lookups / run.nanoseconds) * 1e9);
  const cpuRate = (runs: readonly TimedLookups[]) => runs.map((run) => run.lookups / run.cpuNanoseconds);
  const micros = (runs: readonly TimedLookups[]) => (1e6 / median(rate(runs))).toFixed(2);
  const memory = (runs: readonly TimedLookups[]) =>
    (Math.max(...runs.map(({ residentBytes }) => residentBytes)) / 2 ** 20).toFixed(1);
  row(
    name,
    names.length,
    micros(libkmod),
    micros(plugd),
    Math.round(median(rate(plugd))).toLocaleString('en'),
    ratioText(ratios(rate(plugd), rate(libkmod))),
    median(ratiosOf(cpuRate(plugd), cpuRate(libkmod))).toFixed(1),
    memory(libkmod),
    memory(plugd),
    goal === undefined ? '' : `at least ${goal}`,
  );
}

function ratiosOf(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / (b[i] ?? Number.NaN));
}

const WIDTHS = [-20, 6, 9, 8, 10, 27, 7, 7, 7, 14];

/** One line of the table; a negative width is a column that begins at the left. */
function row(...cells: ReadonlyArray<string | number>): void {
  const texts = cells.map((cell, i) => {
    const width = WIDTHS[i] ?? 0;
    return width < 0 ? String(cell).padEnd(-width) : String(cell).padStart(width);
  });
  console.log(texts.join(''));
}

async function compareAll(): Promise<number> {
  const kmod = await kmodLookup();
  if (kmod.kind === 'missing') throw new Error(kmod.sentence);
  const folder = mkdtempSync(join(tmpdir(), 'plugd-match-'));
  let compared = 0;
  let wrong = 0;
  console.log(
    `${values.rounds} rounds of ${values.seconds} s each, in turn; medians. µs a lookup; ratio of lookups a second, by the ` +
      'clock (least to most) and by processor time, which a busy machine disturbs less; peak memory in MiB',
  );
  row('', 'names', 'libkmod', 'plugd', 'plugd/s', 'ratio', 'by cpu', 'libkmod', 'plugd', 'goal');
  try {
    for (const architecture of ['amd64', 'arm64'] as const) {
      const tree = await debianTree(architecture);
      if (tree.kind === 'missing') throw new Error(tree.sentence);
      for (const subject of subjectsOf(architecture, tree)) {
        compared += subject.names.length;
        wrong += disagreements(kmod, subject);
        await measure(kmod, subject, join(folder, 'names'));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (corpus === undefined) console.log('without names of real machines: PLUGD_CORPUS is not set');
  console.log(`${compared} answers compared, ${wrong} disagreements`);
  return wrong === 0 ? 0 : 1;
}

const [root, kernel, file] = positionals;
if (root !== undefined && kernel !== undefined && file !== undefined) await work(root, kernel, file);
else process.exitCode = await compareAll();
