import t from 'tap';
import { readYaml, type YamlNode } from '../../../agent/facts/config/yaml-text.ts';

/** `LINE value`, lists in brackets, maps in braces. */
const shown = (node: YamlNode): string =>
  node.kind === 'text'
    ? `${node.line}:${node.text}`
    : node.kind === 'list'
      ? `[${node.items.map(shown).join(' ')}]`
      : `{${[...node.entries].map(([key, value]) => `${key}=${shown(value)}`).join(' ')}}`;

const read = (text: string): string => {
  const found = readYaml(text);
  return found.kind === 'damaged' ? `${found.line} ${found.why}` : found.documents.map(shown).join(' --- ');
};

/** Nine references to nine references to … : 9 to the power of `levels` texts. */
const bomb = (levels: number) =>
  `a0: &a0 [x]\n${Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]\n`).join('')}`;

const ROWS: ReadonlyArray<readonly [rule: string, text: string, expected: string | RegExp]> = [
  ['maps, lists and texts, each with its line', 'a:\n  - b\n  - "c d"\ne: f', '{a=[2:b 3:c d] e=4:f}'],
  ['scalars as written', 'a: [yes, 010, 1e3, 0x1F, ~, null, "~"]', '{a=[1:yes 1:010 1:1e3 1:0x1F 1:~]}'],
  ['references', 'a: &x [b]\nc: *x', '{a=[1:b] c=[1:b]}'],
  ['the last anchor before a reference', 'a: &x b\nc: *x\nd: &x e\nf: *x', '{a=1:b c=1:b d=3:e f=3:e}'],
  ['a reference to what comes later is left out', 'a: *x\nb: &x c', /Unresolved|\{b=2:c\}/],
  ['a reference in what it stands for', 'a: &x [*x]', '0 nested too deeply'],
  ['anchors of another document', 'a: &x b\n---\nc: *x\nd: e', /Unresolved|\{a=1:b\} --- \{d=4:e\}/],
  ['references in what references stand for', 'a: &x b\nc: &y [*x]\nd: &x e\nf: *y', '{a=1:b c=[1:b] d=3:e f=[1:b]}'],
  [
    'many references to the last anchor of its name',
    `a:\n- &x b\n${'- &x c\n- *x\n- *x\n'.repeat(400)}`,
    /^\{a=\[2:b 3:c 3:c 3:c 6:c .*1200:c 1200:c\]\}$/,
  ],
  ['a reference to nothing is left out', 'a: *none\nb: c', /damaged|Unresolved|\{b=2:c\}/],
  ['documents', 'a: b\n---\nc: d\n---\n', '{a=1:b} --- {c=3:d}'],
  ['a key that stands twice', 'a: b\na: c', '{a=2:c}'],
  ['tags do not count', 'a: !thing b', '{a=1:b}'],
  ['bytes stay bytes', 'a: \xe9\xa0', '{a=1:\xe9\xa0}'],
  ['nothing', '', ''],
  ['comments only', '#cloud-config\n', ''],
  ['no YAML', 'a: [b\nc: d', /^\d \S/],
  ['TABs', 'a:\n\t- b', /^2 \S/],
  ['a bomb of references', bomb(9), '0 it stands for more than 20000 values'],
  ['a small one is what it says', bomb(2), /^\{a0=/],
  ['brackets alone', '['.repeat(200_000), '0 nested too deeply'],
  ['blocks that nest in one line', '- '.repeat(20_000), '0 nested too deeply'],
  ['anchors in a row', '&a '.repeat(50_000), '0 it stands for more than 20000 values'],
  ['deep nesting', `${'['.repeat(500)}${']'.repeat(500)}`, '0 nested too deeply'],
  ['a long text', `a: ${'b'.repeat(1 << 18)}`, '0 longer than 256 KiB, which no such file is'],
];

for (const [rule, text, expected] of ROWS) {
  t.test(rule, (t) => {
    if (typeof expected === 'string') t.equal(read(text), expected);
    else t.match(read(text), expected);
    t.end();
  });
}

t.test('every truncation of a document is read or named', (t) => {
  const text = 'a: &x [b, "c d", {e: f}]\ng:\n  - *x\n  - |\n    h\n---\ni: j\n';
  for (let length = 0; length < text.length; length++)
    if (readYaml(text.slice(0, length)).kind === undefined) t.fail(`at ${length}`);
  t.pass();
  t.end();
});
