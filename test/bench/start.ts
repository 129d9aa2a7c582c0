/**
 * How long plugd takes to start, as ratios to a bare `node -e 0` measured in turn with it: A B C A B C …
 *
 *     npm run bench:start [-- --rounds N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { needCommands } from '../fixtures/commands.ts';
import { debianTree } from '../fixtures/debian.ts';
import { median, ratios, ratioText } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const root = join(import.meta.dirname, '../../..');
const plugd = join(root, 'dist/plugd.cjs');

interface Subject {
  readonly name: string;
  readonly args: readonly string[];
  /** The promise: at most so many times a bare node. */
  readonly goal?: number;
}

const ready = await needCommands(['gcc', '/usr/include/stdio.h']);
if (ready.kind === 'missing') throw new Error(ready.sentence);
const tree = await debianTree('amd64');
const where = tree.kind === 'ready' ? ['--root', tree.root, '--kernel', tree.kernel] : undefined;
const modalias = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';
const subjects: readonly Subject[] = [
  { name: 'node -e 0', args: ['-e', '0'] },
  { name: 'plugd --version', args: [plugd, '--version'], goal: 1.5 },
  ...(where === undefined ? [] : [{ name: 'plugd lookup', args: [plugd, 'lookup', ...where, modalias], goal: 1.5 }]),
  ...(tree.kind === 'missing'
    ? []
    : [
        {
          name: 'plugd modprobe -R',
          args: [plugd, 'modprobe', '-d', tree.root, '-S', tree.kernel, '-R', modalias],
          goal: 1.6,
        },
        { name: 'plugd test', args: [plugd, 'test', '--root', tree.root, '--kernel', tree.kernel, modalias], goal: 2 },
      ]),
];

const work = mkdtempSync(join(tmpdir(), 'plugd-start-'));
try {
  const measure = join(work, 'measure');
  execFileSync('gcc', ['-O2', '-o', measure, join(root, 'test/bench/measure.c')]);
  // These cost time at every start and are nothing of plugd's.
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...env } = process.env;
  const wall = subjects.map((): number[] => []);
  const memory = subjects.map((): number[] => []);
  for (let round = -2; round < Number(values.rounds); round++) {
    for (const [i, subject] of subjects.entries()) {
      const out = execFileSync(measure, [process.execPath, ...subject.args], { encoding: 'utf8', env });
      const [ns, rss, status] = out.split(' ').map(Number);
      if (status !== 0) throw new Error(`${subject.name} ended with status ${status}`);
      if (round < 0) continue;
      wall[i]?.push((ns ?? 0) / 1e6);
      memory[i]?.push((rss ?? 0) / 1024);
    }
  }
  console.log(
    `${values.rounds} rounds after 2 to warm up; wall time and peak memory are medians, ratios pairwise to node -e 0`,
  );
  console.log(`${''.padEnd(18)}${'wall'.padStart(9)}${'memory'.padStart(12)}   ratio`);
  for (const [i, subject] of subjects.entries()) {
    const times = wall[i] ?? [];
    const ratio = i === 0 ? '' : ratioText(ratios(times, wall[0] ?? []));
    const goal = subject.goal === undefined ? '' : `   goal: at most ${subject.goal}`;
    console.log(
      `${subject.name.padEnd(18)}${median(times).toFixed(1).padStart(6)} ms${median(memory[i] ?? [])
        .toFixed(1)
        .padStart(8)} MiB   ${ratio}${goal}`,
    );
  }
  if (where === undefined && tree.kind === 'missing') console.log(`without lookup: ${tree.sentence}`);
} finally {
  rmSync(work, { recursive: true });
}
