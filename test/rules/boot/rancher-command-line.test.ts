import t from 'tap';
import { readYaml, type YamlNode } from '../../../agent/facts/config/yaml-text.ts';
import { rancherOption } from '../../../agent/rules/boot/rancher-command-line.ts';

/** A node as JSON would have it. */
const plain = (node: YamlNode | undefined): unknown =>
  node?.kind === 'list'
    ? node.items.map(plain)
    : node?.kind === 'map'
      ? Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]))
      : node?.text;

const ROWS: ReadonlyArray<readonly [rule: string, text: string, expected: unknown]> = [
  ['a list', 'quiet rancher.modules=[a,b] x', ['a', 'b']],
  ['quotes around an entry', "rancher.modules=['loop max_loop=8',br_netfilter]", ['loop max_loop=8', 'br_netfilter']],
  ['blanks inside brackets', 'rancher.modules=[ "a b", c ] quiet', ['a b', 'c']],
  ['quotes that a boot loader escaped', String.raw`rancher.modules=[\"a b\",\'c\']`, ['a b', 'c']],
  ['cc. is dropped', 'cc.rancher.modules=[a]', ['a']],
  ['a text is one', 'rancher.modules=a', 'a'],
  ['without a value it is true', 'rancher.modules', 'true'],
  ['the last counts', 'rancher.modules=[a] rancher.modules=[b]', ['b']],
  ['other keys do not count', 'rancher.modulesx=[a] xrancher.modules=[b] modules=[c] rancher.modules.x=1', undefined],
  ['a colon and a question mark are plain characters', 'rancher.modules=[a:b,c?]', ['a:b', 'c?']],
  ['what is no YAML is a text', 'rancher.modules=[a', '[a'],
  ['an empty list', 'rancher.modules=[]', []],
  ['an empty value', 'rancher.modules=', undefined],
  ['a map', 'rancher.modules={a}', { a: undefined }],
  ['nothing', '', undefined],
];

for (const [rule, text, expected] of ROWS) {
  t.test(rule, (t) => {
    if (rule === 'a map') t.equal(rancherOption(text, 'rancher.modules', readYaml)?.kind, 'map');
    else t.same(plain(rancherOption(text, 'rancher.modules', readYaml)), expected);
    t.end();
  });
}
