import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { aliasIndex, modulePositions } from '../../../agent/indexes/text-index.ts';
import { createMatcher, type Matcher } from '../../../agent/match/matcher.ts';
import { openTree, type ModuleTree } from '../../../agent/load/tree.ts';
import { aliasPatterns, namesFor } from '../../fixtures/alias-strings.ts';
import { debianTree } from '../../fixtures/debian.ts';
import { Random } from '../../fixtures/random.ts';

const tree = await debianTree('amd64');
const NO_NAMES = { aliases: [], commands: [] };

function answers(matcher: Matcher, names: readonly string[]): string[] {
  return names.map((name) => {
    const lookup = matcher.lookup(name);
    return lookup.kind === 'found' ? lookup.candidates.map(({ module }) => module).join(',') : '';
  });
}

t.test("Debian's indexes, damaged", { skip: tree.kind === 'missing' && tree.sentence }, (t) => {
  if (tree.kind === 'missing') return;
  const there = `${tree.root}/lib/modules/${tree.kernel}`;
  const patterns = aliasPatterns(tree);
  const random = new Random(17);
  const names = [...namesFor(patterns, 4).filter(() => random.below(100) === 0), 'ext4', 'snd-hda-intel', 'net-pf-10'];
  const whole = createMatcher(openTree(openHost({ root: tree.root, kernel: tree.kernel })).indexes, NO_NAMES);
  const expected = answers(whole, names);
  const bytes = readFileSync(`${there}/modules.alias.bin`);
  const root = t.testdir({});
  const dir = `${root}/lib/modules/${tree.kernel}`;
  mkdirSync(dir, { recursive: true });
  for (const name of [
    'modules.dep',
    'modules.dep.bin',
    'modules.symbols.bin',
    'modules.builtin.bin',
    'modules.builtin.alias.bin',
  ]) {
    copyFileSync(`${there}/${name}`, `${dir}/${name}`);
  }
  const damaged = (content: Buffer): ModuleTree => {
    writeFileSync(`${dir}/modules.alias.bin`, content);
    return openTree(openHost({ root, kernel: tree.kernel }));
  };

  t.test('cut off anywhere, with the text beside it: every answer is right, and the damage is reported', (t) => {
    copyFileSync(`${there}/modules.alias`, `${dir}/modules.alias`);
    for (let round = 0; round < 12; round++) {
      const opened = damaged(bytes.subarray(0, random.below(bytes.length)));
      t.same(answers(createMatcher(opened.indexes, NO_NAMES), names), expected);
      t.equal(opened.problems().length, 1);
    }
    t.end();
  });

  t.test('bits flipped: what is noticed is put right by the text, and nothing is thrown (seeded)', (t) => {
    let told = 0;
    let right = 0;
    for (let round = 0; round < 60; round++) {
      const content = Buffer.from(bytes);
      for (let flips = 0; flips < 2000; flips++) {
        const at = random.below(content.length);
        content[at] = (content[at] ?? 0) ^ (1 << random.below(8));
      }
      const opened = damaged(content);
      const matcher = createMatcher(opened.indexes, NO_NAMES);
      answers(matcher, names);
      if (opened.problems().length === 0) continue;
      told++;
      // From then on the text answers.
      if (JSON.stringify(answers(matcher, names)) === JSON.stringify(expected)) right++;
    }
    t.ok(told > 10, `${told} of 60 were noticed`);
    t.equal(right, told);
    t.end();
  });

  t.test("another layout, kmod 34's, gives the same answers", (t) => {
    const text = (name: string) => readFileSync(`${there}/${name}`, 'latin1');
    const { builder } = aliasIndex(text('modules.alias'), modulePositions(text('modules.dep')));
    const opened = damaged(builder.build('parent-first'));
    t.same(answers(createMatcher(opened.indexes, NO_NAMES), names), expected);
    t.same(opened.problems(), []);
    t.end();
  });
  t.end();
});
