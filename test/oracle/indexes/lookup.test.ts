import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { createMatcher } from '../../../agent/match/matcher.ts';
import { openTree } from '../../../agent/load/tree.ts';
import { aliasPatterns, namesFor } from '../../fixtures/alias-strings.ts';
import { debianTree, type DebianTree } from '../../fixtures/debian.ts';
import { kmodLookup } from '../../fixtures/kmod-lookup.ts';
import { Random } from '../../fixtures/random.ts';
import { plugdLite } from '../../native/plugd-lite.ts';

// libkmod needs seconds for thousands of device tree names.
t.setTimeout(600_000);

const corpus = process.env['PLUGD_CORPUS'];
const kmod = await kmodLookup();
const lite = await plugdLite();

/** `name<TAB>module,module`, as kmod-lookup prints it. */
function answerer(tree: DebianTree): (name: string) => string {
  const { indexes } = openTree(openHost({ root: tree.root, kernel: tree.kernel }));
  const matcher = createMatcher(indexes, { aliases: [], commands: [] });
  return (name) => {
    const lookup = matcher.lookup(name);
    const modules = lookup.kind === 'found' ? lookup.candidates.map(({ module }) => module) : [];
    return `${name}\t${modules.join(',')}`;
  };
}

/** Names that people and the kernel ask for beside modaliases, and what no kernel writes. */
function otherNames(tree: DebianTree): string[] {
  const dir = `${tree.root}/lib/modules/${tree.kernel}`;
  const names = (file: string) =>
    readFileSync(`${dir}/${file}`, 'latin1')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => /([^/:]+?)\.ko/.exec(line)?.[1] ?? line);
  const symbols = readFileSync(`${dir}/modules.symbols`, 'latin1')
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split(' ')[1] ?? '');
  return [
    ...names('modules.dep'),
    ...names('modules.builtin'),
    ...symbols,
    '',
    '*',
    '?',
    '[',
    ']',
    '[]',
    '[a]',
    '[!a]',
    'a]',
    '[[a]',
    'pci:*',
    'usb:v*p*',
    'of:*',
    'of:N*T*C*',
    '**',
    '\\',
    'ext4\\',
    'symbol:',
    'symbol:*',
    'symbol:crc32c',
    'snd-hda-intel',
    'SND',
    'ext4.ko',
    './ext4',
    'fs-ext4',
    'net-pf-10',
    'char-major-10-130',
    'binfmt-464c',
    'crypto-sha256-all',
    'pci:v\xff\xfe',
    'acpi:\xe4\xf6:',
    'dmi:bvn[x]:',
    'platform:Fixed MDIO bus',
    'a'.repeat(4000),
    `pci:v00008086${'d'.repeat(4070)}`,
    'a'.repeat(4095),
    'a'.repeat(4096),
    'x'.repeat(9000),
    `of:N${'T*C'.repeat(500)}`,
    `${'a'.repeat(4095)}]`,
  ];
}

for (const architecture of ['amd64', 'arm64', 'armhf'] as const) {
  const tree = await debianTree(architecture);
  const missing = [tree, kmod].find(({ kind }) => kind === 'missing');
  const skip = missing?.kind === 'missing' && missing.sentence;
  t.test(`as libkmod answers, on ${architecture}`, { skip }, (t) => {
    if (tree.kind === 'missing' || kmod.kind === 'missing') return;
    const patterns = aliasPatterns(tree);
    const answer = answerer(tree);
    const compare = (t: Test, names: readonly string[], least: number): void => {
      const theirs = kmod.answers(tree, names);
      t.equal(theirs.length, names.length);
      const ours = names.map(answer);
      const wrong = names.flatMap((_, i) => (ours[i] === theirs[i] ? [] : [{ ours: ours[i], theirs: theirs[i] }]));
      t.same(wrong.slice(0, 10), [], `${wrong.length} of ${names.length} differ`);
      const matched = theirs.filter((line) => !line.endsWith('\t')).length;
      t.comment(`${names.length} names, ${matched} of them with modules, ${wrong.length} disagreements`);
      t.ok(matched >= least, `${matched} have modules`);
    };
    t.test('names made from every alias pattern', (t) => {
      const names = namesFor(patterns, 1);
      t.ok(names.length >= 10_000, `${names.length} names`);
      compare(t, names, names.length * 0.7);
      t.end();
    });
    t.test('the alias patterns themselves', (t) => {
      // A pattern is a name too; most match themselves.
      compare(t, patterns, patterns.length * 0.9);
      t.end();
    });
    t.test('names of modules and symbols, and odd ones', (t) => {
      compare(t, otherNames(tree), 10_000);
      t.end();
    });
    t.test('random bytes and cuttings of patterns (seeded)', (t) => {
      const random = new Random(11);
      const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
        .filter((c) => !'\0\n'.includes(c))
        .join('');
      const names = Array.from({ length: 3000 }, (_, i) => {
        const pattern = random.of(patterns);
        const tail = random.text(i % 2 === 0 ? bytes : '*?[]-\\0:C', 0, 20);
        return pattern.slice(0, random.below(pattern.length + 1)) + tail;
      });
      compare(t, names, 10);
      t.end();
    });
    const noLite = lite.kind === 'missing' && lite.sentence;
    t.test('plugd-lite by its command: of these, every twentieth', { skip: noLite }, (t) => {
      const all = [...namesFor(patterns, 1), ...patterns, ...otherNames(tree)];
      // An empty line is no name.
      const names = all.filter((name, i) => name !== '' && (i % 20 === 0 || i > all.length - 40));
      const at = ['--root', tree.root, '--kernel', tree.kernel];
      const ended = spawnSync(lite.kind === 'ready' ? lite.program : '', ['lookup', ...at, '-'], {
        input: Buffer.from(names.map((name) => `${name}\n`).join(''), 'latin1'),
        encoding: 'latin1',
        maxBuffer: 1 << 26,
      });
      const ours = ended.stdout.split('\n').slice(0, -1);
      const theirs = kmod.answers(tree, names);
      t.same(theirs.filter((line, i) => line !== ours[i]).slice(0, 10), [], `${names.length} names ${ended.stderr}`);
      t.equal(ours.length, names.length);
      t.ok(names.length >= 1500, `${names.length} names`);
      t.end();
    });
    const file = corpus === undefined ? undefined : join(corpus, 'modaliases.txt');
    t.test(
      'strings of real machines',
      { skip: file === undefined && 'PLUGD_CORPUS names no folder of recordings' },
      (t) => {
        const names = readFileSync(file ?? '', 'latin1')
          .split('\n')
          .slice(0, -1);
        compare(t, names, names.length * 0.2);
        t.end();
      },
    );
    t.end();
  });
}
