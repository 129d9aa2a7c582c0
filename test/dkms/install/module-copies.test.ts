import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { moduleFileIn, readModuleCopies } from '../../../agent/dkms/install/module-copies.ts';

/** The files of a tree, and the suffix that new modules get. */
const ROWS: ReadonlyArray<readonly [rule: string, files: readonly string[], suffix: string]> = [
  ['an empty tree', [], ''],
  ['plain modules', ['kernel/a.ko'], ''],
  ['as the others are', ['kernel/a.ko.xz', 'kernel/b.ko'], '.xz'],
  ['the last of several in alphabetical order', ['kernel/a.ko.zst', 'kernel/b.ko.gz', 'kernel/c.ko.xz'], '.zst'],
  ['what is no module does not count', ['kernel/a.ko.bak', 'modules.dep'], ''],
];
for (const [rule, files, suffix] of ROWS) {
  t.test(rule, async (t) => {
    const tree = t.testdir();
    for (const file of files) {
      mkdirSync(dirname(`${tree}/${file}`), { recursive: true });
      writeFileSync(`${tree}/${file}`, '');
    }
    const copies = readModuleCopies(tree);
    t.equal(copies.suffix, suffix);
    t.same(
      copies.named('a'),
      files.filter((file) => /\/a\.ko(\.xz|\.zst|)$/.test(file)).map((file) => `${tree}/${file}`),
    );
    t.same(copies.named('none'), []);
    const own = files.find((file) => /\/a\.ko(\.xz|\.zst|)$/.test(file));
    t.equal(moduleFileIn(`${tree}/kernel`, 'a'), own === undefined ? undefined : `${tree}/${own}`);
  });
}
t.test('a tree that is not there', async (t) => {
  t.equal(readModuleCopies('/nowhere').suffix, '');
});
