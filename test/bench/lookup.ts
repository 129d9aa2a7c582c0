/**
 * `plugd lookup -` as a whole process beside a C program on libkmod that reads and writes the same lines, in turn: A B A B …
 *
 *     PLUGD_CORPUS=FOLDER npm run bench:lookup [-- --rounds N]
 *
 * 200,000 names: those of real machines (modaliases.txt), in one random order after another. A long list from machines has most lines
 * several times, and plugd remembers answers; made names, each there once, show what is left without that. Outputs are compared first.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { aliasPatterns, namesFor } from '../fixtures/alias-strings.ts';
import { debianTree } from '../fixtures/debian.ts';
import { kmodLookup } from '../fixtures/kmod-lookup.ts';
import { Random } from '../fixtures/random.ts';
import { median, ratios, ratioText } from './statistics.ts';

const LINES = 200_000;
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const root = join(import.meta.dirname, '../../..');

const kmod = await kmodLookup();
if (kmod.kind === 'missing') throw new Error(kmod.sentence);
const tree = await debianTree('amd64');
if (tree.kind === 'missing') throw new Error(tree.sentence);

/** So many lines of these names, each as often as the others. */
function repeated(names: readonly string[]): string[] {
  const random = new Random(3);
  const lines: string[] = [];
  while (lines.length < LINES) {
    const left = [...names];
    while (left.length > 0) {
      const at = random.below(left.length);
      lines.push(left[at] as string);
      left[at] = left.at(-1) as string;
      left.pop();
    }
  }
  return lines.slice(0, LINES);
}

const work = mkdtempSync(join(tmpdir(), 'plugd-lookup-'));
const programs = {
  libkmod: [kmod.program, `${tree.root}/lib/modules/${tree.kernel}`],
  plugd: [process.execPath, join(root, 'dist/plugd.cjs'), 'lookup', '--root', tree.root, '--kernel', tree.kernel, '-'],
};
type Program = keyof typeof programs;

/** What a run took, by the clock and of processors. */
function timed(measure: string, program: Program, file: string): { readonly wall: number; readonly processor: number } {
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...env } = process.env;
  const words = ['-c', 'file=$1; shift; exec "$@" < "$file"', 'sh', file, ...programs[program]];
  const [ns = 0, , , us = 0] = execFileSync(measure, ['sh', ...words], { encoding: 'utf8', env })
    .split(' ')
    .map(Number);
  return { wall: ns / 1e6, processor: us / 1e3 };
}

function output(program: Program, file: string): Buffer {
  const [command = '', ...args] = programs[program];
  const fd = openSync(file, 'r');
  const { stdout } = spawnSync(command, args, { stdio: [fd, 'pipe', 'inherit'], maxBuffer: 1 << 30 });
  closeSync(fd);
  return stdout;
}

function compare(measure: string, what: string, names: readonly string[]): void {
  const file = join(work, 'names');
  writeFileSync(file, Buffer.from(names.map((line) => `${line}\n`).join(''), 'latin1'));
  const same = output('libkmod', file).equals(output('plugd', file));
  if (!same) process.exitCode = 1;
  const runs = Array.from({ length: Number(values.rounds) }, () => ({
    libkmod: timed(measure, 'libkmod', file),
    plugd: timed(measure, 'plugd', file),
  }));
  for (const kind of ['processor', 'wall'] as const) {
    const of = (program: Program) => runs.map((run) => run[program][kind]);
    const times = `libkmod ${median(of('libkmod')).toFixed(0)} ms, plugd ${median(of('plugd')).toFixed(0)} ms`;
    console.log(`${what}: ${kind.padEnd(9)} ${times}, ratio ${ratioText(ratios(of('libkmod'), of('plugd')))}`);
  }
  console.log(`${what}: ${names.length} answers, ${same ? 'none differs' : 'they differ'}`);
}

try {
  const measure = join(work, 'measure');
  execFileSync('gcc', ['-O2', '-o', measure, join(root, 'test/bench/measure.c')]);
  const corpus = process.env['PLUGD_CORPUS'];
  if (corpus === undefined) console.log('without names of real machines: PLUGD_CORPUS is not set');
  else {
    const real = readFileSync(join(corpus, 'modaliases.txt'), 'latin1').split('\n').slice(0, -1);
    compare(measure, `real names (${real.length} different ones), goal: at least 8`, repeated(real));
  }
  compare(measure, 'made names, each once', [...new Set(namesFor(aliasPatterns(tree), 1))]);
} finally {
  rmSync(work, { recursive: true });
}
