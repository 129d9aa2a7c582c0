/**
 * The time of `plugd depmod` against kmod's depmod on Debian's amd64 module tree, and on a part of it as .ko.xz, measured
 * in turn: A B A B … Each works on a tree of its own, whose indexes are there already.
 *
 *     npm run bench:depmod [-- --rounds N]
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandPath, needCommands } from '../fixtures/commands.ts';
import { debianTree } from '../fixtures/debian.ts';
import { median, ratios, ratioText } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' } } });
const root = join(import.meta.dirname, '../../..');
const ready = await needCommands(['gcc', 'depmod', 'xz']);
if (ready.kind === 'missing') throw new Error(ready.sentence);
const tree = await debianTree('amd64');
if (tree.kind === 'missing') throw new Error(tree.sentence);
const from = join(tree.root, 'lib/modules', tree.kernel);
const GIVEN = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];

const work = mkdtempSync(join(tmpdir(), 'plugd-depmod-'));
try {
  const measure = join(work, 'measure');
  execFileSync('gcc', ['-O2', '-o', measure, join(root, 'test/bench/measure.c')]);
  for (const [name, make] of [
    ['the whole tree', linkModules],
    ['500 modules as .ko.xz', compressModules],
  ] as const) {
    compare(name, measure, make);
  }
} finally {
  rmSync(work, { recursive: true });
}

function compare(name: string, measure: string, make: (moduleDir: string) => void): void {
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...env } = process.env;
  const kernel = tree.kind === 'ready' ? tree.kernel : '';
  const subjects = [
    { name: 'kmod depmod', command: [commandPath('depmod') ?? 'depmod'], wall: [] as number[], memory: [] as number[] },
    {
      name: 'plugd depmod',
      command: [process.execPath, join(root, 'dist/plugd.cjs'), 'depmod'],
      wall: [] as number[],
      memory: [] as number[],
    },
  ];
  const bases = subjects.map((subject) => join(work, `${name} ${subject.name}`.replaceAll(/\W/g, '-')));
  for (const base of bases) {
    const moduleDir = join(base, 'lib/modules', kernel);
    mkdirSync(moduleDir, { recursive: true });
    for (const given of GIVEN) cpSync(join(from, given), join(moduleDir, given));
    make(moduleDir);
  }
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const [i, subject] of subjects.entries()) {
      const args = [...subject.command, '-b', bases[i] ?? '', kernel];
      const [ns, rss, status] = execFileSync(measure, args, { encoding: 'utf8', env }).split(' ').map(Number);
      if (status !== 0) throw new Error(`${subject.name} ended with status ${status}`);
      if (round < 0) continue;
      subject.wall.push((ns ?? 0) / 1e6);
      subject.memory.push((rss ?? 0) / 1024);
    }
  }
  for (const file of ['modules.dep.bin', 'modules.alias.bin', 'modules.symbols.bin']) {
    const [a, b] = bases.map((base) => readFileSync(join(base, 'lib/modules', kernel, file)));
    if (a === undefined || b === undefined || !a.equals(b)) throw new Error(`${file} differs`);
  }
  console.log(`${name}: ${values.rounds} rounds after 1 to warm up; medians, the ratio pairwise`);
  for (const { name: subject, wall, memory } of subjects) {
    console.log(
      `${subject.padEnd(14)}${median(wall).toFixed(0).padStart(6)} ms${median(memory).toFixed(0).padStart(6)} MiB`,
    );
  }
  console.log(
    `plugd / kmod  ${ratioText(ratios(subjects[1]?.wall ?? [], subjects[0]?.wall ?? []))}   goal: at most 1.5\n`,
  );
}

/** The modules themselves are only read: a link to them is enough. */
function linkModules(moduleDir: string): void {
  symlinkSync(join(from, 'kernel'), join(moduleDir, 'kernel'));
}

function compressModules(moduleDir: string): void {
  const order = readFileSync(join(from, 'modules.order'), 'latin1')
    .split('\n')
    .filter((path) => path !== '');
  const step = Math.floor(order.length / 500);
  for (const path of order.filter((_, i) => i % step === 0)) {
    const target = join(moduleDir, `${path}.xz`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, execFileSync('xz', ['-1', '-c', '--check=crc32', join(from, path)], { maxBuffer: 1 << 28 }));
  }
}
