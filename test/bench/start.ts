/**
 * How long plugd takes to start, as ratios to a bare `node -e 0` measured in turn with it: A B C A B C …, and what processor time
 * plugd-lite takes beside kmod's modprobe.
 *
 *     npm run bench:start [-- --rounds N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { needCommands } from '../fixtures/commands.ts';
import { debianTree, type DebianTree } from '../fixtures/debian.ts';
import { plugdLite } from '../native/plugd-lite.ts';
import { median, ratios, ratioText } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const root = join(import.meta.dirname, '../../..');
const plugd = join(root, 'dist/plugd.cjs');

interface Subject {
  readonly name: string;
  readonly words: readonly string[];
  /** The promise: at most so many times what the first one takes. */
  readonly goal?: number;
}

/** What runs took, one figure a round. */
interface Taken {
  readonly subject: Subject;
  readonly wallMs: number[];
  readonly processorMs: number[];
  readonly memoryMib: number[];
}

const ready = await needCommands(['gcc', '/usr/include/stdio.h', 'modprobe']);
if (ready.kind === 'missing') throw new Error(ready.sentence);
const tree = await debianTree('amd64');
const modalias = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';
const node = process.execPath;

/** All subjects once a round, in turn. */
function measureAll(measure: string, subjects: readonly Subject[], rounds: number): readonly Taken[] {
  // These cost time at every start and are nothing of plugd's.
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...env } = process.env;
  const all = subjects.map((subject): Taken => ({ subject, wallMs: [], processorMs: [], memoryMib: [] }));
  for (let round = -2; round < rounds; round++) {
    for (const { subject, wallMs, processorMs, memoryMib } of all) {
      const out = execFileSync(measure, subject.words, { encoding: 'utf8', env });
      const [ns = 0, rss = 0, status, us = 0] = out.split(' ').map(Number);
      if (status !== 0) throw new Error(`${subject.name} ended with status ${status}`);
      if (round < 0) continue;
      wallMs.push(ns / 1e6);
      processorMs.push(us / 1000);
      memoryMib.push(rss / 1024);
    }
  }
  return all;
}

/** A line for each subject; ratios are to the first one's. */
function print(all: readonly Taken[], what: 'wallMs' | 'processorMs'): void {
  const first = all[0]?.[what] ?? [];
  console.log(
    `${''.padEnd(24)}${(what === 'wallMs' ? 'wall' : 'processor').padStart(9)}${'memory'.padStart(12)}   ratio`,
  );
  for (const [i, taken] of all.entries()) {
    const { subject, memoryMib } = taken;
    const time = median(taken[what]).toFixed(1).padStart(6);
    const ratio = i === 0 ? '' : ratioText(ratios(taken[what], first));
    const goal = subject.goal === undefined ? '' : `   goal: at most ${subject.goal}`;
    console.log(
      `${subject.name.padEnd(24)}${time} ms${median(memoryMib).toFixed(1).padStart(8)} MiB   ${ratio}${goal}`,
    );
  }
}

const nodeSubjects: readonly Subject[] = [
  { name: 'node -e 0', words: [node, '-e', '0'] },
  { name: 'plugd --version', words: [node, plugd, '--version'], goal: 1.5 },
];

/** What needs a module tree: on Node, and the small program beside kmod's. */
function treeSubjects({ root: at, kernel }: DebianTree) {
  const lookup = ['lookup', '--root', at, '--kernel', kernel, modalias];
  const modprobe = ['-d', at, '-S', kernel, '-R', modalias];
  return {
    onNode: [
      { name: 'plugd lookup', words: [node, plugd, ...lookup], goal: 1.5 },
      { name: 'plugd modprobe -R', words: [node, plugd, 'modprobe', ...modprobe], goal: 1.6 },
      {
        name: 'plugd test',
        words: [node, plugd, 'test', '--root', at, '--kernel', kernel, modalias],
        goal: 2,
      },
    ],
    besideKmod: (program: string): readonly Subject[] => [
      { name: "kmod's modprobe -R", words: ['modprobe', ...modprobe] },
      { name: 'plugd-lite modprobe -R', words: [program, 'modprobe', ...modprobe], goal: 1 },
      { name: 'plugd-lite lookup', words: [program, ...lookup], goal: 1 },
    ],
  };
}

const work = mkdtempSync(join(tmpdir(), 'plugd-start-'));
try {
  const measure = join(work, 'measure');
  execFileSync('gcc', ['-O2', '-o', measure, join(root, 'test/bench/measure.c')]);
  const rounds = Number(values.rounds);
  const ofTree = tree.kind === 'ready' ? treeSubjects(tree) : undefined;
  console.log(
    `${rounds} rounds after 2 to warm up; times and peak memory are medians, ratios pairwise to the first line`,
  );
  const onNode = measureAll(measure, [...nodeSubjects, ...(ofTree?.onNode ?? [])], rounds);
  print(onNode, 'wallMs');
  console.log();
  // On a busy machine only this says something; the promises are of time by the clock.
  print(onNode, 'processorMs');
  const lite = await plugdLite();
  if (tree.kind === 'missing') console.log(`without lookup: ${tree.sentence}`);
  else if (lite.kind === 'missing') console.log(lite.sentence);
  else if (ofTree !== undefined) {
    console.log();
    // They are short: more rounds.
    print(measureAll(measure, ofTree.besideKmod(lite.program), rounds * 5), 'processorMs');
  }
} finally {
  rmSync(work, { recursive: true });
}
