/**
 * RancherOS' own reading of the kernel command line. Pure.
 *
 *     rancher.modules=[loop,br_netfilter]
 *     rancher.modules=['loop max_loop=8',nf_nat]
 *     cc.rancher.modules=[ "a b", c ]
 *
 * `\"` and `\'` stand for the quotes. Blanks separate words, but neither inside quotes nor inside `[…]` (which do not nest). Of the words
 * those count that begin with `rancher.`, or with `cc.`, which is dropped. The value is YAML, in which a newline, ':' and '?' are plain
 * characters; what is no YAML is a text; a word without a value is `true`. Of a key that stands twice the last counts.
 *
 * Source: rancher/os config/cmdline/cmdline.go.
 */
import type { ReadYaml, YamlNode } from '../../facts/config/yaml-text.ts';

/** What an option gives a key: `rancher.modules=[a]` → a list of one text. Undefined when no option does. */
export function rancherOption(text: string, key: string, readYaml: ReadYaml): YamlNode | undefined {
  const word = words(text)
    .map((each) => (each.startsWith('cc.') ? each.slice('cc.'.length) : each.startsWith('rancher.') ? each : ''))
    .findLast((each) => each === key || each.startsWith(`${key}=`));
  if (word === undefined) return undefined;
  return valueOf(word === key ? 'true' : word.slice(key.length + 1), readYaml);
}

function words(text: string): readonly string[] {
  const plain = text.replaceAll(/\\(["'])/g, '$1');
  return plain.match(/(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|\[[^\]]*(?:\]|$)|[^\s"'[])+/g) ?? [];
}

/** What these characters are while YAML is read: three that no text of bytes has. */
const HIDDEN = ['\n', ':', '?'] as const;
const FIRST_HIDDEN = 0xe000;

function valueOf(value: string, readYaml: ReadYaml): YamlNode | undefined {
  const hidden = HIDDEN.reduce(
    (text, character, i) => text.replaceAll(character, String.fromCharCode(FIRST_HIDDEN + i)),
    value,
  );
  const read = readYaml(hidden);
  if (read.kind === 'damaged') return { kind: 'text', line: 1, text: value };
  return read.documents[0] === undefined ? undefined : shown(read.documents[0]);
}

function shown(node: YamlNode): YamlNode {
  if (node.kind === 'list') return { ...node, items: node.items.map(shown) };
  if (node.kind === 'map')
    return { ...node, entries: new Map([...node.entries].map(([key, value]) => [key, shown(value)])) };
  const text = node.text.replaceAll(
    /[\ue000-\ue002]/g,
    (character) => HIDDEN[character.charCodeAt(0) - FIRST_HIDDEN] ?? '',
  );
  return { ...node, text };
}
