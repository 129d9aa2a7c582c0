import t from 'tap';
import { moduleNameFromPath } from '../../agent/base/names.ts';
import {
  aliasText,
  builtinAliasBytes,
  builtinBytes,
  dependencyLines,
  devnameText,
  softdepText,
  symbolText,
  weakdepText,
  type TreeFacts,
} from '../../agent/depmod/index-files.ts';
import { IndexTrie } from '../../agent/indexes/trie.ts';

interface Fake {
  readonly aliases?: readonly string[];
  readonly softdeps?: readonly string[];
  readonly weakdeps?: readonly string[];
  readonly dependencies?: readonly number[];
}

function tree(modules: Readonly<Record<string, Fake>>, symbols: TreeFacts['symbols'] = []): TreeFacts {
  const entries = Object.entries(modules);
  return {
    modules: entries.map(([listed]) => ({ name: moduleNameFromPath(listed), path: `/tree/${listed}`, listed })),
    facts: entries.map(([, { aliases = [], softdeps = [], weakdeps = [] }]) => ({ aliases, softdeps, weakdeps })),
    dependencies: entries.map(([, { dependencies = [] }]) => dependencies),
    symbols,
  };
}

/** The lines behind the header. */
const lines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const silent = () => undefined;

t.test('the text files', (t) => {
  const modules = tree(
    {
      'k/a-b.ko': { aliases: ['pci:v1*', 'x y'], softdeps: ['pre: c'], dependencies: [1, 2] },
      'k/c.ko.xz': { weakdeps: ['d'], dependencies: [2] },
      '/opt/e.ko': {},
    },
    [{ name: 's', module: 1 }],
  );
  t.same(dependencyLines(modules), ['k/a-b.ko: k/c.ko.xz /opt/e.ko', 'k/c.ko.xz: /opt/e.ko', '/opt/e.ko:']);
  t.same(lines(aliasText(modules)), ['alias pci:v1* a_b', 'alias x y a_b']);
  t.same(lines(softdepText(modules)), ['softdep a_b pre: c']);
  t.same(lines(weakdepText(modules)), ['weakdep c d']);
  t.same(lines(symbolText(modules)), ['alias symbol:s c']);
  t.end();
});

const DEVICES: ReadonlyArray<
  readonly [rule: string, aliases: readonly string[], line: string | undefined, said?: RegExp]
> = [
  ['a character device', ['devname:a', 'char-major-10-237'], 'm a c10:237'],
  ['a block device, numbers first', ['block-major-7-1', 'devname:d/b'], 'm d/b b7:1'],
  ['a minor that is no number', ['devname:a', 'block-major-7-*'], undefined, /lacks major and minor/],
  ['no numbers', ['devname:a'], undefined, /Module 'm' has devname \(a\) but lacks/],
  ['a blank in the name', ['devname:a b', 'char-major-10-237'], undefined, /devname \(a b\) with a blank/],
  ['no device', ['pci:v1*', 'char-major-10-237'], undefined],
  ['text behind the minor', ['devname:a', 'block-major-8-1x'], 'm a b8:1'],
  ['numbers are unsigned', ['devname:a', 'char-major--1-2'], 'm a c4294967295:2'],
];

t.test('modules.devname', (t) => {
  for (const [rule, aliases, line, message] of DEVICES) {
    const said: string[] = [];
    const text = devnameText(tree({ 'm.ko': { aliases } }), (_, text) => said.push(text));
    t.same(lines(text), line === undefined ? [] : [line], rule);
    t.equal(text === '', line === undefined, `${rule}: without lines no header`);
    if (message === undefined) t.same(said, [], rule);
    else t.match(said.join('\n'), message, rule);
  }
  t.end();
});

t.test('indexes of what is inside the kernel', (t) => {
  const said: string[] = [];
  const say = (level: string, text: string) => said.push(`${level}: ${text}`);
  const builtin = new IndexTrie(builtinBytes('kernel/a-b.ko\n1bad\nkernel/c.ko', 'children-first', say), 'x');
  t.same([builtin.exact('a_b'), builtin.exact('c'), builtin.exact('1bad')], ['', '', undefined]);
  const aliases = builtinAliasBytes('m.alias=x-y\0m.alias=[z\0m.license=GPL\0', 'children-first', say);
  t.equal(new IndexTrie(aliases, 'x').exact('x_y'), 'm');
  t.same(said, ['error: Invalid modules.builtin line: 1bad\n', 'warning: Unmatched bracket in [z']);
  t.equal(builtinBytes('', 'parent-first', silent).length, 12, 'an empty text: a header');
  t.end();
});
