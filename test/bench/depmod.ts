/**
 * The processor time and memory of `plugd depmod` against kmod's depmod, measured in turn: A B A B … Each works on a tree of its own,
 * whose indexes are there already.
 *
 *     npm run bench:depmod [-- --rounds N]
 *
 * - Debian's newest kernel, whose modules are .ko.xz, against kmod 34 (trixie's, with trixie's libraries, through its own ld.so). liblzma
 *   does most of the work, and trixie's is a third faster than bookworm's: so plugd runs with each of the two;
 * - the tree of this machine's Debian release, whose modules are plain files, against this machine's kmod.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandPath, needCommands } from '../fixtures/commands.ts';
import { debianFiles, debianSuiteTree, debianTree, type DebianTree, type Missing } from '../fixtures/debian.ts';
import { median, ratios, ratioText } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const root = join(import.meta.dirname, '../../..');
const GIVEN = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];

function there<T extends { readonly kind: 'ready' }>(wanted: T | Missing): T {
  if (wanted.kind === 'missing') throw new Error(wanted.sentence);
  return wanted;
}

const ready = await needCommands(['gcc', 'depmod']);
if (ready.kind === 'missing') throw new Error(ready.sentence);
const peer = there(await debianFiles(['kmod', 'liblzma5'], 'amd64', { libraries: true, suite: 'trixie' }));
const newest = there(await debianSuiteTree('sid'));
const plain = there(await debianTree('amd64'));

const work = mkdtempSync(join(tmpdir(), 'plugd-depmod-'));
try {
  const measure = join(work, 'measure');
  execFileSync('gcc', ['-O2', '-o', measure, join(root, 'test/bench/measure.c')]);
  const libraries = join(peer.root, 'usr/lib/x86_64-linux-gnu');
  const loader = [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, '--argv0', 'depmod'];
  const kmod34 = {
    name: 'kmod 34',
    command: [...loader, join(peer.root, 'usr/bin/kmod')],
    order: 'parent-first',
  } as const;
  const theirs = join(work, 'liblzma');
  mkdirSync(theirs);
  symlinkSync(join(libraries, 'liblzma.so.5'), join(theirs, 'liblzma.so.5'));
  compare(`${newest.kernel}, .ko.xz, both with trixie's liblzma`, measure, newest, kmod34, theirs);
  compare(`${newest.kernel}, .ko.xz, plugd with this machine's liblzma`, measure, newest, kmod34);
  compare(`${plain.kernel}, .ko`, measure, plain, {
    name: "this machine's kmod",
    command: [commandPath('depmod') ?? 'depmod'],
    order: 'children-first',
  });
} finally {
  rmSync(work, { recursive: true });
}

interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  readonly order: 'parent-first' | 'children-first';
}

/** `libraries`: a folder in which plugd finds its libraries before this machine's. */
function compare(title: string, measure: string, tree: DebianTree, kmod: Subject, libraries?: string): void {
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...ours } = process.env;
  const env = { kmod: ours, plugd: libraries === undefined ? ours : { ...ours, LD_LIBRARY_PATH: libraries } };
  const plugd = [process.execPath, join(root, 'dist/plugd.cjs'), 'depmod', '--index-order', kmod.order];
  const both = [
    { ...kmod, env: env.kmod },
    { name: 'plugd', command: plugd, env: env.plugd },
  ];
  const subjects = both.map((subject) => ({
    ...subject,
    base: mkdtempSync(join(work, 'tree-')),
    seconds: [] as number[],
    wall: [] as number[],
    memory: [] as number[],
  }));
  for (const { base } of subjects) linkTree(tree, base);
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const { name, command, env, base, seconds, wall, memory } of subjects) {
      const args = [...command, '-b', base, tree.kernel];
      const [ns, rss, status, us] = execFileSync(measure, args, { encoding: 'utf8', env }).split(' ').map(Number);
      if (status !== 0) throw new Error(`${name} ended with status ${status}`);
      if (round < 0) continue;
      seconds.push((us ?? 0) / 1e6);
      wall.push((ns ?? 0) / 1e9);
      memory.push((rss ?? 0) / 1024);
    }
  }
  const [a, b] = subjects;
  if (a === undefined || b === undefined) return;
  for (const file of [
    'modules.dep',
    'modules.dep.bin',
    'modules.alias.bin',
    'modules.symbols.bin',
    'modules.softdep',
  ]) {
    const [theirs, ours] = [a, b].map(({ base }) => readFileSync(join(base, 'lib/modules', tree.kernel, file)));
    if (theirs === undefined || ours === undefined || !theirs.equals(ours)) throw new Error(`${file} differs`);
  }
  console.log(`${title}: ${values.rounds} rounds after 1 to warm up; medians, the ratio pairwise`);
  for (const { name, seconds, wall, memory } of [a, b]) {
    const figures = [`${median(seconds).toFixed(2)} s of processor time`, `${median(wall).toFixed(2)} s in all`];
    console.log(`${name.padEnd(20)}${figures.join(', ')}, ${median(memory).toFixed(0)} MiB`);
  }
  console.log(`plugd / kmod        ${ratioText(ratios(b.seconds, a.seconds))}   goal: at most 1.2 and 110 MiB\n`);
}

/** The modules themselves are only read: a link to them is enough. */
function linkTree(tree: DebianTree, base: string): void {
  const from = join(tree.root, 'lib/modules', tree.kernel);
  const to = join(base, 'lib/modules', tree.kernel);
  mkdirSync(to, { recursive: true });
  for (const given of GIVEN) cpSync(join(from, given), join(to, given));
  symlinkSync(join(from, 'kernel'), join(to, 'kernel'));
}
