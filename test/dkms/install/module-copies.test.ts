import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { haveSameBytes, moduleFileIn, readModuleCopies } from '../../../agent/dkms/install/module-copies.ts';

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

t.test('files of the same bytes', async (t) => {
  const piece = 'x'.repeat(1 << 16);
  const rows: ReadonlyArray<
    readonly [rule: string, one: string | undefined, other: string | undefined, same: boolean]
  > = [
    ['both empty', '', '', true],
    ['the same', 'abc', 'abc', true],
    ['of another size', 'abc', 'abcd', false],
    ['a byte differs', 'abc', 'abd', false],
    ['exactly what is read at a time', piece, piece, true],
    ['more than that', `${piece}${piece}y`, `${piece}${piece}y`, true],
    ['the last of many bytes differs', `${piece}${piece}y`, `${piece}${piece}z`, false],
    ['one is missing', 'abc', undefined, false],
    ['both are missing', undefined, undefined, false],
  ];
  const folder = t.testdir();
  for (const [rule, ...contents] of rows) {
    const paths = contents.slice(0, 2).map((content, index) => {
      const path = `${folder}/${rule} ${index}`;
      if (typeof content === 'string') writeFileSync(path, content);
      return path;
    });
    t.equal(haveSameBytes(paths[0] ?? '', paths[1] ?? ''), contents[2], rule);
  }
  t.equal(haveSameBytes(folder, folder), false, 'a folder');
});
