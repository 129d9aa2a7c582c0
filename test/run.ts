/**
 * Runs the compiled tests and closes with the line `N passed, N failed`.
 *
 *     node dist/test/run.js [--unit] [--flow] [--oracle] [--vm] [--coverage] [--whole] [FILE…]
 *
 * Without arguments all four parts, in this order: `unit` (every folder but those of the others; under a minute), `flow` (whole
 * runs of commands and agents on fixture roots: the folders `flow` and `daemon`), `oracle` (against
 * Debian's kmod), `vm` (a real kernel in QEMU). FILE is a test's source or compiled path. With `--coverage` V8 counts what runs in
 * `unit` and `flow`; when both run as a whole, a floor of coverage.ts that does not hold is a failure. With `--whole` no long list is cut
 * short (share.ts).
 *
 * Each file runs as a program of its own, or with others of its room, and writes TAP; this turns it into one line a file, and prints what
 * failed in full, and at the end which files were slowest.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { COUNTS, readCoverage, summary } from './coverage.ts';
import { FileEnds, type FileEnd } from './file-ends.ts';
import { needCommands } from './fixtures/commands.ts';
import { bundleTap } from './tap-bundle.ts';
import { TapPrinter } from './tap-printer.ts';

const PART_NAMES = ['unit', 'flow', 'oracle', 'vm'] as const;
type Part = (typeof PART_NAMES)[number];

/** So many of the slowest files are named. */
const SLOWEST = 10;

const root = resolve(import.meta.dirname, '../..');
const tests = join(root, 'dist/test');

/** What a part needs beyond what its tests fetch themselves, and the seconds after which a test gives up, unless it has its own limit. */
const PARTS: Readonly<Record<Part, { commands: readonly string[]; timeout: number }>> = {
  unit: { commands: ['unshare'], timeout: 120 },
  flow: { commands: ['unshare'], timeout: 600 },
  oracle: { commands: ['kmod', 'gcc', '/usr/include/stdio.h', '/usr/include/libkmod.h'], timeout: 1200 },
  vm: { commands: ['qemu-system-x86_64', 'setpriv', 'gcc', '/usr/include/stdio.h'], timeout: 1800 },
};

/**
 * How many files run at once, on two processors. A third makes nothing faster: files calculate more than they wait, and the processors of three
 * emulated machines wait for each other.
 */
const JOBS = 2;

/** The files that take longest, the longest first. They begin first, so that at the end no processor waits for one of them. */
const LONGEST: readonly string[] = [
  'vm/laboratory',
  'oracle/dkms/dkms-suite',
  'vm/agent/agent-trouble',
  'vm/modprobe',
  'vm/agent/agent-hotplug',
  'vm/systemd',
  'vm/diagnosis',
  'vm/coldplug',
  'vm/agent/agent-chaos',
  'vm/lite',
  'oracle/depmod',
  'oracle/modprobe/modprobe',
];

/**
 * The rooms whose test files share a program (together.ts): most of their files take less time than its start. Tests that change what a whole
 * process has (its environment, its limits) do not belong here.
 */
const TOGETHER: ReadonlySet<string> = new Set([
  'base',
  'depmod',
  'diagnosis',
  'explain',
  'facts',
  'images',
  'indexes',
  'insert',
  'load',
  'match',
  'plan',
  'records',
  'report',
  'rules',
  'trust',
]);

/** Outside its tests a file uses what the root test has once: its folder, its limit, its teardown, which lets it end early. */
const USES_ROOT_TEST = /^(?!import|export|function|async|[\s/*]).*(\bt\.(testdir|teardown|setTimeout)\b|\w\(t[,)])/m;

/** At most so many files share one. */
const MOST_TOGETHER = 16;

/** Milliseconds after which a file is killed that its own limit did not end. */
const LONGEST_MS = 3_600_000;

/** The files that run now. */
const running = new Set<ChildProcess>();

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
      .toSorted((a, b) => turnOf(a) - turnOf(b) || (a < b ? -1 : 1))
      .map((name) => join(tests, name))
  );
}

function turnOf(name: string): number {
  const at = LONGEST.indexOf(name.replace(/\.test\.js$/, ''));
  return at < 0 ? LONGEST.length : at;
}

/** `test/match/trie.test.ts` or its compiled path, as the compiled absolute path. */
function compiled(file: string): string {
  const path = resolve(file).replace(/\.ts$/, '.js');
  return path.startsWith(`${tests}/`) ? path : join(tests, relative(join(root, 'test'), path));
}

/** NODE_OPTIONS may hold loaders, NODE_EXTRA_CA_CERTS costs 50 ms at every start of the hundreds that tests make. */
function environment(part: Part, files: number): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  delete env['NODE_EXTRA_CA_CERTS'];
  env['TAP_TIMEOUT'] = String(PARTS[part].timeout * files);
  if (wanted.includes('--whole')) env['PLUGD_TEST_WHOLE'] = '1';
  if (counting && COUNTED.includes(part)) env['NODE_V8_COVERAGE'] = COUNTS;
  return env;
}

/** The files of a part as programs run them: alone, or those of a room together. */
function programs(files: readonly string[]): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const name = relative(tests, file).replace(/\.js$/, '.ts');
    const [room = ''] = name.split('/');
    const shares = TOGETHER.has(room) && !USES_ROOT_TEST.test(readFileSync(join(root, 'test', name), 'utf8'));
    const group = shares ? room : name;
    groups.set(group, [...(groups.get(group) ?? []), file]);
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MOST_TOGETHER) }, (_, i) =>
      group.slice(i * MOST_TOGETHER, (i + 1) * MOST_TOGETHER),
    ),
  );
}

/**
 * Runs one file, or some together, to the end, as a program of its own. tap's own runner would load its compilers into each file, and through
 * NODE_OPTIONS into each plugd that a test starts: 2.5 s of processor time for a file that takes half a second.
 */
async function runProgram(files: readonly string[], part: Part): Promise<readonly FileEnd[]> {
  const started = performance.now();
  const program = files.length > 1 ? [join(tests, 'together.js')] : [];
  const child = spawn(process.execPath, ['--enable-source-maps', ...program, ...files], {
    cwd: root,
    env: environment(part, files.length),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  // A test that takes too long ends itself and says where it is; this is for a file that cannot even do that.
  const limit = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const ended = new Promise<string>((done) => {
    child.once('close', (code, signal) => done(signal ?? String(code)));
    child.once('error', (error) => done(error.message));
  });
  const ends = new FileEnds(files);
  for await (const line of createInterface({ input: child.stdout })) ends.line(line, performance.now() - started);
  const status = await ended;
  running.delete(child);
  clearTimeout(limit);
  return ends.end(status, performance.now() - started);
}

/** Runs files, some at once, and prints each as it ends. */
async function runPart(part: Part, files: readonly string[], printer: TapPrinter): Promise<void> {
  const ready = await needCommands(PARTS[part].commands);
  if (ready.kind === 'missing') console.log(`# ${part}: ${ready.sentence}`);
  const queue = [...programs(files)];
  const work = async () => {
    for (let program = queue.shift(); program !== undefined; program = queue.shift()) {
      for (const { file, lines, status, ms } of await runProgram(program, part))
        printer.file(relative(root, file), lines, status, ms);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
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
const unknown = wanted.filter((word) => word.startsWith('-') && !/^--(unit|flow|oracle|vm|coverage|whole)$/.test(word));
const parts = PART_NAMES.filter((part) => wanted.includes(`--${part}`));
const named = wanted.filter((word) => !word.startsWith('-')).map(compiled);
const absent = named.filter((file) => !existsSync(file));
if (unknown.length > 0 || absent.length > 0) {
  console.error(`usage: node dist/test/run.js [--unit] [--flow] [--oracle] [--vm] [--coverage] [--whole] [FILE…]`);
  for (const word of [...unknown, ...absent]) console.error(`not an option and not a test: ${word}`);
  process.exit(64);
}
const files = named.length > 0 ? named : findTests();
await bundleTap(root);
if (counting) rmSync(COUNTS, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.kill(process.pid, signal);
  });
}
const printer = new TapPrinter();
for (const part of parts.length > 0 ? parts : PART_NAMES) {
  const own = files.filter((file) => partOf(file) === part);
  if (own.length === 0) continue;
  const started = Date.now();
  await runPart(part, own, printer);
  console.log(`# ${part}: ${own.length} files in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}
const { total, times } = printer;
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
